//! Forwards nudges for an instance to the workflows that wait for it: the one of the running operation, and the HealthCheck. Nudges
//! come from the runtime, from the prober when a kept connection is lost, and from callers who change how the instance is checked. They
//! may be lost, because the workflows also poll.
//!
//! After a nudge of the runtime no check of the instance uses a connection from before, which may live on when no client can connect
//! any more, and a check in progress takes note of it. Both hold for the connections and the checks of this server. Every server that
//! runs workflows hears the runtime, so they hold in each; where one does not, the time-out of the instance is the bound.

mod backoff;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt, stream};
use tokio_stream::wrappers::BroadcastStream;
use toygres_domain::{
    InstanceId, Result,
    instance::{InstanceState, Reason},
    operation::OperationStatus,
    runtime::Nudge,
};
use toygres_store::{OperationFilter, PageRequest, Store, changes::Changes};

pub(crate) use self::backoff::Backoff;
use crate::{ActivityContext, Engine, repairs::Suspects, running_checks::Change};

/// Nudges within this time are combined, so that the message queues of workflows stay short.
const COALESCE: Duration = Duration::from_millis(50);

/// What was heard of an instance within [`COALESCE`].
#[derive(Default)]
struct Heard {
    death: Option<Reason>,
    /// Whether the runtime told it, and not the prober.
    by_runtime: bool,
}

/// Runs until the shutdown of the server.
pub async fn run(context: ActivityContext, engine: Engine, suspects: Suspects, changes: Changes) {
    let ActivityContext { store, runtime, prober, running_checks, shutdown, .. } = context;
    let losses = prober.losses().map(|instance| (Nudge { instance, death: None }, false));
    let policies = BroadcastStream::new(changes.checks()).filter_map(async |instance| Some((Nudge { instance: instance.ok()?, death: None }, false)));
    let mut hints = stream::select(runtime.nudges().map(|nudge| (nudge, true)), stream::select(losses, policies.boxed()));
    let mut backoff = Backoff::default();
    loop {
        let first = tokio::select! {
            () = shutdown.cancelled() => return,
            hint = hints.next() => match hint { Some(hint) => hint, None => return },
        };
        tokio::time::sleep(COALESCE).await;
        let mut latest: HashMap<InstanceId, Heard> = HashMap::new();
        let mut next = Some(first);
        while let Some((nudge, by_runtime)) = next {
            let heard = latest.entry(nudge.instance).or_default();
            // A death of the server takes precedence over other nudges: it must not be lost because the server is back soon after.
            heard.death = heard.death.take().or(nudge.death);
            heard.by_runtime |= by_runtime;
            next = hints.next().now_or_never().flatten();
        }
        let now = Instant::now();
        for (instance, Heard { death, by_runtime }) in latest {
            suspects.add(instance);
            let change = if death.is_some() { Change::Death } else { Change::Other };
            if by_runtime {
                prober.forget(instance);
            }
            if let Err(error) = pass_on(&store, &engine, &mut backoff, instance, death).await {
                tracing::debug!(%error, %instance, "a hint was lost");
            }
            // After the message, which the loop reads when its check has ended because of this.
            if by_runtime {
                running_checks.announce(instance, change, now);
            }
        }
    }
}

async fn pass_on(store: &Store, engine: &Engine, backoff: &mut Backoff, id: InstanceId, death: Option<Reason>) -> Result<()> {
    let Some(instance) = store.instance(id).await? else { return Ok(()) };
    if instance.state == InstanceState::Running {
        let Some(health_check) = instance.health_check_orchestration_id else { return Ok(()) };
        let interval = Duration::from_secs(u64::from(instance.spec.health_check.interval_seconds.unsigned_abs()));
        // Deaths are always passed on: the host has observed them.
        if death.is_none() && !backoff.permits(id, interval, Instant::now()) {
            return Ok(());
        }
        let payload = death.and_then(|death| serde_json::to_string(&death).ok()).unwrap_or_default();
        return engine.nudge(&health_check, &payload).await;
    }
    let filter = OperationFilter { instance: Some(id), kinds: None, statuses: Some(vec![OperationStatus::Running]) };
    for operation in store.operations(&filter, &PageRequest::first(2)).await?.items {
        engine.nudge_operation(&operation.id, operation.run).await?;
    }
    Ok(())
}
