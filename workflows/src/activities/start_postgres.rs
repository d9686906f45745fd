//! StartPostgres: has the server of a suspended instance started, to resume it, or to revert a suspension that failed.

use serde::{Deserialize, Serialize};
use toygres_domain::{
    operation::StepName,
    runtime::{Deployment, Progress},
};

use super::{
    delete_postgres::in_time,
    deploy_postgres::{deployment, target},
};
use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run},
};

/// The activity. What is deployed has a certificate that is valid, whatever became of the last one meanwhile.
pub struct StartPostgres;

/// The input of the activity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    /// The run that starts the server.
    pub run: Run,
    /// Whether this reverts a failure, for which there is time after the deadline of the operation.
    pub revert: bool,
}

impl Activity for StartPostgres {
    const NAME: &'static str = "toygres-workflows::activity::start-postgres";
    type Input = Input;
    type Output = ();

    async fn run(context: ActivityContext, Input { run, revert }: Input) -> Result<(), Failure> {
        let current = async || if revert { Ok(context.store.work(&run.operation, run.run).await?) } else { context.wanted(&run).await };
        let work = current().await?;
        let start = async {
            let _lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: after a later operation has taken over, nothing may be started.
            let instance = target(current().await?);
            let data = context.store.data(&instance).await?;
            let deployment = Deployment { suspended: false, ..deployment(&context, instance, data).await? };
            context.verb(context.runtime.deploy(&deployment)).await
        };
        // From here on a resumption can no longer be cancelled.
        let outcome = context.as_step(&run, StepName::StartPostgres, start).await;
        if revert { in_time(&context, &work, outcome.map(|()| Progress::Done)).map(drop) } else { outcome }
    }
}
