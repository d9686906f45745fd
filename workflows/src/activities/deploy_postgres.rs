//! DeployPostgres: creates the instance in the runtime, or repairs it to match its specification.

use toygres_domain::{operation::StepName, runtime::Deployment};

use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run},
};

/// The activity.
pub struct DeployPostgres;

impl Activity for DeployPostgres {
    const NAME: &'static str = "toygres-workflows::activity::deploy-postgres";
    type Input = Run;
    type Output = ();

    async fn run(context: ActivityContext, run: Run) -> Result<(), Failure> {
        let work = context.wanted(&run).await?;
        let deploy = async {
            let _lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: if a deletion was faster, it has removed everything, and nothing may be deployed after
            // it.
            let work = context.wanted(&run).await?;
            let password = context.store.password(work.instance.id).await?;
            let deployment = Deployment { id: work.instance.id, name: work.instance.name, spec: work.instance.spec, password };
            context.verb(context.runtime.deploy(&deployment)).await
        };
        context.as_step(&run, StepName::DeployPostgres, deploy).await
    }
}
