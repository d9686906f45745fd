//! The composition root: puts the parts together, starts them in order, and stops them in reverse.

mod backend;
mod descriptors;
mod logging;
mod signals;
mod tasks;
mod work;

use std::{net::SocketAddr, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use toygres_backup::StoreConfig;
use toygres_cli::TokenConfig;
use toygres_domain::{Error, secret::SecretKeys};
use toygres_process::DataDir;
use toygres_store::{Store, changes::Changes};
use toygres_workflows::{Engine, backups::BackupOptions, probing};

use self::{
    backend::{Backend, LocalPostgres},
    tasks::Tasks,
};
use crate::{
    access::{Local, Tokens},
    app::{App, Health, create_api_token::CreateApiToken},
    config::{Access, DatabaseConfig, ListenConfig, Role, RuntimeKind, ServeConfig, size},
    console,
    endpoints::{self, Endpoints},
    graphql, guard,
    live::Hub,
    transport::{self, Authenticate, Certificate, FieldTypes, Proxies, ServeOptions, TransportOptions},
    webhooks::Sender,
};

/// How long a stop waits for requests and background tasks, and again for the database connections.
const GRACE: Duration = Duration::from_secs(5);
/// How long a stop waits for activities in progress.
const ACTIVITY_GRACE: Duration = Duration::from_secs(3);
/// Why a server ends that was asked twice.
const AT_ONCE: &str = "stopped at once; what still runs is taken over by the next start";
/// Connections to the address of `TOYGRES_METRICS_LISTEN`.
const METRICS_CONNECTIONS: usize = 64;

/// Runs the control plane until it is told to stop.
///
/// # Errors
/// One sentence for people, when it cannot start or go on.
pub async fn serve(mut config: ServeConfig) -> Result<(), String> {
    config.check()?;
    logging::start(&config.log)?;
    let monitoring = if config.listen.metrics_listen.is_some() { METRICS_CONNECTIONS } else { 0 };
    // What probes log in with. A server that answers requests only has none.
    let logins = if config.role == Role::Api || config.health.health_look_seconds == 0 { 0 } else { probing::AT_ONCE };
    let shares = descriptors::share(descriptors::Wanted {
        own: size(config.databases.database_connections).saturating_add(monitoring).saturating_add(logins),
        clients: size(config.limits.max_connections),
        probes: size(config.health.probe_connections),
    })?;
    config.health.probe_connections = u32::try_from(shares.probes).unwrap_or(u32::MAX);
    let mut stop = signals::Stop::listen()?;
    let certificate = match (&config.listen.tls_cert, &config.listen.tls_key) {
        (Some(certificate), Some(key)) => Some(Certificate::read(certificate, key)?),
        _ => None,
    };
    // Before anything is started: the most common mistake is a second server on the same port.
    let listener = listen("TOYGRES_LISTEN", config.listen.listen).await?;
    let metrics_listener = match config.listen.metrics_listen {
        Some(address) => Some(listen("TOYGRES_METRICS_LISTEN", address).await?),
        None => None,
    };

    // Before the directory of backups is created.
    let postgres = LocalPostgres::find(&config)?;
    let backups = open_backups(&config)?;
    let mut backend = {
        let mut starting = pin!(Backend::start(&config, postgres, backups.as_ref().map(|(_, options)| options.store.clone())));
        tokio::select! {
            started = &mut starting => started?,
            () = stop.requested() => {
                tracing::info!("stopping as soon as the embedded database has started; another signal stops at once");
                tokio::select! {
                    started = &mut starting => return stop_backend(started?, &mut stop).await,
                    () = stop.insisted() => return Err(AT_ONCE.to_owned()),
                }
            }
        }
    };
    let listeners = (listener, metrics_listener, certificate);
    let running = AssertUnwindSafe(run(&config, &mut backend, backups, listeners, shares.clients, &mut stop)).catch_unwind();
    // Local processes are stopped however the server ends; otherwise they would run unsupervised.
    let outcome = running.await.unwrap_or_else(|panic| Err(format!("the server panicked: {}", tasks::message(&*panic))));
    let stopped = stop_backend(backend, &mut stop).await;
    outcome.and(stopped)
}

/// Stops what runs on this machine.
async fn stop_backend(backend: Backend, stop: &mut signals::Stop) -> Result<(), String> {
    tracing::info!("stopping local instances and the embedded database");
    tokio::select! {
        () = backend.stop() => tracing::info!("stopped"),
        () = stop.insisted() => return Err(AT_ONCE.to_owned()),
    }
    Ok(())
}

async fn listen(variable: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("{variable}: cannot listen on {address}: {error}"))
}

