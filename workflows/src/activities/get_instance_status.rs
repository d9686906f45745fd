//! GetInstanceStatus: asks the runtime whether the instance is ready, and shows what it waits for.

use std::time::Duration;

use duroxide::ActivityContext;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Reason, ReasonCode},
    operation::StepName,
    runtime::Observation,
};

use super::{World, guarded};
use crate::step::{Failure, Run};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::get-instance-status";

const LOOK_EVERY: Duration = Duration::from_millis(40);

/// What the workflow needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not yet.
    Pending,
    /// It accepts connections here.
    Ready(Endpoint),
    /// Somebody removed what was deployed: it has to be deployed again.
    Vanished,
}

/// The activity.
///
/// # Errors
/// That it cannot come up, or that the run is no longer wanted.
pub async fn get_instance_status(world: World, _: ActivityContext, run: Run) -> Result<Status, Failure> {
    let work = world.wanted(&run).await?;
    let outcome = guarded(look(&world, work.instance.id)).await;
    let (status, waits_for) = match outcome {
        Ok(Observation::Ready(endpoint)) => {
            world.store.finish_step(&run.operation, run.run, StepName::GetInstanceStatus).await?;
            return Ok(Status::Ready(endpoint));
        }
        Ok(Observation::Pending(reason)) => (Status::Pending, reason),
        Ok(Observation::Absent) => (
            Status::Vanished,
            Reason::new(ReasonCode::Internal, format!("what was deployed has vanished from {}; deploying it again", world.runtime.name())),
        ),
        Ok(Observation::Failed(reason)) => {
            world.store.fail_step(&run.operation, run.run, StepName::GetInstanceStatus, &reason).await?;
            // It is told now, not when everything has been cleaned up.
            world.store.note_waiting(&run.operation, run.run, &reason).await?;
            return Err(Failure::Failed(reason));
        }
        Err(failure) => {
            world.note_failure(&run, StepName::GetInstanceStatus, &failure).await?;
            return Err(failure);
        }
    };
    world.note_waiting(&run, StepName::GetInstanceStatus, &waits_for).await?;
    Ok(status)
}

/// Looks until it is more than pending, or for as long as a look may linger.
async fn look(world: &World, id: InstanceId) -> Result<Observation, Failure> {
    let patience = Instant::now() + world.pace.linger;
    loop {
        let seen = world.verb(world.runtime.observe(id)).await?;
        if matches!(seen, Observation::Ready(_) | Observation::Failed(_)) || Instant::now() >= patience {
            return Ok(seen);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
