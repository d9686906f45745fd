//! DeployPostgres: creates the instance in the runtime, or repairs it to match its specification.

use toygres_domain::{
    address::Address,
    data::Data,
    instance::{Instance, InstanceSpec, InstanceState},
    operation::StepName,
    runtime::Deployment,
};
use toygres_store::Work;

use crate::{
    Failure,
    activity::{Activity, ActivityContext, Run},
    certificates::certificate,
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
            let data = context.store.data(&work.instance).await?;
            let deployment = deployment(&context, target(work), data).await?;
            context.verb(context.runtime.deploy(&deployment)).await
        };
        context.as_step(&run, StepName::DeployPostgres, deploy).await
    }
}

/// The instance of an operation, with the specification that the operation deploys.
pub(crate) fn target(Work { operation, instance }: Work) -> Instance {
    Instance { spec: operation.target(&instance.spec), ..instance }
}

/// What the runtime needs to deploy an instance as it is: one that is suspended stays stopped. The caller holds the lock of the instance.
pub(crate) async fn deployment(context: &ActivityContext, instance: Instance, data: Data) -> Result<Deployment, Failure> {
    let store = &context.store;
    let credentials = if data.exists() { store.credentials(instance.id).await? } else { store.credentials_to_create(instance.id).await? };
    let certificate = certificate(context, &instance).await?;
    let suspended = instance.state == InstanceState::Suspended;
    let Address { name, exposure } = instance.address();
    let spec = InstanceSpec { exposure, ..instance.spec };
    Ok(Deployment { id: instance.id, name, first_name: instance.first_name, spec, credentials, data, certificate, suspended, closed: false })
}