async fn run(
    config: &ServeConfig,
    backend: &mut Backend,
    backups: Option<(StoreConfig, BackupOptions)>,
    (listener, metrics_listener, certificate): (TcpListener, Option<TcpListener>, Option<Certificate>),
    connections: usize,
    stop: &mut signals::Stop,
) -> Result<(), String> {
    let (backup_store, backups) = backups.unzip();
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let store = open(&backend.database_url, config.databases.database_connections, backend.secret_key.clone())?;
    let shutdown = CancellationToken::new();
    let metrics = crate::metrics::install()?;
    let changes = Changes::new();
    let hub = Hub::new(store.clone(), changes.clone());
    let health = Health::new(store.clone(), changes.clone());
    let webhooks = Sender::new(config.webhooks.policy()).map_err(|error| explain("webhooks cannot be sent", error))?;
    let app = App {
        store: store.clone(),
        runtime: backend.runtime.clone(),
        hub: hub.clone(),
        health: health.clone(),
        certificates: config.certificates.policy(),
        backups: config.backups.support(backup_store.as_ref(), backups.as_ref().map(|options| options.store.clone())),
        webhooks: webhooks.clone(),
        inspections: Default::default(),
        operation_deadline: config.engine.operation_deadline(),
        health_check: config.health.policy(),
    };

    let mut tasks = Tasks::default();
    tasks.spawn("metrics", crate::metrics::upkeep(metrics.clone(), shutdown.clone()));
    tasks.spawn("listener", changes.clone().run(store.clone(), shutdown.clone()));
    tasks.spawn("hub", hub.run(shutdown.clone()));
    tasks.spawn("runtime health", health.clone().watch_runtime(backend.runtime.clone(), shutdown.clone()));
    let authenticate = authenticate(&mut tasks, config.listen.access, &store, &changes, &shutdown);
    if let Some(certificate) = &certificate {
        tasks.spawn("certificate", certificate.clone().watch(shutdown.clone()));
    }
    // Requests are answered from the first moment, with a clear error while the database does not answer.
    tasks.spawn("http", answer(config.clone(), app, authenticate, metrics.clone(), (listener, certificate, connections), shutdown.clone()));

    if let Some(listener) = metrics_listener {
        tasks.spawn("metrics http", answer_monitoring(config.listen.clone(), (health.clone(), store.clone()), metrics, listener, shutdown.clone()));
    }

    let connecting = work::connect(config.clone(), backend.engine_url.clone(), store.clone(), backend.runtime.clone(), backend.made_key.clone());
    let mut connecting = Box::pin(connecting).fuse();
    let mut ready = Box::pin(announce(health.clone(), format!("{}://{address}{}", config.listen.scheme(), config.listen.base_path.as_str()))).fuse();
    let mut worker = None;
    let outcome = loop {
        tokio::select! {
            () = &mut ready => {}
            () = stop.requested() => break Ok(()),
            failure = tasks.failure() => break Err(failure),
            failure = backend.failure() => break Err(failure),
            connected = &mut connecting => {
                match connected {
                    Err(why) => break Err(why),
                    Ok(None) => {}
                    Ok(Some(engine)) => {
                        let parts = work::Parts { engine, runtime: backend.runtime.clone(), store: store.clone(), backups: backups.clone(), webhooks: webhooks.clone() };
                        let started = work::start(&mut tasks, config, parts, changes.clone(), shutdown.clone()).await;
                        match started {
                            Ok(started) => worker = Some(started),
                            Err(error) => break Err(explain("the workflows cannot be started", error)),
                        }
                    }
                }
                health.set_working();
            }
        }
    };
    health.set_stopping();
    match &outcome {
        Ok(()) => tracing::info!("stopping"),
        Err(why) => tracing::error!("stopping: {why}"),
    }
    shutdown.cancel();
    let stop_worker = async {
        if let Some(worker) = worker {
            worker.stop(ACTIVITY_GRACE).await;
        }
    };
    tokio::join!(tasks.join(GRACE), stop_worker);
    let _ = tokio::time::timeout(GRACE, store.close()).await;
    outcome
}

