//! The composition root: puts the parts together, starts them in order, and stops them in reverse.

mod backend;
mod logging;
mod signals;
mod work;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use toygres_cli::TokenConfig;
use toygres_domain::{Error, secret::SecretKeys};
use toygres_process::DataDir;
use toygres_store::Store;
use toygres_store::changes::Changes;
use toygres_workflows::Engine;

use self::backend::Backend;
use crate::{
    access::{Local, Tokens},
    app::{App, Health},
    config::{Access, DatabaseConfig, ServeConfig},
    endpoints, graphql, guard,
    live::Hub,
    transport::{self, Authenticate, FieldTypes, ServeOptions, TransportOptions},
};

/// How long requests and activities under way are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the control plane until it is told to stop.
///
/// # Errors
/// One sentence for people, when it cannot start or go on.
pub async fn serve(config: ServeConfig) -> Result<(), String> {
    config.check()?;
    logging::start(&config)?;
    let mut stop = signals::Stop::listen()?;
    // Before anything is started: the most common mistake is a second server on the same port.
    let listener = TcpListener::bind(config.listen).await.map_err(|error| format!("TOYGRES_LISTEN: cannot listen on {}: {error}", config.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;

    let backend = Backend::start(&config).await?;
    let outcome = run(&config, &backend, listener, address, &mut stop).await;
    tracing::info!("stopping local instances and the embedded database");
    tokio::select! {
        () = backend.stop() => {}
        () = stop.requested() => return Err("stopped at once; what still runs is taken over by the next start".to_owned()),
    }
    if outcome.is_ok() {
        tracing::info!("stopped");
    }
    outcome
}

async fn run(config: &ServeConfig, backend: &Backend, listener: TcpListener, address: SocketAddr, stop: &mut signals::Stop) -> Result<(), String> {
    let connections = u32::try_from(config.database_connections).unwrap_or(32);
    let store = Store::open(&backend.database_url, connections, backend.secret_key.clone()).map_err(|error| error.to_string())?;
    let serving = CancellationToken::new();
    let metrics = crate::metrics::start(serving.clone())?;
    let changes = Changes::start(&store, serving.clone());
    let hub = Hub::start(store.clone(), changes.clone(), serving.clone());
    let health = Health::new(store.clone(), changes.clone());
    let app = App {
        store: store.clone(),
        runtime: backend.runtime.clone(),
        hub,
        health: health.clone(),
        operation_deadline: Duration::from_secs(config.operation_deadline_seconds),
        health_check: config.health_check_policy(),
    };

    // Requests are answered from the first moment, with a clear error while the database is away.
    let mut http = tokio::spawn(answer(config.clone(), app, metrics, listener, serving.clone()));
    let working = CancellationToken::new();
    let mut work = tokio::spawn(work::run(
        config.clone(),
        backend.engine_url.clone(),
        backend.runtime.clone(),
        store.clone(),
        changes,
        health.clone(),
        working.clone(),
    ));
    let mut ready = Box::pin(announce(health.clone(), address));
    let mut announced = false;
    let outcome = loop {
        tokio::select! {
            () = &mut ready, if !announced => announced = true,
            () = stop.requested() => break Ok(()),
            ended = &mut work => break ended.unwrap_or_else(|panic| Err(format!("the workflows broke: {panic}"))),
            ended = &mut http => break Err(format!("the HTTP server ended: {ended:?}")),
        }
    };
    tracing::info!("stopping");
    health.set_stopping();
    serving.cancel();
    working.cancel();
    let _ = tokio::time::timeout(PATIENCE, &mut http).await;
    if !work.is_finished() {
        let _ = tokio::time::timeout(PATIENCE * 2, &mut work).await;
    }
    let _ = tokio::time::timeout(PATIENCE, store.close()).await;
    outcome
}

async fn answer(config: ServeConfig, app: App, metrics: PrometheusHandle, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
    let health = app.health.clone();
    let authenticate: Arc<dyn Authenticate> = match config.access {
        Access::Local => Arc::new(Local),
        Access::Tokens => Arc::new(Tokens::start(app.store.clone(), app.hub.changes(), shutdown.clone())),
    };
    let query_limits = config.query_limits();
    let options = TransportOptions {
        limits: config.transport_limits(),
        types: Arc::new(FieldTypes::of(&graphql::sdl())),
        authenticate,
        on_response: Arc::new(move |response, request| graphql::mask(response, &request.0, query_limits)),
        shutdown: shutdown.clone(),
    };
    let router = endpoints::router(health, metrics).merge(transport::router(graphql::schema(app, query_limits), options));
    let router = guard::around(router, config.access, &config.cors_origins);
    transport::serve(listener, router, ServeOptions { drain: PATIENCE, ..ServeOptions::default() }, shutdown).await
}

/// The one line that says that everything is up, and where.
async fn announce(health: Health, address: SocketAddr) {
    while !health.report().await.ready() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("toygres is ready: playground http://{address}/ - GraphQL http://{address}/graphql - stop with Ctrl-C");
}

/// Brings the schemas of an external database up to date.
///
/// # Errors
/// One sentence for people.
pub async fn migrate(config: DatabaseConfig) -> Result<(), String> {
    // No secret is read or written here, so any key will do.
    let store = Store::open(&config.database_url, 2, SecretKeys::generate()).map_err(|error| error.to_string())?;
    store.migrate().await.map_err(|error| explain("the metadata schema could not be brought up to date", error))?;
    let url = config.engine_database_url.as_deref().unwrap_or(&config.database_url);
    Engine::connect(url, &store).await.map_err(|error| explain("the workflow engine's schema could not be brought up to date", error))?;
    println!("the metadata and workflow schemas are up to date");
    Ok(())
}

/// Makes an API token and prints its secret, alone on stdout.
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
    let store = Store::open(url.trim(), 1, SecretKeys::generate()).map_err(|error| error.to_string())?;
    if external {
        // The first token comes before the first server, which may refuse to start without one.
        store.migrate().await.map_err(|error| explain("the metadata schema could not be brought up to date", error))?;
    }
    let made = crate::app::create_token(&store, &config.name, config.role, config.expires_in_days).await;
    let (token, secret) = made.map_err(|error| match error {
        Error::Unavailable(cause) | Error::Internal(cause) => format!("the token could not be made: {cause}"),
        other => other.to_string(),
    })?;
    eprintln!("token {} ({}, {}); this is the only time that its secret is shown:", token.id, token.name, token.role);
    println!("{}", secret.expose());
    Ok(())
}

fn explain(what: &str, error: Error) -> String {
    match error {
        Error::Unavailable(cause) | Error::Internal(cause) => format!("{what}: {cause}"),
        other => format!("{what}: {other}"),
    }
}
