//! What the server can do, free of GraphQL and HTTP: one use case per file. A use case parses what a caller sent, checks it, and
//! hands it to the store.

mod available_operations;
mod cancel_operation;
mod create_api_token;
mod create_instance;
mod delete_instance;
mod fingerprint;
mod health;
mod input;
pub mod limits;
mod restart_instance;
mod retry_operation;
mod revoke_api_token;
mod update_instance;

use std::{sync::Arc, time::Duration};

use toygres_domain::{instance::HealthCheckPolicy, runtime::Runtime};
use toygres_store::Store;

pub use available_operations::{available_operations, excludes_now, is_final};
pub use cancel_operation::CancelOperation;
pub use create_api_token::CreateApiToken;
pub use create_instance::{CreateInstance, ExposureKind, ExposureSettings, HealthCheckSettings};
pub use delete_instance::DeleteInstance;
pub use health::{Health, HealthReport};
pub use restart_instance::RestartInstance;
pub use retry_operation::RetryOperation;
pub use revoke_api_token::RevokeApiToken;
pub use update_instance::UpdateInstance;

use crate::live::Hub;

/// Everything that a use case works with. Clones share it.
#[derive(Clone)]
pub struct App {
    /// The metadata.
    pub store: Store,
    /// The host of instances.
    pub runtime: Arc<dyn Runtime>,
    /// Live delivery.
    pub hub: Hub,
    /// The control plane's own health.
    pub health: Health,
    /// How long an operation may take.
    pub operation_deadline: Duration,
    /// The health check settings of instances that were created without any.
    pub health_check: HealthCheckPolicy,
}
