//! A server with a small schema on a loopback port, and clients for it.

mod http;
mod schema;
mod ws;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::Schema;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use toygres_server::transport::{Certificate, FieldTypes, ServeOptions, TransportOptions, router, serve};

pub(super) use self::{
    http::{Answer, path},
    ws::Client,
};
use schema::{Mutation, Query, Subscriptions, Tokens};

/// The time limit of every wait.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

/// Self-signed, for 127.0.0.1, valid for a hundred years.
pub(super) const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/localhost.pem");

/// A running server; dropping it stops it.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) shutdown: CancellationToken,
    pub(super) counters: Counters,
    /// Ends every session that the token `ending` opened.
    pub(super) revoke: CancellationToken,
    pub(super) served: JoinHandle<std::io::Result<()>>,
}

/// Counters that the schema updates.
#[derive(Clone, Default)]
pub(super) struct Counters {
    pub(super) mutations: Arc<AtomicUsize>,
    /// The number of open subscriptions.
    pub(super) open: Arc<AtomicUsize>,
    /// The number of callers with the token `slow`, which wait until they are let in.
    pub(super) authenticating: Arc<AtomicUsize>,
    pub(super) let_in: Arc<Notify>,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::start_with(|_| {}, |_| {}).await
    }

    pub(super) async fn start_with(transport: impl FnOnce(&mut TransportOptions), serving: impl FnOnce(&mut ServeOptions)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let (shutdown, revoke, counters) = (CancellationToken::new(), CancellationToken::new(), Counters::default());
        let schema = Schema::build(Query, Mutation, Subscriptions).data(counters.clone()).finish();
        let mut options = TransportOptions {
            types: Arc::new(FieldTypes::of(&schema.sdl())),
            shutdown: shutdown.clone(),
            authenticate: Arc::new(Tokens { revoke: revoke.clone(), counters: counters.clone() }),
            on_response: Arc::new(|response, id| {
                for error in &mut response.errors {
                    error.extensions.get_or_insert_default().set("requestId", id.to_string());
                }
            }),
            ..TransportOptions::default()
        };
        transport(&mut options);
        let mut serve_options = ServeOptions::default();
        serving(&mut serve_options);
        let served = tokio::spawn(serve(listener, router(schema, options), serve_options, shutdown.clone()));
        Self { address, shutdown, counters, revoke, served }
    }

    /// Starts a server that speaks HTTPS with [`CERTIFICATE`].
    pub(super) async fn start_with_tls() -> Self {
        let certificate = Certificate::read(Path::new(CERTIFICATE), Path::new(&CERTIFICATE.replace(".pem", ".key"))).expect("a certificate");
        Self::start_with(|_| {}, |options| options.certificate = Some(certificate)).await
    }

    pub(super) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/graphql", self.address)
    }

    /// Waits until this number of subscriptions is open.
    pub(super) async fn wait_for_open(&self, wanted: usize) {
        eventually(&format!("{wanted} subscriptions are open"), || self.counters.open.load(Ordering::SeqCst) == wanted).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Polls until a condition holds.
pub(super) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let looking = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(TIMEOUT, looking).await.is_ok(), "not in time: {what}");
}
