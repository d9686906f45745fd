//! The suspension of an instance that no client uses.
//!
//! A check that the instance answered says whether a client is connected, and whether one was since the last check. After enough time
//! without one, the control plane requests a suspension like any caller: an operation in progress is a conflict, and so nothing happens.

use std::time::Duration;

use toygres_domain::{
    Error,
    instance::Instance,
    operation::{Params, suspend},
};
use toygres_postgres::Activity;
use toygres_store::{Request, Subject};

use crate::{Failure, activity::ActivityContext};

/// Begins the time anew after a probe that the instance has not answered. The check that follows it may succeed, and so count no failure.
pub(super) async fn begin_anew(context: &ActivityContext, instance: &Instance) -> Result<(), Failure> {
    if instance.idle_suspend_minutes.is_some() {
        context.store.note_unknown_activity(instance.id).await?;
    }
    Ok(())
}

/// Suspends the instance if it has been idle for as long as it is configured. After a failed check (`is_known` is false) it is not known
/// whether clients wanted to use it meanwhile, so the time begins anew.
pub(super) async fn suspend_if_idle(context: &ActivityContext, instance: &Instance, activity: &Activity, is_known: bool) -> Result<(), Failure> {
    let Some(minutes) = instance.idle_suspend_minutes else { return Ok(()) };
    let idle_for = context.store.note_activity(instance.id, &activity.sessions, activity.is_connected || !is_known).await?;
    if idle_for < Duration::from_secs(60 * u64::from(minutes.unsigned_abs())) {
        return Ok(());
    }
    let params = suspend::Params { timeout_seconds: suspend::Params::DEFAULT_TIMEOUT_SECONDS, idle_minutes: Some(minutes) };
    let request = Request {
        idempotency: None,
        password: None,
        // Nobody has changed their mind.
        revision: Some(instance.revision),
        requested_by: Some(format!("the control plane, after {minutes} minutes without a client")),
        deadline: context.timing.operation,
    };
    match context.store.accept(Subject::Existing(instance.id), &Params::Suspend(params), &request).await {
        Ok(accepted) => {
            tracing::info!(instance = %instance.id, operation = %accepted.operation.id, "an idle instance is suspended");
            Ok(())
        }
        // Another operation has begun, or the instance has changed: the next check decides.
        Err(Error::User(_) | Error::Superseded) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
