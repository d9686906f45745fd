//! The registries of this crate, to be merged with those of others (duroxide's cross-crate registry pattern).
//!
//! A workflow continues under the version it began with, so a change to the order of its steps is a new version next to the old:
//!
//! 1. One release registers it below the old one, and still starts the old. A server of an earlier release would abandon what it
//!    does not know and count it towards poison, so no version may be started before every server has it.
//! 2. The next release starts it. Mind that `continue_as_new` follows this too: an endless workflow (HealthCheck,
//!    MonitorOperation) changes its version in the middle of its life, and the new version must read the old one's state.
//! 3. The old one goes when no execution of it is left.

use duroxide::{
    OrchestrationContext, OrchestrationRegistry,
    runtime::registry::{ActivityRegistry, ActivityRegistryBuilder, OrchestrationRegistryBuilder, VersionPolicy},
};
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;

use crate::{
    Timing,
    activities::{DeletePostgres, DeployPostgres, GenerateConnectionString, GetInstanceStatus, HealthCheck, UpdateHealth, UpdateMetadata},
    activity::{ActivityContext, Register as _},
    engine::SettleOperation,
    health_check, monitor_operation, operations,
};

/// Adds the workflows of this crate, every version of each, the oldest first.
///
/// # Errors
/// That a version is none.
pub fn orchestrations(builder: OrchestrationRegistryBuilder, timing: Timing) -> Result<OrchestrationRegistryBuilder, String> {
    let builder = operations::register(builder, timing)
        .register_versioned(health_check::NAME, health_check::VERSION, workflow(timing, health_check::health_check))
        .register_versioned(monitor_operation::NAME, monitor_operation::VERSION, workflow(timing, monitor_operation::monitor_operation));
    let builder = start_with(builder, operations::CURRENT)?;
    start_with(builder, &[(health_check::NAME, health_check::VERSION), (monitor_operation::NAME, monitor_operation::VERSION)])
}

/// Names the versions that are started from now on.
///
/// # Errors
/// That `current` names what is no version.
pub fn start_with(mut builder: OrchestrationRegistryBuilder, current: &[(&str, &str)]) -> Result<OrchestrationRegistryBuilder, String> {
    for (name, version) in current {
        let version = version.parse().map_err(|error| format!("{name}: '{version}' is no version: {error}"))?;
        builder = builder.set_policy(*name, VersionPolicy::Exact(version));
    }
    Ok(builder)
}

/// Makes an engine's workflow of a function. (The engine's own `register_typed` overwrites a name that is there already.)
pub(crate) fn workflow<In, Fut>(
    timing: Timing,
    run: impl Fn(OrchestrationContext, In, Timing) -> Fut + Send + Sync + 'static,
) -> impl Fn(OrchestrationContext, String) -> BoxFuture<'static, Result<String, String>> + Send + Sync + 'static
where
    In: DeserializeOwned,
    Fut: Future<Output = Result<String, String>> + Send + 'static,
{
    move |ctx, input| match serde_json::from_str(&input) {
        Ok(input) => run(ctx, input, timing).boxed(),
        Err(error) => std::future::ready(Err(error.to_string())).boxed(),
    }
}

/// Adds the activities of this crate.
#[must_use]
pub fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
    let builder = builder
        .activity::<DeployPostgres>(context)
        .activity::<DeletePostgres>(context)
        .activity::<GetInstanceStatus>(context)
        .activity::<GenerateConnectionString>(context)
        .activity::<HealthCheck>(context)
        .activity::<UpdateMetadata>(context)
        .activity::<UpdateHealth>(context)
        .activity::<SettleOperation>(context);
    operations::activities(builder, context)
}

/// Everything this server runs. `build_result` and not `build`, which hides a name that was registered twice.
///
/// # Errors
/// What is registered twice, or has a version that is none.
pub fn all(context: &ActivityContext) -> Result<(ActivityRegistry, OrchestrationRegistry), String> {
    let orchestrations = orchestrations(OrchestrationRegistry::builder(), context.timing)?.build_result()?;
    Ok((activities(ActivityRegistry::builder(), context).build_result()?, orchestrations))
}
