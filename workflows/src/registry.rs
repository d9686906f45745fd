//! The registries of this crate, to be merged with those of others (duroxide's cross-crate registry pattern).
//!
//! A workflow continues with the version that it started with, so a change to the order of its steps requires a new version:
//!
//! 1. One release registers the new version after the old one, and still starts the old one. A server of an earlier release would
//!    abandon workflows of an unknown version, which counts as a failed attempt until they are poisoned, so no version may be
//!    started before every server has it.
//! 2. The next release starts the new version. This includes `continue_as_new`: an endless workflow (HealthCheck, MonitorOperation)
//!    then changes its version, so the new version must be able to read the state of the old one.
//! 3. The old version is removed when no execution of it is left.

use duroxide::{
    OrchestrationContext, OrchestrationRegistry,
    runtime::registry::{ActivityRegistry, ActivityRegistryBuilder, OrchestrationRegistryBuilder, VersionPolicy},
};
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;

use crate::{
    Timing,
    activities::{
        DeletePostgres, DeployPostgres, GenerateConnectionString, GetInstanceStatus, HealthCheck, StartPostgres, StopPostgres, UpdateHealth,
        UpdateMetadata,
    },
    activity::{ActivityContext, Register as _},
    engine::SettleOperation,
    health_check, monitor_operation, operations,
};

/// Adds the workflows of this crate, every version of each, the oldest first.
///
/// # Errors
/// When a version is invalid.
pub fn orchestrations(builder: OrchestrationRegistryBuilder, timing: Timing) -> Result<OrchestrationRegistryBuilder, String> {
    let builder = operations::register(builder, timing)
        .register_versioned(health_check::NAME, health_check::VERSION, workflow(timing, health_check::health_check))
        .register_versioned(monitor_operation::NAME, monitor_operation::VERSION, workflow(timing, monitor_operation::monitor_operation));
    let builder = start_with(builder, operations::CURRENT)?;
    start_with(builder, &[(health_check::NAME, health_check::VERSION), (monitor_operation::NAME, monitor_operation::VERSION)])
}

/// Sets the versions that are started.
///
/// # Errors
/// When `current` contains an invalid version.
pub fn start_with(mut builder: OrchestrationRegistryBuilder, current: &[(&str, &str)]) -> Result<OrchestrationRegistryBuilder, String> {
    for (name, version) in current {
        let version = version.parse().map_err(|error| format!("{name}: '{version}' is no version: {error}"))?;
        builder = builder.set_policy(*name, VersionPolicy::Exact(version));
    }
    Ok(builder)
}

/// Wraps a function as a workflow of the engine. (The engine's `register_typed` overwrites an existing name.)
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
        .activity::<StartPostgres>(context)
        .activity::<StopPostgres>(context)
        .activity::<UpdateMetadata>(context)
        .activity::<UpdateHealth>(context)
        .activity::<SettleOperation>(context);
    operations::activities(builder, context)
}

/// Everything this server runs. `build_result` and not `build`, which hides a name that was registered twice.
///
/// # Errors
/// When a name is registered twice, or a version is invalid.
pub fn all(context: &ActivityContext) -> Result<(ActivityRegistry, OrchestrationRegistry), String> {
    let orchestrations = orchestrations(OrchestrationRegistry::builder(), context.timing)?.build_result()?;
    Ok((activities(ActivityRegistry::builder(), context).build_result()?, orchestrations))
}
