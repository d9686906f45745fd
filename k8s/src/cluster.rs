//! The connection to the cluster, with a time-out for every call.

mod access;
mod azure;
mod find;
mod observed;

use std::{future::Future, time::Duration};

use k8s_openapi::{NamespaceResourceScope, api::core::v1::Pod};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ListParams, ObjectList, PostParams, Preconditions},
    core::PartialObjectMeta,
};
use serde::{Serialize, de::DeserializeOwned};
use toygres_domain::{
    instance::ReasonCode,
    runtime::{Reachability, RuntimeError},
};

use crate::{
    errors::{client_error, runtime_error},
    settings::{EndpointHost, InvalidSetting, Settings},
};
use find::Found;
use observed::Observed;

/// The time-out of a call. An API server under load responds or refuses within seconds; a call that takes longer has lost its
/// connection, and must not keep an instance locked.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// The time-out for connecting to an API server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the connection to the cluster failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Settings that are invalid.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Settings(Vec<InvalidSetting>),
    /// The cluster cannot be found or used; the sentence says why.
    #[error("{0}")]
    Cluster(String),
}

/// One namespace of a cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
    namespace: String,
    observed: Observed,
}

impl Cluster {
    pub(crate) fn new(client: Client, namespace: &str) -> Self {
        let observed = Observed::default();
        Self { client: observed.observe(client, namespace), namespace: namespace.to_owned(), observed }
    }

    /// Whether the API server answers.
    pub(crate) async fn reachability(&self) -> Reachability {
        self.observed.reachability(&self.client).await
    }

    /// Finds the cluster, checks that it responds and grants every permission, and chooses how endpoints are written if the settings do
    /// not.
    pub(crate) async fn connect(settings: &mut Settings) -> Result<Self, ConnectError> {
        settings.validate().map_err(ConnectError::Settings)?;
        let Found { client, url, inside } = find::find(&settings.cluster).await?;
        tokio::time::timeout(CALL_TIMEOUT, client.apiserver_version())
            .await
            .map_err(|_| ConnectError::Cluster(format!("The cluster at {url} does not respond.")))?
            .map_err(|error| ConnectError::Cluster(format!("The cluster at {url} does not respond as expected: {}", client_error(&error))))?;
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

    /// The objects of one kind that a label selector matches.
    pub(crate) async fn list<K>(&self, selector: &str) -> Result<Vec<K>, RuntimeError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let params = ListParams::default().labels(selector);
        let list: ObjectList<K> = call(&format!("list the {}", K::plural(&K::DynamicType::default())), self.api::<K>().list(&params)).await?;
        Ok(list.items)
    }

    /// The metadata of the objects of one kind that a label selector matches.
    pub(crate) async fn list_metadata<K>(&self, selector: &str) -> Result<Vec<PartialObjectMeta<K>>, RuntimeError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let params = ListParams::default().labels(selector);
        let list = call(&format!("list the {}", K::plural(&K::DynamicType::default())), self.api::<K>().list_metadata(&params)).await?;
        Ok(list.items)
    }

    /// Creates an object unless it exists.
    pub(crate) async fn create<K>(&self, object: &K) -> Result<(), RuntimeError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned + Serialize,
        K::DynamicType: Default,
    {
        let (kind, name) = (K::kind(&K::DynamicType::default()).into_owned(), object.name_any());
        let creation = async {
            match self.api::<K>().create(&PostParams::default(), object).await {
                Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
                created => created.map(drop),
            }
        };
        call(&format!("create the {kind} {name}"), creation).await
    }

    /// Deletes an object if it exists. With a `uid`, another object of the same name is not deleted.
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

impl Cluster {
    /// Deletes all objects of one kind that a label selector matches.
    pub(crate) async fn delete_all<K>(&self, selector: &str) -> Result<(), RuntimeError>
    where
        K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
        K::DynamicType: Default,
    {
        let (objects, params, selected) = (self.api::<K>(), DeleteParams::background(), ListParams::default().labels(selector));
        let deletion = objects.delete_collection(&params, &selected);
        call(&format!("delete the {}", K::plural(&K::DynamicType::default())), deletion).await.map(drop)
    }

    /// Deletes a pod with a grace period in seconds, or shortens the grace period of one that is being deleted.
    pub(crate) async fn stop_pod(&self, pod: &Pod, grace: u32) -> Result<(), RuntimeError> {
        let (name, meta) = (pod.metadata.name.as_deref().unwrap_or_default(), &pod.metadata);
        let ends_in_time = meta.deletion_grace_period_seconds.is_some_and(|present| present <= i64::from(grace));
        if meta.deletion_timestamp.is_some() && ends_in_time {
            return Ok(());
        }
        self.delete::<Pod>(name, meta.uid.clone(), DeleteParams::default().grace_period(grace)).await
    }
}

/// Awaits one API call with the time-out; `what` names the action.
pub(crate) async fn call<T>(what: &str, request: impl Future<Output = kube::Result<T>>) -> Result<T, RuntimeError> {
    match tokio::time::timeout(CALL_TIMEOUT, request).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(runtime_error(what, &error)),
        Err(_) => Err(RuntimeError::temporary(
            ReasonCode::RuntimeUnavailable,
            format!("Cannot {what}: the API server did not respond within {} seconds", CALL_TIMEOUT.as_secs()),
        )),
    }
}

async fn resolves(name: &str) -> bool {
    let lookup = tokio::time::timeout(Duration::from_secs(2), tokio::net::lookup_host((name, 443))).await;
    lookup.is_ok_and(|answer| answer.is_ok())
}
