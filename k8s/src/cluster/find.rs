//! Where the cluster is: the pod's service account, a kubeconfig, or AKS by name.

use std::path::Path;

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{CONNECT_LIMIT, ConnectError, azure};
use crate::{
    errors::{chain, client_error},
    settings::ClusterSource,
};

/// A cluster that was found; nobody has talked to it yet.
pub(super) struct Found {
    pub(super) client: Client,
    pub(super) url: String,
    /// Whether this server runs in it.
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
                .map_err(|error| ConnectError(format!("This server does not run in a pod with a service account: {}", chain(&error))))?;
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
    config.connect_timeout = Some(CONNECT_LIMIT);
    let url = config.cluster_url.to_string();
    let client = Client::try_from(config)
        .map_err(|error| ConnectError(format!("The credentials for the cluster at {url} cannot be used: {}", client_error(&error))))?;
    Ok(Found { client, url, inside })
}

async fn kubeconfig(path: Option<&Path>, context: Option<String>) -> Result<Config, ConnectError> {
    let (file, place) = match path {
        Some(path) => (Kubeconfig::read_from(path), path.display().to_string()),
        None => (Kubeconfig::from_env().and_then(|file| file.map_or_else(Kubeconfig::read, Ok)), "KUBECONFIG or ~/.kube/config".to_owned()),
    };
    let file = file.map_err(|error| ConnectError(format!("No kubeconfig can be read from {place}: {}", why_unreadable(&error))))?;
    if let Some(wanted) = context.as_ref().filter(|wanted| !file.contexts.iter().any(|context| &&context.name == wanted)) {
        let known: Vec<&str> = file.contexts.iter().map(|context| context.name.as_str()).collect();
        return Err(ConnectError(format!("The kubeconfig from {place} has no context '{wanted}', only: {}.", known.join(", "))));
    }
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(file, &options)
        .await
        .map_err(|error| ConnectError(format!("The kubeconfig from {place} cannot be used: {}", chain(&error))))
}

/// What is wrong with a file. The parser's own words quote the file, and with it tokens and keys: only the place is taken.
fn why_unreadable(error: &KubeconfigError) -> String {
    let KubeconfigError::Parse(parser) = error else { return chain(error) };
    let text = parser.to_string();
    let number = |word: &str| text.split_once(word).map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    match (number("line "), number("column ")) {
        (Some(line), Some(column)) if !line.is_empty() => format!("it is no kubeconfig at line {line}, column {column}"),
        _ => "it is no kubeconfig".to_owned(),
    }
}
