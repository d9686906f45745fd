//! The health-check scheduler: every running instance has exactly one live HealthCheck. Looks at start and every minute.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use toygres_domain::{Error, Result, store::Store};

use crate::{Engine, health_check::HealthCheckLoop};

const PERIOD: Duration = Duration::from_secs(60);

/// Runs until `shutdown`.
pub async fn run(store: Store, engine: Engine, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match schedule(&store, &engine).await {
            Ok(0) => {}
            Ok(started) => tracing::info!(started, "health checks were missing and have been started"),
            Err(error) => tracing::warn!(%error, "health checks could not be looked after"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// One look; returns how many loops had to be started.
///
/// # Errors
/// [`Error::Unavailable`] when a database is away.
pub async fn schedule(store: &Store, engine: &Engine) -> Result<usize> {
    let mut started = 0;
    for running in store.running_instances().await? {
        if let Some(workflow) = &running.health_check
            && engine.runs(workflow).await?
        {
            continue;
        }
        // A new id each time: the engine ignores a start under an id that it has seen end. The old loop, should it live
        // after all, ends when it sees that the row names another.
        let workflow = match store.next_health_check(running.id, running.health_check.as_deref()).await {
            Ok(workflow) => workflow,
            Err(Error::Superseded) => continue,
            Err(error) => return Err(error),
        };
        engine.start_health_check(&HealthCheckLoop::new(running.id, workflow)).await?;
        started += 1;
    }
    Ok(started)
}
