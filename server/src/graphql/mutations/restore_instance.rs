//! `restoreInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use toygres_domain::secret::Secret;

use super::{app, requester};
use crate::{
    app::{
        create_instance::CreateInstance,
        restore_instance::{RestoreInstance, TargetChoice},
    },
    graphql::{
        guard::operator,
        types::{BackupPolicyInput, ExposureInput, HealthCheckInput, LabelInput, ParameterInput, pairs, values},
    },
};

/// Input of `restoreInstance`. What is omitted is as in the source, whose user, database and version of PostgreSQL the new instance has.
#[derive(InputObject)]
pub struct RestoreInstanceInput {
    /// The ID of the instance that was backed up. It may run, and it may be deleted as long as its backups are kept.
    source_id: ID,
    /// The point to restore (default: everything that was archived).
    target: Option<RestoreTargetInput>,
    /// The name of the new instance: a DNS label, unique among instances that are not deleted.
    name: String,
    /// The password of the user (default: generated). Passwords of the source do not work in the new instance.
    password: Option<String>,
    /// The size of the volume in GiB, at least that of the source.
    storage_gb: Option<i32>,
    /// The CPU in thousandths of a core.
    cpu_millis: Option<i32>,
    /// The memory in MiB.
    memory_mb: Option<i32>,
    /// The labels of the instance.
    labels: Option<Vec<LabelInput>>,
    /// Whether deletion is refused (default false).
    deletion_protected: Option<bool>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer instead of restoring
    /// another instance.
    idempotency_key: Option<String>,
    /// Who can reach the instance. The DNS label of the source is not taken over.
    exposure: Option<ExposureInput>,
    /// Whether clients without TLS are refused.
    require_tls: Option<bool>,
    /// How the health of the instance is checked.
    health_check: Option<HealthCheckInput>,
    /// The minutes without a session of a client after which the instance is suspended; 0 for never.
    idle_suspend_minutes: Option<i32>,
    /// Parameters of the server: see `setParameters`.
    parameters: Option<Vec<ParameterInput>>,
    /// How the instance is backed up.
    backups: Option<BackupPolicyInput>,
}

/// A point to restore: at most one field.
#[derive(InputObject)]
pub struct RestoreTargetInput {
    /// A time within `recovery.intervals`, by the clock of the server: what was committed by then, and nothing later.
    time: Option<DateTime<Utc>>,
    /// A position in the WAL, such as `0/3000060`.
    lsn: Option<String>,
    /// The ID of a backup: the moment at which it was complete.
    backup_id: Option<ID>,
}

operation_payload! {
    /// Payload of `restoreInstance`.
    RestoreInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RestoreInstanceMutation;

#[Object]
impl RestoreInstanceMutation {
    /// Creates an instance with the data of another one, as it was at a point in time. The source stays as it is. Returns at once; subscribe
    /// to the operation to follow it.
    #[graphql(guard = "operator()")]
    async fn restore_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to restore.")] input: RestoreInstanceInput,
    ) -> Result<RestoreInstancePayload> {
        let RestoreInstanceInput {
            source_id,
            target,
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
            parameters,
            backups,
        } = input;
        let target = target.map(|RestoreTargetInput { time, lsn, backup_id }| TargetChoice { time, lsn, backup_id: backup_id.map(|id| id.0) });
        let instance = CreateInstance {
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
            parameters: parameters.map(values),
            backups: backups.map(Into::into),
            idempotency_key,
        };
        let input = RestoreInstance { source_id: source_id.0, target: target.unwrap_or_default(), instance };
        RestoreInstancePayload::new(app(ctx).restore_instance(input, requester(ctx)).await)
    }
}
