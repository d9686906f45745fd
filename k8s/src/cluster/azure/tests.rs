//! Tests with fakes of Azure Resource Manager and of an API server over HTTP.

use std::sync::Mutex;

use axum::{
    Json, Router,
    extract::Request,
    http::{StatusCode, header::AUTHORIZATION},
};
use azure_core::{
    credentials::{AccessToken, TokenRequestOptions},
    time::{Duration as Span, OffsetDateTime},
};
use serde_json::{Value, json};

use super::*;
use crate::settings::AzureCredentials;

/// Returns the scope as the token, so that the fakes receive the scope that was requested.
#[derive(Debug)]
struct Echo;

#[async_trait::async_trait]
impl TokenCredential for Echo {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new(scopes.join(" "), OffsetDateTime::now_utc() + Span::hours(1)))
    }
}

/// Sends the same response to every request, and records the method, the path with the query, and the Authorization header.
struct FakeServer {
    url: String,
    requests: Arc<Mutex<Vec<(String, String)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeServer {
    async fn start(status: u16, answer: Value) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let router = Router::new().fallback(move |request: Request| {
            let header = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
            kept.lock().unwrap().push((format!("{} {}", request.method(), request.uri()), header));
            let answer = (StatusCode::from_u16(status).unwrap(), Json(answer.clone()));
            async move { answer }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, requests, task }
    }

    fn requests(&self) -> Vec<(String, String)> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn aks(resource_manager: &str) -> Aks {
    Aks {
        subscription: "00000000-0000-0000-0000-00000000000a".to_owned(),
        resource_group: "rg".to_owned(),
        name: "cluster".to_owned(),
        resource_manager: resource_manager.to_owned(),
        credentials: AzureCredentials::All,
        client_id: None,
    }
}

fn credentials(user: &str, server: &str) -> Value {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: cluster\nclusters: [{{name: cluster, cluster: {{server: \"{server}\"}}}}]\n\
         users: [{{name: user, user: {user}}}]\ncontexts: [{{name: cluster, context: {{cluster: cluster, user: user}}}}]\n"
    );
    json!({"kubeconfigs": [{"name": "clusterUser", "value": ByteString(kubeconfig.into_bytes())}]})
}

async fn version_of(user: &str) -> (FakeServer, FakeServer) {
    let api = FakeServer::start(200, json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""})).await;
    let manager = FakeServer::start(200, credentials(user, &api.url)).await;
    let identity: Arc<dyn TokenCredential> = Arc::new(Echo);
    let (client, url) = connect_as(&identity, &aks(&manager.url)).await.unwrap();
    assert_eq!(url.trim_end_matches('/'), api.url);
    client.apiserver_version().await.unwrap();
    (manager, api)
}

#[tokio::test]
async fn credentials_in_the_kubeconfig_are_used() {
    let (manager, api) = version_of("{token: abc}").await;
    let path = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/cluster/listClusterUserCredential?api-version=2024-09-01";
    assert_eq!(manager.requests(), [(format!("POST {path}"), format!("Bearer {}/.default", manager.url))]);
    assert_eq!(api.requests(), [("GET /version".to_owned(), "Bearer abc".to_owned())]);
}

#[tokio::test]
async fn an_interactive_login_is_replaced_by_the_own_identity() {
    // What Azure returns for a cluster with Entra ID.
    let kubelogin = "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: kubelogin, provideClusterInfo: false, \
        args: [get-token, --login, devicecode, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630]}}";
    let (_manager, api) = version_of(kubelogin).await;
    assert_eq!(api.requests(), [("GET /version".to_owned(), "Bearer 6dae42f8-4368-4678-94ff-3960e28e3630/.default".to_owned())]);
}

#[tokio::test]
async fn errors_of_azure_are_reported() {
    let identity: Arc<dyn TokenCredential> = Arc::new(Echo);
    for (status, body, expected) in [
        (
            403,
            json!({"error": {"code": "AuthorizationFailed", "message": "The client 'x' does not have\nauthorization"}}),
            "lacks the role 'Azure Kubernetes Service Cluster User Role' on it (The client 'x' does not have authorization)",
        ),
        (404, json!({"error": {"code": "ResourceNotFound", "message": "not found"}}), "there is no such cluster (not found); check its name"),
        (429, json!("slow down"), "HTTP 429"),
        (200, json!({"kubeconfigs": []}), "contains no kubeconfig"),
        (200, json!({"kubeconfigs": [{"name": "a", "value": "!"}]}), "contains no kubeconfig"),
    ] {
        let manager = FakeServer::start(status, body).await;
        let error = connect_as(&identity, &aks(&manager.url)).await.err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains("the AKS cluster cluster of the resource group rg") && !error.contains('\n'), "{error}");
    }
    let error = connect_as(&identity, &aks("http://127.0.0.1:1")).await.err().unwrap().to_string();
    assert!(error.contains("Azure Resource Manager at http://127.0.0.1:1 cannot be reached"), "{error}");
}
