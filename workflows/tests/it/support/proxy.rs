//! A proxy in front of an instance, which a test can interrupt.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use toygres_domain::instance::Endpoint;

/// A listening port that forwards connections.
pub struct Proxy {
    endpoint: Endpoint,
    target: Endpoint,
    state: watch::Sender<State>,
    accepted: Arc<AtomicUsize>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// All data is forwarded.
    Forwarding,
    /// Connections are accepted, but no data is forwarded.
    Stalled,
    /// The same for new connections, for ever; the others live on.
    Outlived,
}

impl Proxy {
    pub async fn to(target: Endpoint) -> Self {
        let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port: 0 };
        let mut this = Self { endpoint, target, state: watch::Sender::new(State::Forwarding), accepted: Arc::default(), accepting: None };
        this.open().await;
        this
    }

    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// The number of connections so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Closes all connections; new ones are refused.
    pub async fn close(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            let _ = accepting.await;
        }
    }

    /// Stops forwarding until it is opened again. Connections stay open.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    /// Connections live on, as connection tracking lets them, but no new one gets an answer.
    pub fn outlive(&self) {
        self.state.send_replace(State::Outlived);
    }

    /// Forwards connections (again).
    pub async fn open(&mut self) {
        self.state.send_replace(State::Forwarding);
        if self.accepting.is_some() {
            return;
        }
        let listener = TcpListener::bind((self.endpoint.host.as_str(), self.endpoint.port)).await.unwrap();
        self.endpoint.port = listener.local_addr().unwrap().port();
        let (target, state, accepted) = (self.target.clone(), self.state.subscribe(), self.accepted.clone());
        self.accepting = Some(tokio::spawn(async move {
            // Dropping the set closes all connections.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                if *state.borrow() == State::Outlived {
                    connections.spawn(async move {
                        let _client = client;
                        std::future::pending().await
                    });
                    continue;
                }
                let server = TcpStream::connect((target.host.as_str(), target.port)).await.unwrap();
                let (client_reader, client_writer) = client.into_split();
                let (server_reader, server_writer) = server.into_split();
                connections.spawn(forward(client_reader, server_writer, state.clone()));
                connections.spawn(forward(server_reader, client_writer, state.clone()));
            }
        }));
    }
}

async fn forward(mut from: impl tokio::io::AsyncRead + Unpin, mut to: impl tokio::io::AsyncWrite + Unpin, mut state: watch::Receiver<State>) {
    let mut buffer = [0; 4096];
    while let Ok(read) = tokio::io::AsyncReadExt::read(&mut from, &mut buffer).await {
        let may_go_on = state.wait_for(|state| *state != State::Stalled).await.is_ok();
        if read == 0 || !may_go_on || to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
