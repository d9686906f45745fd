//! GenerateConnectionString: how clients connect, proven by logging in once.

use std::time::Duration;

use duroxide::ActivityContext;
use serde::{Deserialize, Serialize};
use toygres_domain::{
    instance::Endpoint,
    operation::StepName,
    probe::{self, Target},
};

use super::World;
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

/// The activity; the string has no password in it.
///
/// # Errors
/// That logging in does not work yet, or that the run is no longer wanted.
pub async fn generate_connection_string(world: World, _: ActivityContext, Input { run, endpoint }: Input) -> Result<String, Failure> {
    let work = world.wanted(&run).await?;
    let connect = async {
        let target = Target::new(endpoint.clone(), &work.instance.spec, world.store.password(work.instance.id).await?);
        probe::check(&target, Duration::from_secs(10)).await.map_err(Failure::Retry)?;
        Ok(probe::connection_string(&endpoint, &work.instance.spec))
    };
    world.as_step(&run, StepName::GenerateConnectionString, connect).await
}
