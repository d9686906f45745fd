//! `OperationFilter`.

use async_graphql::{ID, InputObject, Result};
use toygres_store::OperationFilter;

use super::{OperationKind, OperationStatus};
use crate::graphql::errors::coded;

/// Selects operations that meet every given condition.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "OperationFilter")]
pub struct OperationFilterInput {
    /// Of this instance.
    instance_id: Option<ID>,
    /// Of one of these kinds.
    kind: Option<Vec<OperationKind>>,
    /// With one of these statuses.
    status: Option<Vec<OperationStatus>>,
}

impl TryFrom<OperationFilterInput> for OperationFilter {
    type Error = async_graphql::Error;
    fn try_from(input: OperationFilterInput) -> Result<Self> {
        let OperationFilterInput { instance_id, kind, status } = input;
        let instance = |id: ID| id.parse().map_err(|_| coded("BAD_USER_INPUT", format!("filter.instanceId: '{}' is not the ID of an instance", *id)));
        Ok(Self {
            instance: instance_id.map(instance).transpose()?,
            kinds: kind.map(|all| all.into_iter().map(|kind| kind.0).collect()),
            statuses: status.map(|all| all.into_iter().map(|status| status.0).collect()),
        })
    }
}
