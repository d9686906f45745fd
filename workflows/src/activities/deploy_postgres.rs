//! DeployPostgres: makes the instance in the runtime, or repairs it towards its spec.

use duroxide::ActivityContext;
use toygres_domain::{operation::StepName, runtime::Deployment};

use super::World;
use crate::step::{Failure, Run};

/// The name that the engine knows it by.
pub const NAME: &str = "toygres-workflows::activity::deploy-postgres";

/// The activity.
///
/// # Errors
/// What the runtime answered, or that the run is no longer wanted.
pub async fn deploy_postgres(world: World, _: ActivityContext, run: Run) -> Result<(), Failure> {
    let work = world.wanted(&run).await?;
    let deploy = async {
        let _lock = world.store.lock_instance(work.instance.id).await?;
        // Asked again under the lock: a deletion that came first has removed everything, and nothing may come after it.
        let work = world.wanted(&run).await?;
        let password = world.store.password(work.instance.id).await?;
        let deployment = Deployment { id: work.instance.id, name: work.instance.name, spec: work.instance.spec, password };
        world.verb(world.runtime.deploy(&deployment)).await
    };
    world.as_step(&run, StepName::DeployPostgres, deploy).await
}
