//! The connection to the cluster: found, checked, and used with a time limit on every call.

mod access;
mod azure;
mod find;

use std::{future::Future, time::Duration};

use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, ListParams, ObjectList, Preconditions},
    core::PartialObjectMeta,
};
use serde::de::DeserializeOwned;
use toygres_domain::{instance::ReasonCode, runtime::RuntimeError};

use crate::{
    errors::{client_error, runtime_error},
    settings::{EndpointHost, Settings},
};
use find::Found;

/// How long one call may take. An API server under load answers within seconds or says that it is busy; what takes longer
/// is a connection that died without a word, and a verb must not hold its instance for that.
const CALL_LIMIT: Duration = Duration::from_secs(20);

/// How long a connection to an API server may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A sentence that says why there is no connection to the cluster.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(pub(crate) String);

/// One namespace of a cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
    namespace: String,
}

impl Cluster {
    pub(crate) fn new(client: Client, namespace: &str) -> Self {
        Self { client, namespace: namespace.to_owned() }
    }

    /// Finds the cluster, checks that it answers and allows what has to be done, and decides how endpoints are written when the settings leave it open.
    pub(crate) async fn connect(settings: &mut Settings) -> Result<Self, ConnectError> {
        let mistakes = settings.mistakes();
        if !mistakes.is_empty() {
            return Err(ConnectError(mistakes.join(" ")));
        }
        let Found { client, url, inside } = find::find(&settings.cluster).await?;
        tokio::time::timeout(CALL_LIMIT, client.apiserver_version())
            .await
            .map_err(|_| ConnectError(format!("The cluster at {url} does not answer.")))?
            .map_err(|error| ConnectError(format!("The cluster at {url} does not answer as it should: {}", client_error(&error))))?;
        access::check(&client, &settings.namespace).await?;
        if settings.endpoint_host.is_none() {
            let names_resolve = inside || resolves(&format!("kubernetes.default.svc.{}", settings.cluster_domain)).await;
            settings.endpoint_host = Some(if names_resolve { EndpointHost::ServiceName } else { EndpointHost::ClusterIp });
        }
        Ok(Self::new(client, &settings.namespace))
    }

    /// The objects of one kind in the namespace.
    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The objects of one kind that a label selector finds.
    pub(crate) async fn list<K>(&self, selector: &str) -> Result<Vec<K>, RuntimeError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let params = ListParams::default().labels(selector);
        let list: ObjectList<K> = call(&format!("list the {}", K::plural(&K::DynamicType::default())), self.api::<K>().list(&params)).await?;
        Ok(list.items)
    }

    /// The metadata alone of the objects of one kind that a label selector finds.
    pub(crate) async fn list_metadata<K>(&self, selector: &str) -> Result<Vec<PartialObjectMeta<K>>, RuntimeError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let params = ListParams::default().labels(selector);
        let list = call(&format!("list the {}", K::plural(&K::DynamicType::default())), self.api::<K>().list_metadata(&params)).await?;
        Ok(list.items)
    }

    /// Deletes an object, and takes for done what is not there. With a `uid`, another object of the same name is left alone.
    pub(crate) async fn delete<K>(&self, name: &str, uid: Option<String>, params: DeleteParams) -> Result<(), RuntimeError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let params = match uid {
            Some(uid) => params.preconditions(Preconditions { uid: Some(uid), resource_version: None }),
            None => params,
        };
        let kind = K::kind(&K::DynamicType::default()).into_owned();
        let deletion = async {
            match self.api::<K>().delete(name, &params).await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                Err(error) => Err(error),
                Ok(_) => Ok(()),
            }
        };
        call(&format!("delete the {kind} {name}"), deletion).await
    }
}

/// Runs one API call within the limit; `what` says what it does.
pub(crate) async fn call<T>(what: &str, request: impl Future<Output = kube::Result<T>>) -> Result<T, RuntimeError> {
    match tokio::time::timeout(CALL_LIMIT, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(runtime_error(what, &error)),
        Err(_) => Err(RuntimeError::temporary(
            ReasonCode::RuntimeUnavailable,
            format!("Cannot {what}: the API server did not answer within {} seconds", CALL_LIMIT.as_secs()),
        )),
    }
}

async fn resolves(name: &str) -> bool {
    let lookup = tokio::time::timeout(Duration::from_secs(2), tokio::net::lookup_host((name, 443))).await;
    lookup.is_ok_and(|answer| answer.is_ok())
}
