//! The registries of this crate, to be merged with those of others (duroxide's cross-crate registry pattern).

use duroxide::{
    OrchestrationRegistry,
    runtime::registry::{ActivityRegistry, ActivityRegistryBuilder, OrchestrationRegistryBuilder},
};

use crate::{
    activities::{World, activity, delete_postgres, deploy_postgres, generate_connection_string, get_instance_status, health_check, update_metadata},
    create_instance, delete_instance, health_check as health_check_loop, monitor_operation,
};

/// Adds the workflows of this crate.
#[must_use]
pub fn orchestrations(builder: OrchestrationRegistryBuilder) -> OrchestrationRegistryBuilder {
    builder
        .register_typed(create_instance::NAME, create_instance::create_instance)
        .register_typed(delete_instance::NAME, delete_instance::delete_instance)
        .register(health_check_loop::NAME, |ctx, input: String| async move {
            let state = serde_json::from_str(&input).map_err(|error| error.to_string())?;
            health_check_loop::health_check(ctx, state).await
        })
        .register(monitor_operation::NAME, |ctx, input: String| async move {
            let state = serde_json::from_str(&input).map_err(|error| error.to_string())?;
            monitor_operation::monitor_operation(ctx, state).await
        })
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
/// The names that were registered twice.
pub fn all(world: &World) -> Result<(ActivityRegistry, OrchestrationRegistry), String> {
    Ok((activities(ActivityRegistry::builder(), world).build_result()?, orchestrations(OrchestrationRegistry::builder()).build_result()?))
}
