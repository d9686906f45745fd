//! A TCP proxy before the API server, so that tests can take the network away.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch as channel,
};

use super::FakeApiServer;

/// The network between a control plane and the API server. Dropping it closes all connections.
pub struct Proxy {
    address: SocketAddr,
    network: channel::Sender<Network>,
    task: tokio::task::JoinHandle<()>,
}

/// The state of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Connections work.
    Up,
    /// Connections are closed, and so is every new one.
    Closed,
    /// Connections stay open, and nothing passes.
    Silent,
}

impl Proxy {
    /// A proxy before the API server at this address.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let network = channel::Sender::new(Network::Up);
        let state = network.subscribe();
        let task = tokio::spawn(async move {
            // The connections end with this task.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(connection(client, target, state.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, network, task }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the API server through this proxy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the network. Connections that were silent never work again.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeApiServer {
    /// A proxy before this server.
    pub async fn proxy(&self) -> Proxy {
        Proxy::to(self.url().trim_start_matches("http://").parse().unwrap()).await
    }
}

async fn connection(mut client: TcpStream, target: SocketAddr, mut network: channel::Receiver<Network>) {
    let began = *network.borrow();
    if began == Network::Up {
        let Ok(mut server) = TcpStream::connect(target).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = network.wait_for(|network| *network != Network::Up) => {}
        }
    }
    let _ = network.wait_for(|network| *network != Network::Silent).await;
}
