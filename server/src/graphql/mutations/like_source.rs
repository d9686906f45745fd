//! What `restoreInstance` and `cloneInstance` say of the new instance.

use async_graphql::InputObject;
use toygres_domain::secret::Secret;

use crate::{
    app::create_instance::CreateInstance,
    graphql::types::{BackupPolicyInput, ExposureInput, HealthCheckInput, LabelInput, ParameterInput, StorageAutoGrowInput, pairs, values},
};

/// The fields of an instance that has the data of another one. What is omitted is as in that one.
#[derive(InputObject)]
pub struct LikeSourceInput {
    /// The name of the new instance: a DNS label, unique among instances that are not deleted.
    name: String,
    /// The password of the user (default: generated). Passwords of the source do not work in the new instance.
    password: Option<String>,
    /// The size of the volume in GiB, at least that of the source.
    storage_gb: Option<i32>,
    /// The CPU in millicores.
    cpu_millis: Option<i32>,
    /// The memory in MiB.
    memory_mb: Option<i32>,
    /// The labels of the instance.
    labels: Option<Vec<LabelInput>>,
    /// Whether deletion is refused (default false).
    deletion_protected: Option<bool>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer instead of making
    /// another instance.
    idempotency_key: Option<String>,
    /// The network access of the instance. The DNS label of the source is not taken over.
    exposure: Option<ExposureInput>,
    /// Whether clients without TLS are refused.
    require_tls: Option<bool>,
    /// How the health of the instance is checked.
    health_check: Option<HealthCheckInput>,
    /// The minutes without a session of a client after which the instance is suspended; 0 for never.
    idle_suspend_minutes: Option<i32>,
    /// When the volume grows by itself; `thresholdPercent: 0` for never.
    storage_auto_grow: Option<StorageAutoGrowInput>,
    /// Parameters of the server: see `setParameters`.
    parameters: Option<Vec<ParameterInput>>,
    /// How the instance is backed up.
    backups: Option<BackupPolicyInput>,
}

impl From<LikeSourceInput> for CreateInstance {
    fn from(input: LikeSourceInput) -> Self {
        let LikeSourceInput {
            name,
            password,
            storage_gb,
            cpu_millis,
            memory_mb,
            labels,
            deletion_protected,
            idempotency_key,
            exposure,
            require_tls,
            health_check,
            idle_suspend_minutes,
            storage_auto_grow,
            parameters,
            backups,
        } = input;
        Self {
            name,
            username: None,
            password: password.map(Secret::new),
            database: None,
            storage_gb,
            postgres_version: None,
            cpu_millis,
            memory_mb,
            labels: labels.map(pairs),
            deletion_protected,
            exposure: exposure.map(Into::into),
            require_tls,
            health_check: health_check.map(Into::into),
            idle_suspend_minutes,
            // That of the source.
            maintenance_window: None,
            storage_auto_grow: storage_auto_grow.map(Into::into),
            parameters: parameters.map(values),
            backups: backups.map(Into::into),
            idempotency_key,
        }
    }
}
