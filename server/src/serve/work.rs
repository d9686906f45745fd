//! The working half of a server: migrations, the engine, and what runs beside it.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use toygres_domain::{Error, Result, runtime::Runtime};
use toygres_store::Store;
use toygres_store::changes::Changes;
use toygres_workflows::{Engine, activities::World, dispatcher, gauges, janitor, nudges, sweeper};

use crate::{
    app::Health,
    config::{Access, Role, RuntimeKind, ServeConfig},
};

/// Runs until `shutdown`; a database that is away is waited for.
pub(super) async fn run(
    config: ServeConfig,
    engine_url: String,
    runtime: Arc<dyn Runtime>,
    store: Store,
    changes: Changes,
    health: Health,
    shutdown: CancellationToken,
) -> std::result::Result<(), String> {
    let world = World { store: store.clone(), runtime, prober: config.prober(), pace: config.pace(), shutdown: shutdown.clone() };
    let engine = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        engine = start(&config, engine_url, store.clone()) => engine?,
    };
    let Some(engine) = engine else {
        health.set_working();
        shutdown.cancelled().await;
        return Ok(());
    };
    let worker = engine.work(&world, config.engine_options()).await.map_err(|error| error.to_string())?;
    let mut beside = JoinSet::new();
    beside.spawn(dispatcher::run(store.clone(), engine.clone(), changes, shutdown.clone()));
    beside.spawn(sweeper::run(world.clone(), engine.clone()));
    beside.spawn(nudges::run(world, engine.clone()));
    beside.spawn(janitor::run(store.clone(), engine.clone(), config.retention(), shutdown.clone()));
    beside.spawn(gauges::run(store, engine, config.retention(), shutdown.clone()));
    health.set_working();
    let outcome = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        Some(Err(panic)) = beside.join_next() => Err(format!("a background task broke: {panic}")),
    };
    worker.stop(Duration::from_secs(3)).await;
    outcome
}

/// Migrates, checks what only the database knows, and connects to the engine if this server works.
async fn start(config: &ServeConfig, engine_url: String, store: Store) -> std::result::Result<Option<Engine>, String> {
    let migrate = {
        let store = store.clone();
        move || {
            let store = store.clone();
            async move {
                store.migrate().await?;
                // Better refused now than found out by the first workflow that needs a password.
                store.check_keys().await
            }
            .boxed()
        }
    };
    patiently("the metadata database", migrate).await?;
    if config.access == Access::Tokens && !config.listen.ip().is_loopback() {
        let ask = || {
            let store = store.clone();
            async move { store.has_valid_token().await }.boxed()
        };
        if !patiently("the metadata database", ask).await? {
            let why = nobody_could_come_in(config);
            // In a cluster the first token is made inside the pod, so the pod has to be there.
            if config.runtime != RuntimeKind::Kubernetes {
                return Err(why);
            }
            tracing::warn!("{why}");
        }
    }
    if config.role == Role::Api {
        return Ok(None);
    }
    let connect = move || {
        let (engine_url, store) = (engine_url.clone(), store.clone());
        async move { Engine::connect(&engine_url, &store).await }.boxed()
    };
    patiently("the workflow engine's database", connect).await.map(Some)
}

/// A server that is reachable from elsewhere but lets nobody in is a mistake of the installation, seen best at its start.
fn nobody_could_come_in(config: &ServeConfig) -> String {
    let remedy = match (config.runtime, &config.database_url) {
        (RuntimeKind::Kubernetes, _) => "run `toygres token create --local --name me --role admin` in this pod",
        (RuntimeKind::Process, Some(_)) => "run `toygres token create --local --name me --role admin` with the same DATABASE_URL, then start again",
        (RuntimeKind::Process, None) => {
            "start with TOYGRES_LISTEN=127.0.0.1:8080, run `toygres token create --local --name me --role admin` on this machine, then start again"
        }
    };
    format!("TOYGRES_ACCESS is tokens and TOYGRES_LISTEN is {}, but there is no valid token, so nobody could come in: {remedy}", config.listen)
}

/// Repeats `attempt` while its database is away, and says so, less and less often.
async fn patiently<T>(what: &str, mut attempt: impl FnMut() -> BoxFuture<'static, Result<T>>) -> std::result::Result<T, String> {
    let mut pause = Duration::from_millis(200);
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Error::Unavailable(cause)) => {
                tracing::warn!("{what} does not answer ({cause}); trying again in {} ms", pause.as_millis());
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            Err(Error::Internal(cause)) => return Err(format!("{what} cannot be used: {cause}")),
            Err(other) => return Err(format!("{what} cannot be used: {other}")),
        }
    }
}
