//! Applies the update of an instance in its maintenance window, as a caller of `upgradeInstance` would.

use toygres_domain::{
    Error, Result,
    instance::{Instance, InstanceState},
    operation::{Params, upgrade},
};
use toygres_store::{Request, Subject};

use crate::ActivityContext;

/// Requests the update that the instance is known to have, once in each window: one that fails is not repeated before the next.
pub(super) async fn update_in_window(context: &ActivityContext, instance: &Instance) -> Result<()> {
    let Some(window) = instance.maintenance_window.filter(|_| instance.update_available.is_some() && instance.state == InstanceState::Running) else {
        return Ok(());
    };
    let Some(began) = window.began(context.store.now()) else { return Ok(()) };
    if context.store.was_updated_since(instance.id, began).await? {
        return Ok(());
    }
    let params = upgrade::Params { version: instance.spec.postgres_version, check_only: false, minor: true, drop_logical_slots: false };
    let request = Request {
        idempotency: None,
        password: None,
        // Nobody has changed their mind.
        revision: Some(instance.revision),
        requested_by: Some("the control plane, in the maintenance window".to_owned()),
        deadline: context.timing.operation,
    };
    match context.store.accept(Subject::Existing(instance.id), &Params::Upgrade(params), &request).await {
        Ok(accepted) => {
            tracing::info!(instance = %instance.id, operation = %accepted.operation.id, "an instance is updated in its maintenance window");
            Ok(())
        }
        // Another operation has begun, or the instance has changed: the next inspection decides.
        Err(Error::User(_) | Error::Superseded) => Ok(()),
        Err(error) => Err(error),
    }
}
