//! GenerateConnectionString: how clients connect, proven by logging in once.

use std::time::Duration;

use duroxide::ActivityContext;
use serde::{Deserialize, Serialize};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, ReasonCode},
    operation::StepName,
    runtime::Observation,
};
use toygres_postgres as probe;
use toygres_postgres::Target;

use super::{World, guarded};
use crate::step::{Failure, Run};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::generate-connection-string";

/// Where the runtime says the instance listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// Of which run.
    pub run: Run,
    /// Where it listens.
    pub endpoint: Endpoint,
}

/// Refusals in a row that are taken for final.
const REFUSALS: u32 = 3;

/// The activity; the string has no password in it. `None` when the runtime has the instance elsewhere by now, or no more:
/// then its status is the question again.
///
/// # Errors
/// That logging in does not work (yet), or that the run is no longer wanted.
pub async fn generate_connection_string(world: World, _: ActivityContext, Input { run, endpoint }: Input) -> Result<Option<String>, Failure> {
    let name = StepName::GenerateConnectionString;
    let work = world.wanted(&run).await?;
    world.store.begin_step(&run.operation, run.run, name).await?;
    let outcome = guarded(async {
        let internal_endpoint = world.runtime.internal_endpoint(&work.instance.name, &work.instance.spec.exposure, &endpoint);
        let target = Target::new(internal_endpoint, &work.instance.spec, world.store.password(work.instance.id).await?);
        log_in(&world, work.instance.id, &target).await
    })
    .await;
    match outcome {
        Ok(()) => {
            world.store.finish_step(&run.operation, run.run, name).await?;
            Ok(Some(probe::connection_string(&endpoint, &work.instance.spec)))
        }
        Err(failure) => {
            world.note_failure(&run, name, &failure).await?;
            let still_there = || async { matches!(world.runtime.observe(work.instance.id).await, Ok(Observation::Ready(now)) if now == endpoint) };
            if matches!(failure, Failure::Retry(_)) && !still_there().await { Ok(None) } else { Err(failure) }
        }
    }
}

/// A server that cannot be reached or is not up yet may be soon (a name takes minutes to resolve); one that answers and
/// refuses will go on refusing.
async fn log_in(world: &World, id: InstanceId, target: &Target) -> Result<(), Failure> {
    let mut refusals = 0;
    loop {
        // The first health check finds the connection that is kept of it.
        let Err(symptom) = world.prober.log_in(id, target, Duration::from_secs(10)).await else { return Ok(()) };
        let refused = matches!(symptom.code, ReasonCode::AuthenticationFailed | ReasonCode::QueryFailed | ReasonCode::ReadOnly);
        if !refused {
            return Err(Failure::Retry(symptom));
        }
        refusals += 1;
        if refusals == REFUSALS {
            return Err(Failure::Failed(symptom));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
