//! Whether the API server answers, as its client observes it.

use toygres_domain::{
    instance::ReasonCode,
    runtime::{Reachability, Runtime},
};
use toygres_k8s::{KubernetesRuntime, Settings};

use crate::{
    fake::{FakeApiServer, Network},
    recordings,
};

fn through(url: &str) -> KubernetesRuntime {
    KubernetesRuntime::new(kube::Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap(), Settings::default())
}

async fn unreachable(runtime: &KubernetesRuntime) {
    let Reachability::Unreachable { reason, .. } = runtime.reachability().await else { panic!("it is reachable") };
    assert_eq!(reason.code, ReasonCode::RuntimeUnavailable, "{}", reason.message);
}

#[tokio::test]
async fn a_call_that_fails_shows_that_the_api_server_is_away() {
    let server = FakeApiServer::start().await;
    let proxy = server.proxy().await;
    let runtime = through(&proxy.url());
    runtime.list().await.unwrap();
    assert_eq!(runtime.reachability().await, Reachability::Reachable);
    proxy.set(Network::Closed);
    assert_eq!(runtime.list().await.unwrap_err().reason.code, ReasonCode::RuntimeUnavailable);
    unreachable(&runtime).await;
    proxy.set(Network::Up);
    assert_eq!(runtime.reachability().await, Reachability::Reachable, "it is asked again");
}

#[tokio::test]
async fn an_api_server_that_says_nothing_is_away() {
    let server = FakeApiServer::start().await;
    let proxy = server.proxy().await;
    // Nothing was called yet, so it is asked.
    let runtime = through(&proxy.url());
    assert_eq!(runtime.reachability().await, Reachability::Reachable);
    let runtime = through(&proxy.url());
    proxy.set(Network::Silent);
    unreachable(&runtime).await;
    proxy.set(Network::Up);
    assert_eq!(runtime.reachability().await, Reachability::Reachable);
}

/// A webhook that is away, say.
#[tokio::test]
async fn the_failure_of_one_call_is_none_of_the_api_server() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut status = recordings::read("error-404.json");
    status["code"] = 500.into();
    server.refuse("list", "pods", status, 1);
    assert_eq!(runtime.list().await.unwrap_err().reason.code, ReasonCode::RuntimeUnavailable);
    assert_eq!(runtime.reachability().await, Reachability::Reachable);
}
