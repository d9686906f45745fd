//! Against doubles of Azure Resource Manager and of an API server, behind real HTTP.

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

/// Gives the scope itself as the token, so that the doubles see what was asked for.
#[derive(Debug)]
struct Echo;

#[async_trait::async_trait]
impl TokenCredential for Echo {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new(scopes.join(" "), OffsetDateTime::now_utc() + Span::hours(1)))
    }
}

/// Answers everything in one way and keeps what it was asked: method, path with query, and the Authorization header.
struct Web {
    url: String,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Web {
    async fn start(status: u16, answer: Value) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let router = Router::new().fallback(move |request: Request| {
            let header = request.headers().get(AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
            kept.lock().unwrap().push((format!("{} {}", request.method(), request.uri()), header));
            let answer = (StatusCode::from_u16(status).unwrap(), Json(answer.clone()));
            async move { answer }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked, task }
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Web {
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
    }
}

fn credentials(user: &str, server: &str) -> Value {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: cluster\nclusters: [{{name: cluster, cluster: {{server: \"{server}\"}}}}]\n\
         users: [{{name: user, user: {user}}}]\ncontexts: [{{name: cluster, context: {{cluster: cluster, user: user}}}}]\n"
    );
    json!({"kubeconfigs": [{"name": "clusterUser", "value": BASE64_STANDARD.encode(kubeconfig)}]})
}

async fn version_of(user: &str) -> (Web, Web) {
    let api = Web::start(200, json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""})).await;
    let manager = Web::start(200, credentials(user, &api.url)).await;
    let identity: Arc<dyn TokenCredential> = Arc::new(Echo);
    let (client, url) = connect_as(&identity, &aks(&manager.url)).await.unwrap();
    assert_eq!(url.trim_end_matches('/'), api.url);
    client.apiserver_version().await.unwrap();
    (manager, api)
}

#[tokio::test]
async fn with_credentials_of_the_clusters_own_they_are_used() {
    let (manager, api) = version_of("{token: abc}").await;
    let path = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/cluster/listClusterUserCredential?api-version=2024-09-01";
    assert_eq!(manager.asked(), [(format!("POST {path}"), format!("Bearer {}/.default", manager.url))]);
    assert_eq!(api.asked(), [("GET /version".to_owned(), "Bearer abc".to_owned())]);
}

#[tokio::test]
async fn where_a_person_would_log_in_the_server_does() {
    // What Azure gives for a cluster with Entra ID.
    let kubelogin = "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: kubelogin, provideClusterInfo: false, \
        args: [get-token, --login, devicecode, --server-id, 6dae42f8-4368-4678-94ff-3960e28e3630]}}";
    let (_manager, api) = version_of(kubelogin).await;
    assert_eq!(api.asked(), [("GET /version".to_owned(), "Bearer 6dae42f8-4368-4678-94ff-3960e28e3630/.default".to_owned())]);
}

#[tokio::test]
async fn what_azure_refuses_is_said() {
    let identity: Arc<dyn TokenCredential> = Arc::new(Echo);
    for (status, body, expected) in [
        (
            403,
            json!({"error": {"code": "AuthorizationFailed", "message": "The client 'x' does not have\nauthorization"}}),
            "lacks the role 'Azure Kubernetes Service Cluster User Role' on it (The client 'x' does not have authorization)",
        ),
        (404, json!({"error": {"code": "ResourceNotFound", "message": "not found"}}), "there is no such cluster (not found); check AKS_CLUSTER_NAME"),
        (429, json!("slow down"), "HTTP 429"),
        (200, json!({"kubeconfigs": []}), "holds no kubeconfig"),
        (200, json!({"kubeconfigs": [{"name": "a", "value": "!"}]}), "holds no kubeconfig"),
    ] {
        let manager = Web::start(status, body).await;
        let error = connect_as(&identity, &aks(&manager.url)).await.err().unwrap().to_string();
        assert!(error.contains(expected) && error.contains("the AKS cluster cluster of the resource group rg") && !error.contains('\n'), "{error}");
    }
    let error = connect_as(&identity, &aks("http://127.0.0.1:1")).await.err().unwrap().to_string();
    assert!(error.contains("Azure Resource Manager at http://127.0.0.1:1 cannot be reached"), "{error}");
}
