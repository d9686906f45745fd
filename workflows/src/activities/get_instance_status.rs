//! GetInstanceStatus: observes whether the instance is ready, and records what it waits for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Reason, ReasonCode},
    operation::{OperationKind, StepName},
    runtime::Observation,
};
use toygres_store::Work;

use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run, catch_panic},
    operations::does_not_start,
};

/// The activity.
pub struct GetInstanceStatus;

const POLL_INTERVAL: Duration = Duration::from_millis(40);

/// The status of the instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The instance is not ready yet.
    Pending,
    /// The instance accepts connections at this endpoint.
    Ready(Endpoint),
    /// The deployment was removed externally: it must be repeated.
    Vanished,
}

impl Activity for GetInstanceStatus {
    const NAME: &'static str = "toygres-workflows::activity::get-instance-status";
    type Input = Run;
    type Output = Status;

    async fn run(context: ActivityContext, run: Run) -> Result<Status, Failure> {
        let work = context.wanted(&run).await?;
        let outcome = catch_panic(poll(&context, work.instance.id)).await;
        let (status, waits_for) = match outcome {
            Ok(Observation::Ready(endpoint)) => {
                context.store.finish_step(&run.operation, run.run, StepName::GetInstanceStatus).await?;
                return Ok(Status::Ready(endpoint));
            }
            Ok(Observation::Pending(reason)) if waited_long_enough(&context, &work, &reason) => {
                context.store.fail_step(&run.operation, run.run, StepName::GetInstanceStatus, &reason).await?;
                return Err(Failure::Failed(reason));
            }
            Ok(Observation::Pending(reason)) if !does_not_start(&work, &reason) => (Status::Pending, reason),
            Ok(Observation::Absent) => (
                Status::Vanished,
                Reason::new(ReasonCode::Internal, format!("what was deployed has vanished from {}; deploying it again", context.runtime.name())),
            ),
            Ok(Observation::Failed(reason) | Observation::Pending(reason)) => {
                context.store.fail_step(&run.operation, run.run, StepName::GetInstanceStatus, &reason).await?;
                // The reason is visible immediately, not only after the clean-up.
                context.store.note_waiting(&run.operation, run.run, &reason).await?;
                return Err(Failure::Failed(reason));
            }
            Err(failure) => {
                context.note_failure(&run, StepName::GetInstanceStatus, &failure).await?;
                return Err(failure);
            }
        };
        context.note_waiting(&run, StepName::GetInstanceStatus, &waits_for).await?;
        Ok(status)
    }
}

/// Whether an instance that ran before does not wait any longer for room: an operation that makes it larger is then rolled back, so that it
/// runs again.
fn waited_long_enough(context: &ActivityContext, work: &Work, reason: &Reason) -> bool {
    let waits_for_room = matches!(reason.code, ReasonCode::Unschedulable | ReasonCode::QuotaExceeded);
    let since = work.operation.step(StepName::GetInstanceStatus).and_then(|step| step.started_at);
    work.operation.kind() == OperationKind::Resize
        && waits_for_room
        && since.is_some_and(|since| context.store.now() > since + context.timing.unschedulable)
}

/// Polls until the instance is ready or has failed, or the time limit of a poll has passed.
pub(crate) async fn poll(context: &ActivityContext, id: InstanceId) -> Result<Observation, Failure> {
    let until = Instant::now() + context.timing.long_poll;
    loop {
        let seen = context.verb(context.runtime.observe(id)).await?;
        if matches!(seen, Observation::Ready(_) | Observation::Failed(_)) || Instant::now() >= until {
            return Ok(seen);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