/// How callers are authenticated, and the task that goes with it.
fn authenticate(tasks: &mut Tasks, access: Access, store: &Store, changes: &Changes, shutdown: &CancellationToken) -> Arc<dyn Authenticate> {
    match access {
        Access::Local => Arc::new(Local),
        Access::Tokens => {
            let tokens = Tokens::new(store.clone());
            tasks.spawn("tokens", tokens.clone().watch(changes.clone(), shutdown.clone()));
            Arc::new(tokens)
        }
    }
}

async fn answer(
    config: ServeConfig,
    app: App,
    authenticate: Arc<dyn Authenticate>,
    metrics: PrometheusHandle,
    (listener, certificate, connections): (TcpListener, Option<Certificate>, usize),
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let restricted = config.listen.access == Access::Tokens;
    let endpoints =
        Endpoints { health: app.health.clone(), store: app.store.clone(), metrics, authenticate: restricted.then(|| Arc::clone(&authenticate)) };
    let query_limits = config.limits.of_queries();
    let options = TransportOptions {
        limits: config.limits.of_transports(),
        types: Arc::new(FieldTypes::of(&graphql::sdl())),
        authenticate,
        on_response: Arc::new(move |response, request| graphql::mask(response, &request.0, query_limits)),
        shutdown: shutdown.clone(),
    };
    let router = endpoints::router(endpoints, config.listen.base_path.clone()).merge(transport::router(graphql::schema(app, query_limits), options));
    // The guard judges by paths, so the base path is removed before it.
    let router = config.listen.base_path.clone().serve(guard::around(router, &config.listen));
    let proxies = Proxies::new(config.listen.proxy_addresses.clone());
    let options = ServeOptions { certificate, proxies, drain: GRACE, ..config.limits.of_connections(connections) };
    transport::serve(listener, router, options, shutdown).await
}

/// Serves what `TOYGRES_METRICS_LISTEN` opens to everybody who reaches that address.
async fn answer_monitoring(
    config: ListenConfig,
    (health, store): (Health, Store),
    metrics: PrometheusHandle,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let router = endpoints::monitoring_router(Endpoints { health, store, metrics, authenticate: None });
    // Other machines are meant to reach an address that is not a loopback address, by whatever name.
    let router = match config.access {
        Access::Local if !listener.local_addr()?.ip().is_loopback() => router,
        _ => guard::around(router, &config),
    };
    let (connections, drain) = (METRICS_CONNECTIONS, GRACE);
    let options = ServeOptions { connections, connections_per_address: connections / 2, drain, ..ServeOptions::default() };
    transport::serve(listener, router, options, shutdown).await
}

