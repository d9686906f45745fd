//! `createInstance`.

use async_graphql::{Context, InputObject, Object, Result};
use toygres_domain::secret::Secret;

use super::{app, requester};
use crate::{
    app,
    graphql::{
        guard::operator,
        types::{
            BackupPolicyInput, ExposureInput, HealthCheckInput, LabelInput, MaintenanceWindowInput, ParameterInput, StorageAutoGrowInput, pairs,
            values,
        },
    },
};

/// Input of `createInstance`.
#[derive(InputObject)]
pub struct CreateInstanceInput {
    /// The name of the instance: a DNS label, unique among instances that are not deleted. It is part of the address of the
    /// instance.
    name: String,
    /// The role that clients log in as (default `app`). It owns the database, may create databases and, from version 16 on, roles, and is no
    /// superuser. Names that start with `toygres` or `pg_` are reserved.
    username: Option<String>,
    /// The password of that role (default: generated).
    password: Option<String>,
    /// The name of the database to create (default: the username). Names that start with `toygres` or `pg_` are reserved.
    database: Option<String>,
    /// The size of the volume in GiB (default 10).
    storage_gb: Option<i32>,
    /// The major version of PostgreSQL (default: the newest on offer).
    postgres_version: Option<String>,
    /// The CPU in millicores (default 500).
    cpu_millis: Option<i32>,
    /// The memory in MiB (default 512).
    memory_mb: Option<i32>,
    /// The labels of the instance.
    labels: Option<Vec<LabelInput>>,
    /// Whether deletion is refused (default false).
    deletion_protected: Option<bool>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer instead of creating
    /// another instance.
    idempotency_key: Option<String>,
    /// The network access of the instance (default: clients in the cluster or on the same machine).
    exposure: Option<ExposureInput>,
    /// Whether clients without TLS are refused (default: true with a load balancer, else false). TLS is offered in any case.
    require_tls: Option<bool>,
    /// How the health of the instance is checked.
    health_check: Option<HealthCheckInput>,
    /// The minutes without a session of a client after which the instance is suspended (default 0: never). Sessions of the control plane do
    /// not count.
    idle_suspend_minutes: Option<i32>,
    /// The weekly time in which updates are applied by themselves, which restarts the instance (default: never).
    maintenance_window: Option<MaintenanceWindowInput>,
    /// When the volume grows by itself (default: never).
    storage_auto_grow: Option<StorageAutoGrowInput>,
    /// Parameters of the server: see `setParameters`.
    parameters: Option<Vec<ParameterInput>>,
    /// How the instance is backed up.
    backups: Option<BackupPolicyInput>,
}

operation_payload! {
    /// Payload of `createInstance`.
    CreateInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CreateInstanceMutation;

#[Object]
impl CreateInstanceMutation {
    /// Creates an instance. Returns at once; subscribe to the operation or to the instance to follow it.
    #[graphql(guard = "operator()")]
    async fn create_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to create.")] input: CreateInstanceInput,
    ) -> Result<CreateInstancePayload> {
        let CreateInstanceInput {
            name,
            username,
            password,
            database,
            storage_gb,
            postgres_version,
            cpu_millis,
            memory_mb,
            labels,
            deletion_protected,
            idempotency_key,
            exposure,
            require_tls,
            health_check,
            idle_suspend_minutes,
            maintenance_window,
            storage_auto_grow,
            parameters,
            backups,
        } = input;
        let input = app::create_instance::CreateInstance {
            name,
            username,
            password: password.map(Secret::new),
            database,
            storage_gb,
            postgres_version,
            cpu_millis,
            memory_mb,
            labels: labels.map(pairs),
            deletion_protected,
            exposure: exposure.map(Into::into),
            require_tls,
            health_check: health_check.map(Into::into),
            idle_suspend_minutes,
            maintenance_window: maintenance_window.map(Into::into),
            storage_auto_grow: storage_auto_grow.map(Into::into),
            parameters: parameters.map(values),
            backups: backups.map(Into::into),
            idempotency_key,
        };
        CreateInstancePayload::new(app(ctx).create_instance(input, requester(ctx)).await)
    }
}
