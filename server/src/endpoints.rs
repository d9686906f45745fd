//! The endpoints other than `/graphql`: health, the schema as text, and the playground.

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use toygres_store::Store;

use crate::{
    app::{Health, HealthReport, Unreachable},
    base_path::BasePath,
    graphql, playground,
    transport::{Authenticate, Credentials, Denied},
};

/// What `/schema.graphql` answers.
static SCHEMA: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(graphql::sdl()));

/// The media type of PEM files (RFC 8555, section 9.1).
const PEM: &str = "application/pem-certificate-chain";

/// What the endpoints need.
#[derive(Clone)]
pub struct Endpoints {
    /// The health of this server.
    pub health: Health,
    /// The metadata.
    pub store: Store,
    /// The metrics of this server.
    pub metrics: PrometheusHandle,
    /// Who may see them in detail; everybody if `None`.
    pub authenticate: Option<Arc<dyn Authenticate>>,
}

/// The routes, and those of the playground.
pub fn router(endpoints: Endpoints, base_path: BasePath) -> Router {
    playground::router(base_path)
        .route("/schema.graphql", get(async || ([(header::CONTENT_TYPE, "application/graphql; charset=utf-8")], SCHEMA.clone())))
        .merge(Router::new().route("/ca.pem", get(ca)).with_state(endpoints.store.clone()))
        .merge(monitoring_router(endpoints))
}

/// The routes of an address of its own: `/metrics`, `/metrics/instances`, `/health` and the probes. Its connections do not count among those of clients,
/// so a server that has no room for another client still answers them.
pub fn monitoring_router(endpoints: Endpoints) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/health", get(report))
        .route("/metrics", get(metrics))
        .route("/metrics/instances", get(instance_metrics))
        .with_state(endpoints)
}

/// The certificates of all authorities that clients of instances should trust. They are public.
async fn ca(State(store): State<Store>) -> Response {
    let unavailable = |why: &'static str| (StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    match store.authorities().await {
        Ok(authorities) if authorities.is_empty() => unavailable("there is no certificate authority yet: the first worker makes one\n"),
        Ok(authorities) => {
            let bundle: String = authorities.into_iter().map(|authority| authority.certificate).collect();
            ([(header::CONTENT_TYPE, PEM), (header::CACHE_CONTROL, "no-cache")], bundle).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "the certificate authorities cannot be read");
            unavailable("the metadata database is not available\n")
        }
    }
}

/// 200 as long as the server answers: for orchestrators, which restart it otherwise.
async fn livez() -> &'static str {
    "ok\n"
}

/// 200 while the server is ready, else 503: for load balancers.
async fn readyz(State(endpoints): State<Endpoints>) -> (StatusCode, &'static str) {
    if endpoints.health.report().await.ready() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

/// The same for people and dashboards, part by part if the caller is authenticated.
async fn report(State(endpoints): State<Endpoints>, request: Parts) -> Response {
    let report = endpoints.health.report().await;
    let ready = report.ready();
    let HealthReport { database, live_delivery, workflows, stopping, unreachable } = report;
    let state = |up: bool| if up { "up" } else { "down" };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = json!({ "status": state(ready) });
    // A caller without a token gets the status alone, and does not count as refused.
    let anonymous = endpoints.authenticate.is_some() && !request.headers.contains_key(header::AUTHORIZATION);
    if !anonymous && endpoints.refusal(&request).await.is_none() {
        body["version"] = env!("CARGO_PKG_VERSION").into();
        body["checks"] = json!({
            "database": state(database), "liveDelivery": state(live_delivery), "workflows": state(workflows), "stopping": stopping,
            "runtime": state(unreachable.is_none()),
        });
        if let Some(Unreachable { since, reason }) = unreachable {
            body["runtime"] = json!({ "since": since, "reason": { "code": reason.code.as_str().to_ascii_uppercase(), "message": reason.message } });
        }
    }
    (status, Json(body)).into_response()
}

async fn metrics(State(endpoints): State<Endpoints>, request: Parts) -> Response {
    match endpoints.refusal(&request).await {
        Some(refusal) => refusal,
        None => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], endpoints.metrics.render()).into_response(),
    }
}

/// The metrics of instances: see [`crate::instance_metrics`].
async fn instance_metrics(State(endpoints): State<Endpoints>, request: Parts) -> Response {
    if let Some(refusal) = endpoints.refusal(&request).await {
        return refusal;
    }
    match endpoints.store.latest_metrics_of_all().await {
        Ok(latest) => ([(header::CONTENT_TYPE, crate::instance_metrics::CONTENT_TYPE)], crate::instance_metrics::render(&latest)).into_response(),
        Err(error) => {
            tracing::warn!(%error, "the metrics of instances cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the metadata database is not available\n").into_response()
        }
    }
}

impl Endpoints {
    /// Why the caller may not see the details, if it may not.
    async fn refusal(&self, request: &Parts) -> Option<Response> {
        let authenticate = self.authenticate.as_ref()?;
        let address = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let (status, why) = match authenticate.authenticate(Credentials { headers: &request.headers, init: None, address }).await {
            Ok(_) => return None,
            Err(Denied::Unauthenticated(why)) => (StatusCode::UNAUTHORIZED, why),
            Err(Denied::TooMany(why)) => (StatusCode::TOO_MANY_REQUESTS, why),
            Err(Denied::Unavailable(why)) => (StatusCode::SERVICE_UNAVAILABLE, why),
        };
        let mut response = (status, format!("{why}\n")).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Some(response)
    }
}
