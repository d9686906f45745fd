//! `updateInstance`.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::operator,
        types::{
            BackupPolicyInput, BigInt, ExposureInput, HealthCheckInput, Instance, LabelInput, MaintenanceWindowInput, StorageAutoGrowInput, pairs,
        },
    },
};

/// Input of `updateInstance`.
#[derive(InputObject)]
pub struct UpdateInstanceInput {
    /// The ID of the instance.
    id: ID,
    /// The name: a DNS label, unique among the instances that are not deleted. Nothing is restarted. Where clients connect by the name
    /// (Kubernetes), they reach the instance by the former one until the new one is ready, which takes up to two minutes; `endpoint` and
    /// `connectionString` change then, and the former name is free once the notice `ADDRESS_CHANGING` is gone. While the instance is running or
    /// suspended.
    name: Option<String>,
    /// The network access of the instance. It replaces what is there, source ranges and DNS label too. The address changes as with `name`.
    exposure: Option<ExposureInput>,
    /// The labels of the instance. They replace all that it has.
    labels: Option<Vec<LabelInput>>,
    /// Whether deletion is refused.
    deletion_protected: Option<bool>,
    /// Whether clients without TLS are refused. Its sessions stay, and nothing is restarted; new ones are refused within seconds, on Kubernetes
    /// within two minutes. `connectionString` changes at once. Turned on by default when the instance gets a load balancer. While the instance is
    /// running or suspended.
    require_tls: Option<bool>,
    /// The minutes without a session of a client after which the instance is suspended. 0 turns that off.
    idle_suspend_minutes: Option<i32>,
    /// The weekly time in which updates are applied by themselves, which restarts the instance. `durationMinutes: 0` turns it off.
    maintenance_window: Option<MaintenanceWindowInput>,
    /// When the volume grows by itself. What is left out stays as it is; `thresholdPercent: 0` turns it off.
    storage_auto_grow: Option<StorageAutoGrowInput>,
    /// How the instance is backed up. What is left out stays as it is.
    backups: Option<BackupPolicyInput>,
    /// How the health of the instance is checked: what is given changes. The next check is made at once.
    health_check: Option<HealthCheckInput>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
}

/// Payload of `updateInstance`.
#[derive(SimpleObject)]
pub struct UpdateInstancePayload {
    /// The instance as it is now. Null if there are user errors.
    instance: Option<Instance>,
    /// The errors in the input. Empty if the request was accepted.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct UpdateInstanceMutation;

#[Object]
impl UpdateInstanceMutation {
    /// Changes the name, the network access, whether it requires TLS, its labels, the deletion protection, the health checks, the
    /// suspension when idle, the growth of the volume or the backups. Nothing is restarted.
    #[graphql(guard = "operator()")]
    async fn update_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateInstanceInput,
    ) -> Result<UpdateInstancePayload> {
        let UpdateInstanceInput {
            id,
            name,
            exposure,
            labels,
            deletion_protected,
            require_tls,
            idle_suspend_minutes,
            maintenance_window,
            storage_auto_grow,
            backups,
            health_check,
            revision,
        } = input;
        let input = app::update_instance::UpdateInstance {
            id: id.0,
            name,
            exposure: exposure.map(Into::into),
            labels: labels.map(pairs),
            deletion_protected,
            require_tls,
            idle_suspend_minutes,
            maintenance_window: maintenance_window.map(Into::into),
            storage_auto_grow: storage_auto_grow.map(Into::into),
            backups: backups.map(Into::into),
            health_check: health_check.map(Into::into),
            revision: revision.map(|revision| revision.0),
        };
        let (instance, user_errors) = user_errors(app(ctx).update_instance(input).await)?;
        Ok(UpdateInstancePayload { instance: instance.map(|instance| Instance(Arc::new(instance))), user_errors })
    }
}
