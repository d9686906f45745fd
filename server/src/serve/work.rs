//! The working half of a server: migrations, the engine, and its background tasks.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use tokio_util::sync::CancellationToken;
use toygres_domain::{Error, Result, runtime::Runtime};
use toygres_store::{Store, changes::Changes};
use toygres_workflows::{
    ActivityContext, Engine, Probing, RunningChecks, Timing, addresses,
    backups::{self, BackupOptions},
    certificates,
    configuration::SqlProbe,
    dispatcher,
    engine::Worker,
    gauges, heartbeat, janitor, nudges, repairs, sweeper,
};

use super::tasks::Tasks;
use crate::{
    config::{Access, Role, RuntimeKind, ServeConfig},
    webhooks::Sender,
};

/// Migrates, checks what only the database knows, and connects to the engine if this server runs workflows. Waits for a database
/// that does not answer.
pub(super) async fn connect(
    config: ServeConfig,
    engine_url: String,
    store: Store,
    runtime: Arc<dyn Runtime>,
    made_key: Option<PathBuf>,
) -> std::result::Result<Option<Engine>, String> {
    if config.databases.database_url.is_some() && !config.databases.share_database {
        let check = || {
            let store = store.clone();
            async move { store.foreign_table().await }.boxed()
        };
        if let Some(table) = with_retry("the metadata database", check).await? {
            return Err(shared_database(&table));
        }
    }
    let migrate = {
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { store.migrate().await }.boxed()
        }
    };
    with_retry("the metadata database", migrate).await?;
    // Before the first sample. What falls into no partition is not lost, so the janitor can do it later.
    if let Err(error) = store.create_partitions().await {
        tracing::warn!(%error, "partitions could not be created yet");
    }
    // A wrong key is refused here, before the first workflow that needs a password.
    let check_keys = || {
        let store = store.clone();
        async move { store.check_keys().await }.boxed()
    };
    let checked = with_retry("TOYGRES_SECRET_KEY, or the key in the data directory,", check_keys).await;
    if let (Err(why), Some(file)) = (&checked, made_key) {
        // The new key has sealed nothing, and would take the place of the missing one.
        let _ = std::fs::remove_file(&file);
        return Err(format!("{why}: {} is missing, so put it back", file.display()));
    }
    checked?;
    if config.listen.access == Access::Tokens && !config.listen.listen.ip().is_loopback() {
        let check = || {
            let store = store.clone();
            async move { store.has_valid_token().await }.boxed()
        };
        if !with_retry("the metadata database", check).await? {
            let why = no_valid_token(&config);
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
    let claim = || claim(store.clone(), runtime.clone(), config.engine.claim_instances).boxed();
    if let Some(other) = with_retry("the metadata database, or the host of the instances,", claim).await? {
        return Err(format!(
            "DATABASE_URL names a control plane whose instances are in {other}, and this server would run them in {}, where they are not: \
             start it there, with TOYGRES_ROLE=api, or with another DATABASE_URL; if they are lost for good, start with --claim-instances once",
            runtime.host().description
        ));
    }
    let connect = move || {
        let (engine_url, store) = (engine_url.clone(), store.clone());
        async move {
            let engine = Engine::connect(&engine_url, &store).await?;
            // Before the engine runs anything: what was accepted before a downtime is not late.
            heartbeat::first(&store).await?;
            Ok(engine)
        }
        .boxed()
    };
    with_retry("the workflow engine's database", connect).await.map(Some)
}

/// Records where the instances are. Returns the description of another host that has them.
async fn claim(store: Store, runtime: Arc<dyn Runtime>, by_force: bool) -> Result<Option<String>> {
    if !by_force && store.has_instances_of_an_unknown_host().await? {
        let there = runtime.list().await.map_err(|error| Error::Unavailable(error.into()))?;
        if store.known_instances(&there).await?.is_empty() {
            return Ok(Some("another data directory or namespace".to_owned()));
        }
    }
    store.claim_host(&runtime.host(), by_force).await
}

/// What a server works with.
pub(super) struct Parts {
    pub(super) engine: Engine,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) store: Store,
    /// `None` if there is no store for backups.
    pub(super) backups: Option<BackupOptions>,
    /// How messages of webhooks are sent.
    pub(super) webhooks: Sender,
}

