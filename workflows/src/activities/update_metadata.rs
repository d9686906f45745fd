//! UpdateMetadata: writes the outcome of an operation and the state of its instance, if the store still accepts it.

use serde::{Deserialize, Serialize};
use toygres_domain::{Error, instance::InstanceState};
use toygres_store::{Outcome, Work};

use crate::{
    Engine, Failure,
    activity::{Activity, ActivityContext, Run},
    health_check::HealthCheckLoop,
};

/// The activity.
pub struct UpdateMetadata;

/// The input of the activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The run that writes.
    pub run: Run,
    /// How the operation ended.
    pub outcome: Outcome,
}

/// What the workflow must do next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UpdateOutcome {
    /// The health check that has to be started.
    #[serde(default)]
    pub health_check: Option<HealthCheckLoop>,
}

impl Activity for UpdateMetadata {
    const NAME: &'static str = "toygres-workflows::activity::update-metadata";
    type Input = Input;
    type Output = UpdateOutcome;

    async fn run(context: ActivityContext, Input { run, outcome }: Input) -> Result<UpdateOutcome, Failure> {
        let Work { instance, operation } = match context.store.finish(&run.operation, run.run, &outcome).await {
            // A cancellation that was accepted before must lead to the clean-up.
            Err(Error::Superseded) => {
                context.wanted(&run).await?;
                return Err(Failure::Superseded);
            }
            other => other?,
        };
        // The monitor also polls, so a lost message only delays it.
        nudge(&context.engine, &run.operation.monitor_id()).await;
        let Some(workflow) = instance.health_check_orchestration_id.filter(|_| instance.state == InstanceState::Running) else {
            return Ok(UpdateOutcome::default());
        };
        if operation.former_state == Some(InstanceState::Running) {
            // The health check was paused while the instance was changed. If the message is lost, it continues when its pause ends.
            nudge(&context.engine, &workflow).await;
            return Ok(UpdateOutcome::default());
        }
        Ok(UpdateOutcome { health_check: Some(HealthCheckLoop::new(instance.id, workflow)) })
    }
}

async fn nudge(engine: &Engine, workflow: &str) {
    if let Err(error) = engine.nudge(workflow, "").await {
        tracing::debug!(%error, workflow, "a message was lost");
    }
}
