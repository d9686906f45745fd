//! The endpoints other than `/graphql`: health, the schema as text, and the playground.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tower_http::compression::CompressionLayer;

use crate::{
    app::{Health, HealthReport},
    graphql, playground,
};

/// The routes. Any other path that a browser requests is a page of the playground, which has a router of its own.
pub fn router(health: Health, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/", get(playground::index))
        .route("/favicon.svg", get(playground::icon))
        .route("/assets/{*path}", get(playground::asset))
        .route("/schema.graphql", get(async || ([(header::CONTENT_TYPE, "application/graphql; charset=utf-8")], graphql::sdl())))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/health", get(report))
        .route("/metrics", get(async move || ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render())))
        .fallback(get(playground::page))
        .layer(CompressionLayer::new())
        .with_state(health)
}

/// 200 while the server is ready, else 503: for load balancers.
async fn readyz(State(health): State<Health>) -> (StatusCode, &'static str) {
    if health.report().await.ready() { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
}

/// The same for people and dashboards, part by part.
async fn report(State(health): State<Health>) -> impl IntoResponse {
    let report = health.report().await;
    let HealthReport { database, live_delivery, workflows, stopping } = report;
    let state = |up: bool| if up { "up" } else { "down" };
    let status = if report.ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body: Value = json!({
        "status": state(report.ready()),
        "version": env!("CARGO_PKG_VERSION"),
        "checks": { "database": state(database), "liveDelivery": state(live_delivery), "workflows": state(workflows), "stopping": stopping },
    });
    (status, Json(body))
}
