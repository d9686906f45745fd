//! GetInstanceStatus: asks the runtime whether the instance is ready, and shows what it waits for.

use std::time::Duration;

use duroxide::ActivityContext;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use toygres_domain::{
    instance::{Endpoint, Reason, ReasonCode},
    operation::StepName,
    runtime::Observation,
};

use super::World;
use crate::step::{Failure, Run};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::get-instance-status";

/// Looking again within the activity is much cheaper than a turn of the engine, so a short wait happens here.
const PATIENCE: Duration = Duration::from_millis(1500);
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// What the workflow needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not yet.
    Pending,
    /// It accepts connections here.
    Ready(Endpoint),
}

/// The activity.
///
/// # Errors
/// That it cannot come up, or that the run is no longer wanted.
pub async fn get_instance_status(world: World, _: ActivityContext, run: Run) -> Result<Status, Failure> {
    let work = world.wanted(&run).await?;
    let patience = Instant::now() + PATIENCE;
    loop {
        let waits_for = match world.runtime.observe(work.instance.id).await? {
            Observation::Ready(endpoint) => {
                world.store.finish_step(&run.operation, run.run, StepName::GetInstanceStatus).await?;
                return Ok(Status::Ready(endpoint));
            }
            Observation::Failed(reason) => {
                world.store.note_step(&run.operation, run.run, StepName::GetInstanceStatus, Some(&reason)).await?;
                return Err(Failure::Failed(reason));
            }
            Observation::Absent => Reason::new(ReasonCode::Internal, "the deployment has vanished"),
            Observation::Pending(reason) => reason,
        };
        if Instant::now() >= patience {
            world.store.note_step(&run.operation, run.run, StepName::GetInstanceStatus, Some(&waits_for)).await?;
            world.store.note_waiting(&run.operation, run.run, &waits_for).await?;
            // Something removed what was deployed: the step before has to be done again, which the next run does.
            return if waits_for.message == "the deployment has vanished" { Err(Failure::Failed(waits_for)) } else { Ok(Status::Pending) };
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
