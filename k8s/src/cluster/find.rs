//! Finds the cluster: by the pod's service account, a kubeconfig, or the name of an AKS cluster.

use std::path::Path;

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{CONNECT_TIMEOUT, ConnectError, azure};
use crate::{
    errors::{chain, client_error},
    settings::ClusterSource,
    wording,
};

/// A client for a cluster; no call was made yet.
pub(super) struct Found {
    pub(super) client: Client,
    pub(super) url: String,
    /// Whether this process runs in the cluster.
    pub(super) inside: bool,
}

pub(super) async fn find(source: &ClusterSource) -> Result<Found, ConnectError> {
    match source {
        ClusterSource::Detect => match Config::incluster() {
            Ok(config) => with_config(config, true),
            Err(_) => with_config(kubeconfig(None, None).await?, false),
        },
        ClusterSource::InCluster => {
            let config = Config::incluster()
                .map_err(|error| ConnectError::Cluster(format!("This process does not run in a pod with a service account: {}", chain(&error))))?;
            with_config(config, true)
        }
        ClusterSource::Kubeconfig { path, context } => with_config(kubeconfig(path.as_deref(), context.clone()).await?, false),
        ClusterSource::Aks(aks) => {
            let (client, url) = azure::connect(aks).await?;
            Ok(Found { client, url, inside: false })
        }
    }
}

fn with_config(mut config: Config, inside: bool) -> Result<Found, ConnectError> {
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    let url = config.cluster_url.to_string();
    let client = Client::try_from(config)
        .map_err(|error| ConnectError::Cluster(format!("The credentials for the cluster at {url} cannot be used: {}", client_error(&error))))?;
    Ok(Found { client, url, inside })
}

async fn kubeconfig(path: Option<&Path>, context: Option<String>) -> Result<Config, ConnectError> {
    let (file, place) = match path {
        Some(path) => (Kubeconfig::read_from(path), path.display().to_string()),
        None => (Kubeconfig::from_env().and_then(|file| file.map_or_else(Kubeconfig::read, Ok)), "the default location".to_owned()),
    };
    let file = file.map_err(|error| ConnectError::Cluster(format!("No kubeconfig can be read from {place}: {}", why_unreadable(&error))))?;
    if let Some(wanted) = context.as_ref().filter(|wanted| !file.contexts.iter().any(|context| &&context.name == wanted)) {
        let known: Vec<&str> = file.contexts.iter().map(|context| context.name.as_str()).collect();
        return Err(ConnectError::Cluster(format!("The kubeconfig from {place} has no context '{wanted}', only: {}.", known.join(", "))));
    }
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(file, &options)
        .await
        .map_err(|error| ConnectError::Cluster(format!("The kubeconfig from {place} cannot be used: {}", chain(&error))))
}

/// Why a file cannot be read. The message of the YAML parser quotes the file, which contains tokens and keys, so only the
/// position in it is used.
fn why_unreadable(error: &KubeconfigError) -> String {
    let KubeconfigError::Parse(parser) = error else { return chain(error) };
    match wording::position(&parser.to_string()) {
        Some((line, column)) => format!("it is malformed at line {line}, column {column}"),
        None => "it is malformed".to_owned(),
    }
}
