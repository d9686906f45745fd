//! The network between clients and pods, as kube-proxy and the connection tracking of a node make it: a connection to the address of a
//! Service goes to the pod that was ready when it was opened, and outlives the readiness of the pod and the Service.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// The port of every Service and pod.
const PORT: u16 = 5432;

/// The network. Dropping it closes all connections.
#[derive(Default)]
pub struct Network {
    state: Mutex<State>,
    lost: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    /// By address. An address that had a Service is never assigned again.
    routes: HashMap<String, watch::Sender<Route>>,
    tasks: JoinSet<()>,
}

/// Where new connections to an address go.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Route {
    /// To the pod at this address.
    Pod(String),
    /// They are refused: the Service has no endpoint.
    Refused,
    /// Nowhere, and nobody answers: the Service is gone.
    Nowhere,
}

impl Network {
    /// Routes new connections to the address of each Service to its endpoint, if it has one.
    pub(super) fn update(&self, services: HashMap<String, Option<String>>, lost: bool) {
        self.lost.send_if_modified(|before| std::mem::replace(before, lost) != lost);
        let mut state = self.state();
        let State { routes, tasks } = &mut *state;
        for (address, endpoint) in &services {
            let route = endpoint.clone().map_or(Route::Refused, Route::Pod);
            match routes.get(address) {
                Some(known) => set(known, route),
                None => {
                    let (sender, receiver) = watch::channel(route);
                    tasks.spawn(serve(address.clone(), receiver, self.lost.subscribe()));
                    routes.insert(address.clone(), sender);
                }
            }
        }
        for (_, route) in routes.iter().filter(|(address, _)| !services.contains_key(*address)) {
            set(route, Route::Nowhere);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the lock")
    }
}

fn set(known: &watch::Sender<Route>, route: Route) {
    known.send_if_modified(|before| std::mem::replace(before, route.clone()) != route);
}

async fn serve(address: String, mut route: watch::Receiver<Route>, lost: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let now = route.borrow_and_update().clone();
        let listener = if now == Route::Refused { None } else { TcpListener::bind((address.as_str(), PORT)).await.ok() };
        loop {
            tokio::select! {
                changed = route.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                Some(client) = accept(listener.as_ref()) => {
                    let pod = if let Route::Pod(pod) = &now { Some(pod.clone()) } else { None };
                    connections.spawn(carry(client, pod, lost.clone()));
                }
                Some(_) = connections.join_next() => {}
                // The address is still in use.
                () = tokio::time::sleep(Duration::from_millis(10)), if listener.is_none() && now != Route::Refused => break,
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    Some(listener?.accept().await.ok()?.0)
}

async fn carry(client: TcpStream, pod: Option<String>, lost: watch::Receiver<bool>) {
    let Some(pod) = pod else { return std::future::pending().await };
    let Ok(server) = TcpStream::connect((pod.as_str(), PORT)).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::join!(copy(from_client, to_server, lost.clone()), copy(from_server, to_client, lost));
}

/// Copies until the end. Nothing, not even the end, comes through while the network is lost.
async fn copy(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, mut lost: watch::Receiver<bool>) {
    let mut buffer = [0; 8192];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        let is_back = lost.wait_for(|lost| !lost).await.is_ok();
        if read == 0 || !is_back || to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