/// Opens the store of backups. The default one is left out with a warning if it cannot be made, because a server without it would start.
fn open_backups(config: &ServeConfig) -> Result<Option<(StoreConfig, BackupOptions)>, String> {
    let Some(store) = config.backup_store()? else {
        tracing::warn!("there is no store for backups, so no instance is protected: set TOYGRES_BACKUP_STORE");
        return Ok(None);
    };
    match config.backups.options(&store, config.runtime == RuntimeKind::Process) {
        Ok(options) => Ok(Some((store, options))),
        Err(why) if config.backups.backup_store.is_none() => {
            tracing::warn!("{why}; no instance is protected: set TOYGRES_BACKUP_STORE");
            Ok(None)
        }
        Err(why) => Err(why),
    }
}

/// Opens the metadata database.
fn open(url: &str, connections: u32, keys: SecretKeys) -> Result<Store, String> {
    Store::open(url, connections, keys).map_err(|error| match error {
        // The store knows no environment variable.
        Error::User(errors) => errors.iter().map(|error| format!("DATABASE_URL {}", error.message)).collect::<Vec<_>>().join("; "),
        other => other.to_string(),
    })
}

/// The one line that says that everything is up, and where.
async fn announce(health: Health, origin: String) {
    while !health.report().await.ready() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let line = format!("toygres is ready: playground {origin}/ - GraphQL {origin}/graphql - stop with Ctrl-C");
    if let Err(error) = console::write_line(&line) {
        tracing::warn!("{line} (stdout: {error})");
    }
}

/// Brings the schemas of an external database up to date.
///
/// # Errors
/// One sentence for people.
pub async fn migrate(config: DatabaseConfig) -> Result<(), String> {
    // No secret is read or written here, so any key will do.
    let store = open(&config.database_url, 2, SecretKeys::generate())?;
    migrate_metadata(&store, config.share_database).await?;
    let url = config.engine_database_url.as_deref().unwrap_or(&config.database_url);
    Engine::connect(url, &store).await.map_err(|error| explain("the workflow engine's schema could not be brought up to date", error))?;
    console::print_line("the metadata and workflow schemas are up to date")
}

async fn migrate_metadata(store: &Store, share_database: bool) -> Result<(), String> {
    let cannot = |error| explain("the metadata schema could not be brought up to date", error);
    match store.foreign_table().await.map_err(cannot)? {
        Some(table) if !share_database => Err(work::shared_database(&table)),
        _ => store.migrate().await.map_err(cannot),
    }
}

/// Creates an API token and prints its secret, alone on stdout.
///
/// # Errors
/// One sentence for people.
pub async fn token(config: TokenConfig) -> Result<(), String> {
    let external = config.database_url.is_some();
    let url = match config.database_url {
        Some(url) => url,
        None => {
            let file = config.data_dir.unwrap_or_else(DataDir::default_path).join("metadata.url");
            std::fs::read_to_string(&file).map_err(|error| {
                format!("no metadata database: {} cannot be read ({error}); start the server first, or set DATABASE_URL", file.display())
            })?
        }
    };
    let store = open(url.trim(), 1, SecretKeys::generate())?;
    if external {
        // The first token comes before the first server, which may refuse to start without one.
        migrate_metadata(&store, false).await?;
    }
    let TokenConfig { name, role, expires_in_days, never_expires, .. } = config;
    let created = CreateApiToken { name, role, expires_in_days, never_expires }.create(&store).await;
    let (token, secret) = created.map_err(|error| match error {
        Error::Unavailable(cause) | Error::Internal(cause) => format!("the token could not be created: {cause}"),
        other => other.to_string(),
    })?;
    let expires = token.expires_at.map_or_else(|| "does not expire".to_owned(), |at| format!("expires on {}", at.format("%Y-%m-%d")));
    console::report(&format!("token {} ({}, {}, {expires}); this is the only time that its secret is shown:", token.id, token.name, token.role));
    console::print_line(secret.expose())
}

fn explain(what: &str, error: Error) -> String {
    match error {
        Error::Unavailable(cause) | Error::Internal(cause) => format!("{what}: {cause}"),
        other => format!("{what}: {other}"),
    }
}
