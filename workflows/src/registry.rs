//! The registries of this crate, to be merged with those of others (duroxide's cross-crate registry pattern).

use duroxide::{
    OrchestrationContext, OrchestrationRegistry,
    runtime::registry::{ActivityRegistry, ActivityRegistryBuilder, OrchestrationRegistryBuilder, VersionPolicy},
};
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;

use crate::{
    activities::{World, activity, delete_postgres, deploy_postgres, generate_connection_string, get_instance_status, health_check, update_metadata},
    create_instance, delete_instance, health_check as health_check_loop, monitor_operation,
    step::Pace,
};

/// The version of each workflow that is started. A workflow goes on under the version it began with, so a change to the
/// order of its steps is a new version beside the old:
///
/// 1. One release registers it in [`orchestrations`], below the old one, and leaves this table alone. A server of an earlier
///    release would abandon what it does not know and count it towards poison, so no version may be started before every
///    server has it.
/// 2. The next release names it here. Mind that `continue_as_new` follows this table too: an endless workflow (HealthCheck,
///    MonitorOperation) changes its version in the middle of its life, and the new version must read the old one's state.
/// 3. The old one goes when no execution of it is left.
///
/// (1.1.0 of the health check took the first two steps at once: no release had been made.)
///
/// Inputs and outputs of activities have no version: old workflows and new activities meet, so their fields may only be added
/// to, with defaults.
pub const CURRENT: &[(&str, &str)] =
    &[(create_instance::NAME, "1.0.0"), (delete_instance::NAME, "1.0.0"), (health_check_loop::NAME, "1.1.0"), (monitor_operation::NAME, "1.0.0")];

/// Adds the workflows of this crate, every version of each, the oldest first.
///
/// # Errors
/// That [`CURRENT`] names what is no version.
pub fn orchestrations(mut builder: OrchestrationRegistryBuilder, pace: Pace) -> Result<OrchestrationRegistryBuilder, String> {
    builder = builder
        .register_versioned(create_instance::NAME, "1.0.0", workflow(pace, create_instance::create_instance))
        .register_versioned(delete_instance::NAME, "1.0.0", workflow(pace, delete_instance::delete_instance))
        .register_versioned(health_check_loop::NAME, "1.0.0", workflow(pace, health_check_loop::health_check_1_0))
        .register_versioned(health_check_loop::NAME, "1.1.0", workflow(pace, health_check_loop::health_check))
        .register_versioned(monitor_operation::NAME, "1.0.0", workflow(pace, monitor_operation::monitor_operation));
    start_with(builder, CURRENT)
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
fn workflow<In, Fut>(
    pace: Pace,
    run: impl Fn(OrchestrationContext, In, Pace) -> Fut + Send + Sync + 'static,
) -> impl Fn(OrchestrationContext, String) -> BoxFuture<'static, Result<String, String>> + Send + Sync + 'static
where
    In: DeserializeOwned,
    Fut: Future<Output = Result<String, String>> + Send + 'static,
{
    move |ctx, input| match serde_json::from_str(&input) {
        Ok(input) => run(ctx, input, pace).boxed(),
        Err(error) => std::future::ready(Err(error.to_string())).boxed(),
    }
}

/// Adds the activities of this crate, at work in `world`.
#[must_use]
pub fn activities(builder: ActivityRegistryBuilder, world: &World) -> ActivityRegistryBuilder {
    builder
        .register(deploy_postgres::NAME, activity(world, deploy_postgres::deploy_postgres))
        .register(delete_postgres::NAME, activity(world, delete_postgres::delete_postgres))
        .register(get_instance_status::NAME, activity(world, get_instance_status::get_instance_status))
        .register(generate_connection_string::NAME, activity(world, generate_connection_string::generate_connection_string))
        .register(health_check::NAME, activity(world, health_check::health_check))
        .register(update_metadata::NAME, activity(world, update_metadata::update_metadata))
}

/// Everything this server runs. `build_result` and not `build`, which hides a name that was registered twice.
///
/// # Errors
/// What is registered twice, or has a version that is none.
pub fn all(world: &World) -> Result<(ActivityRegistry, OrchestrationRegistry), String> {
    let orchestrations = orchestrations(OrchestrationRegistry::builder(), world.pace)?.build_result()?;
    Ok((activities(ActivityRegistry::builder(), world).build_result()?, orchestrations))
}
