//! What the server can do, free of GraphQL and HTTP: one use case per file. A use case parses what a caller sent, checks it, and
//! hands it to the store.

mod activity;
mod available_operations;
pub mod backups;
pub mod cancel_operation;
mod cancel_query;
pub mod clone_instance;
pub mod create_api_token;
pub mod create_backup;
pub mod create_database;
pub mod create_database_user;
pub mod create_instance;
pub mod create_webhook;
pub mod delete_backup;
pub mod delete_instance;
pub mod delete_webhook;
pub mod drop_database;
pub mod drop_database_user;
mod fingerprint;
mod health;
pub mod import_backups;
mod input;
pub mod inspection;
pub mod limits;
pub mod logs;
pub mod maintenance;
pub mod repair_instance;
pub mod resize_instance;
pub mod restart_instance;
pub mod restore_instance;
pub mod resume_instance;
pub mod retry_operation;
pub mod revoke_api_token;
pub mod rotate_certificate_authority;
pub mod rotate_password;
pub mod rotate_webhook_secret;
pub mod set_parameters;
pub mod suspend_instance;
pub mod terminate_session;
pub mod test_webhook;
mod top_queries;
pub mod update_backup;
pub mod update_instance;
pub mod update_webhook;
pub mod upgrade_instance;
mod webhooks;

use std::{sync::Arc, time::Duration};

use toygres_domain::{instance::HealthCheckPolicy, runtime::Runtime};
use toygres_store::Store;
use toygres_workflows::certificates::CertificatePolicy;

pub use available_operations::{available_operations, excludes_now, is_final};
pub use health::{Health, HealthReport, Unreachable};

use crate::{live::Hub, webhooks::Sender};

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
    /// Who issues the certificates of instances.
    pub certificates: CertificatePolicy,
    /// Where backups go.
    pub backups: backups::BackupSupport,
    /// How messages of webhooks are sent.
    pub webhooks: Sender,
    /// What is asked of instances at the moment.
    pub inspections: inspection::Inspections,
    /// How long an operation may take.
    pub operation_deadline: Duration,
    /// The health check settings of instances that were created without any.
    pub health_check: HealthCheckPolicy,
}
