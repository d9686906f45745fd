//! Whether the API server answers, as every call of the client shows, including those of the watches.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http::{Request, Response};
use kube::{Client, client::Body};
use toygres_domain::{
    instance::{Reason, ReasonCode},
    runtime::Reachability,
};

use crate::errors::client_error;

/// How long an answer shows that the API server can be reached. A watch without a change makes no calls.
const FRESH: Duration = Duration::from_secs(10);

/// The time-out of the call that is made when no other has shown it.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The latest calls of a client. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed(Arc<Mutex<Latest>>);

#[derive(Debug, Default)]
struct Latest {
    answered: Option<Instant>,
    /// When calls began to fail, and why the last one did.
    failing: Option<(Instant, String)>,
}

impl Observed {
    /// A client whose calls are observed.
    pub(super) fn observe(&self, client: Client, namespace: &str) -> Client {
        let observed = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, observed) = (client.clone(), observed.clone());
            async move { observed.call(&client, request).await }
        });
        Client::new(service, namespace)
    }

    /// Makes a call, and records whether it was answered. An error of the server itself, or of a proxy before it, is no answer.
    async fn call(&self, client: &Client, request: Request<Body>) -> kube::Result<Response<Body>> {
        let outcome = client.send(request).await;
        match &outcome {
            Ok(response) if response.status().is_server_error() => self.failed(format!("it answered {}", response.status())),
            Ok(_) => self.answered(),
            Err(error) => self.failed(client_error(error)),
        }
        outcome
    }

    /// Whether the API server answers. It is asked if the latest call failed, which may be due to that call, or was long ago.
    pub(super) async fn reachability(&self, client: &Client) -> Reachability {
        if self.is_uncertain() {
            match tokio::time::timeout(PROBE_TIMEOUT, client.send(probe())).await {
                // The client has recorded it.
                Ok(_) => {}
                Err(_) => self.failed(format!("it did not respond within {} seconds", PROBE_TIMEOUT.as_secs())),
            }
        }
        match &self.latest().failing {
            None => Reachability::Reachable,
            Some((since, why)) => Reachability::Unreachable {
                since: *since,
                reason: Reason::new(ReasonCode::RuntimeUnavailable, format!("The API server of the cluster cannot be reached: {why}")),
            },
        }
    }

    fn is_uncertain(&self) -> bool {
        let latest = self.latest();
        latest.failing.is_some() || latest.answered.is_none_or(|at| at.elapsed() > FRESH)
    }

    fn answered(&self) {
        *self.latest() = Latest { answered: Some(Instant::now()), failing: None };
    }

    fn failed(&self, why: String) {
        let mut latest = self.latest();
        let since = latest.failing.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        latest.failing = Some((since, why));
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every account may call it, unless an administrator has revoked that: a refusal is an answer too.
fn probe() -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = http::Uri::from_static("/readyz");
    request
}
