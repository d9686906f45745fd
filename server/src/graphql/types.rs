//! The output types of the contract, and the inputs they share.

mod api_token;
mod control_plane;
mod event;
mod health;
mod instance;
mod operation;
mod scalars;

use async_graphql::Interface;

pub(super) use api_token::{ApiToken, TokenRole};
pub(super) use control_plane::ControlPlane;
pub(super) use event::{InstanceChange, InstanceChangeType, InstanceEvent};
pub(super) use health::HealthCheck;
pub(super) use instance::{ExposureType, Instance, InstanceFilterInput, InstanceOrderInput, LabelInput};
pub(super) use operation::{Operation, OperationFilterInput, list as list_operations};
pub(super) use scalars::BigInt;

/// An object with a globally unique id.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "async_graphql::ID", desc = "Its globally unique id."))]
pub enum Node {
    /// An instance.
    Instance(Instance),
    /// An operation.
    Operation(Operation),
}