/// Runs workflows in this server, and starts the tasks that go with them.
pub(super) async fn start(
    tasks: &mut Tasks,
    config: &ServeConfig,
    Parts { engine, runtime, store, backups: options, webhooks }: Parts,
    changes: Changes,
    shutdown: CancellationToken,
) -> Result<Worker> {
    let (prober, metrics) = (config.health.prober(), config.health.metrics());
    let context = ActivityContext {
        store: store.clone(),
        engine: engine.clone(),
        runtime,
        prober: prober.clone(),
        slow_checks: config.engine.options().slow_checks(),
        probing: config.health.probing(),
        metrics: metrics.clone(),
        running_checks: RunningChecks::default(),
        certificates: config.certificates.policy(),
        suspect_certificates: certificates::SuspectCertificates::default(),
        configuration: Arc::new(SqlProbe),
        timing: Timing { operation: config.engine.operation_deadline(), close_archive: config.backups.close_timeout(), ..config.health.timing() },
        shutdown: shutdown.clone(),
    };
    let worker = engine.work(&context, config.engine.options()).await?;
    tasks.spawn("prober", {
        let shutdown = shutdown.clone();
        async move { prober.run(shutdown).await }
    });
    tasks.spawn("probing", Probing::run(context.clone(), changes.clone()));
    tasks.spawn("metrics", metrics.run(store.clone(), shutdown.clone()));
    tasks.spawn("heartbeat", heartbeat::run(store.clone(), shutdown.clone()));
    tasks.spawn("dispatcher", dispatcher::run(store.clone(), engine.clone(), changes.clone(), shutdown.clone()));
    tasks.spawn("sweeper", sweeper::run(context.clone(), engine.clone()));
    let (suspects, repairs) = repairs::repairs();
    tasks.spawn("repairs", repairs.run(context.clone()));
    if let Some(options) = options {
        tasks.spawn("backups", backups::run(context.clone(), options, changes.clone()));
    }
    tasks.spawn("certificates", certificates::run(context.clone(), changes.clone()));
    tasks.spawn("addresses", addresses::run(context.clone(), changes.clone()));
    tasks.spawn("webhooks", crate::webhooks::run(store.clone(), webhooks, changes.clone(), shutdown.clone()));
    tasks.spawn("nudges", nudges::run(context, engine.clone(), suspects, changes));
    tasks.spawn("janitor", janitor::run(store.clone(), engine.clone(), config.retention.retention(), shutdown.clone()));
    tasks.spawn("gauges", gauges::run(store, engine, config.retention.retention(), shutdown));
    Ok(worker)
}

/// The `DATABASE_URL` of another project must not put our schemas into its database.
pub(super) fn shared_database(table: &str) -> String {
    format!(
        "DATABASE_URL names the database of another program: it holds the table {table} and no schema toygres. Set DATABASE_URL to a database of \
         its own, or set TOYGRES_SHARE_DATABASE=true for `toygres serve` or `toygres migrate`, which then create their schemas in this one"
    )
}

/// A server that can be reached from elsewhere but has no valid token is misconfigured, which is best reported at start.
fn no_valid_token(config: &ServeConfig) -> String {
    let remedy = match (config.runtime, &config.databases.database_url) {
        (RuntimeKind::Kubernetes, _) => "run `toygres token create --local --name me --role admin` in this pod",
        (RuntimeKind::Process, Some(_)) => "run `toygres token create --local --name me --role admin` with the same DATABASE_URL, then start again",
        (RuntimeKind::Process, None) => {
            "start with TOYGRES_LISTEN=127.0.0.1:8080, run `toygres token create --local --name me --role admin` on this machine, then start again"
        }
    };
    format!("TOYGRES_ACCESS is tokens and TOYGRES_LISTEN is {}, but there is no valid token, so nobody could come in: {remedy}", config.listen.listen)
}

/// Repeats `attempt` while its database does not answer, with growing pauses, and logs each failure.
async fn with_retry<T>(what: &str, mut attempt: impl FnMut() -> BoxFuture<'static, Result<T>>) -> std::result::Result<T, String> {
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
