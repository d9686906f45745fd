//! Connects to an AKS cluster by its name: Azure Resource Manager returns the kubeconfig of a user, and where that kubeconfig
//! requires an interactive login, the tokens of this process's own identity are used.

mod identity;

use std::{sync::Arc, time::Duration};

use azure_core::credentials::TokenCredential;
use k8s_openapi::ByteString;
use kube::{
    Client, Config,
    client::Body,
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use serde::Deserialize;
use tower::BoxError;

use super::ConnectError;
use crate::{errors::chain, settings::Aks};
use identity::Identity;

/// The version of the API of AKS.
const API_VERSION: &str = "2024-09-01";

/// The scope of tokens for the API server of any AKS cluster with Entra ID.
const API_SERVER_SCOPE: &str = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

/// The time-out of a request to Azure Resource Manager.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A client for the cluster, and the address of its API server.
pub(super) async fn connect(aks: &Aks) -> Result<(Client, String), ConnectError> {
    let identity: Arc<dyn TokenCredential> = Arc::new(Identity::new(aks)?);
    connect_as(&identity, aks).await
}

async fn connect_as(identity: &Arc<dyn TokenCredential>, aks: &Aks) -> Result<(Client, String), ConnectError> {
    let mut kubeconfig = user_kubeconfig(identity.as_ref(), aks).await?;
    let requires_login = remove_login_plugins(&mut kubeconfig);
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| ConnectError::Cluster(format!("The kubeconfig that Azure returns for {aks} cannot be used: {}", chain(&error))))?;
    config.connect_timeout = Some(super::CONNECT_TIMEOUT);
    let (url, namespace) = (config.cluster_url.to_string(), config.default_namespace.clone());
    let client = Client::try_from(config)
        .map_err(|error| ConnectError::Cluster(format!("The credentials that Azure returns for {aks} cannot be used: {}", chain(&error))))?;
    let client = if requires_login { with_token(client, Arc::clone(identity), namespace) } else { client };
    Ok((client, url))
}

/// Requests the kubeconfig that `az aks get-credentials` writes.
async fn user_kubeconfig(identity: &dyn TokenCredential, aks: &Aks) -> Result<Kubeconfig, ConnectError> {
    let Aks { subscription, resource_group, name, resource_manager, credentials: _, client_id: _ } = aks;
    let base = resource_manager.trim_end_matches('/');
    let token = identity
        .get_token(&[&format!("{base}/.default")], None)
        .await
        .map_err(|error| ConnectError::Cluster(format!("Azure issues no token to this process: {}", one_line(&error.to_string()))))?;
    let url = format!(
        "{base}/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.ContainerService/managedClusters/{name}/listClusterUserCredential?api-version={API_VERSION}"
    );
    let unreachable =
        |error: reqwest::Error| ConnectError::Cluster(format!("Azure Resource Manager at {base} cannot be reached: {}", chain(&error.without_url())));
    let client = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().map_err(unreachable)?;
    let request = client.post(url).bearer_auth(token.token.secret()).header(reqwest::header::CONTENT_LENGTH, 0);
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        return Err(refusal(status.as_u16(), &body, aks));
    }
    kubeconfig_in(&body).ok_or_else(|| ConnectError::Cluster(format!("The response of Azure Resource Manager for {aks} contains no kubeconfig.")))
}

fn kubeconfig_in(body: &[u8]) -> Option<Kubeconfig> {
    #[derive(Deserialize)]
    struct Response {
        kubeconfigs: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        value: ByteString,
    }
    let response: Response = serde_json::from_slice(body).ok()?;
    let text = &response.kubeconfigs.first()?.value.0;
    Kubeconfig::from_yaml(std::str::from_utf8(text).ok()?).ok()
}

fn refusal(status: u16, body: &[u8], aks: &Aks) -> ConnectError {
    let error: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let words = error["error"]["message"].as_str().map(one_line).unwrap_or_default();
    let why = match status {
        403 => format!("the identity of this process lacks the role 'Azure Kubernetes Service Cluster User Role' on it ({words})"),
        404 => format!("there is no such cluster ({words}); check its name, its resource group and the subscription"),
        _ => format!("HTTP {status} {words}"),
    };
    ConnectError::Cluster(format!("Azure Resource Manager returns no credentials for {aks}: {why}."))
}

/// Removes the plugins for interactive logins from a kubeconfig; returns whether there were any. They would ask a person to visit
/// a page, or require a program that the image of the control plane does not have.
fn remove_login_plugins(kubeconfig: &mut Kubeconfig) -> bool {
    let mut found = false;
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|user| user.auth_info.as_mut()) {
        if user.exec.is_some() || user.auth_provider.is_some() {
            *user = AuthInfo::default();
            found = true;
        }
    }
    found
}

/// Adds a token of the identity to every request. The identity caches tokens and renews them before they expire.
fn with_token(client: Client, identity: Arc<dyn TokenCredential>, namespace: String) -> Client {
    let service = tower::service_fn(move |mut request: http::Request<Body>| {
        let (client, identity) = (client.clone(), Arc::clone(&identity));
        async move {
            let token = identity.get_token(&[API_SERVER_SCOPE], None).await.map_err(|error| one_line(&error.to_string()))?;
            let mut header: http::HeaderValue = format!("Bearer {}", token.token.secret()).try_into()?;
            header.set_sensitive(true);
            request.headers_mut().insert(http::header::AUTHORIZATION, header);
            Ok::<_, BoxError>(client.send(request).await?)
        }
    });
    Client::new(service, namespace)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
