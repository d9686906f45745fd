//! UpdateMetadata: writes the end of an operation and the state of its instance, guarded by the store.

use serde::{Deserialize, Serialize};
use toygres_domain::{Error, instance::InstanceState};
use toygres_store::{Outcome, Work};

use crate::{
    Engine, Failure,
    activity::{Activity, ActivityContext, Run},
    health_check::HealthCheckLoop,
};

/// See the module.
pub struct UpdateMetadata;

/// What to write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// By which run.
    pub run: Run,
    /// How the operation ended.
    pub outcome: Outcome,
}

/// What has to follow.
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
            // A cancellation that came first must lead to the clean-up, not to a silent end.
            Err(Error::Superseded) => {
                context.wanted(&run).await?;
                return Err(Failure::Superseded);
            }
            other => other?,
        };
        // The monitor polls, so a lost message costs only time.
        nudge(&context.engine, &run.operation.monitor_id()).await;
        let Some(workflow) = instance.health_check_orchestration_id.filter(|_| instance.state == InstanceState::Running) else {
            return Ok(UpdateOutcome::default());
        };
        if operation.former_state == Some(InstanceState::Running) {
            // Its health check paused while the instance was changed. It continues by itself soon, should the message be lost.
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
