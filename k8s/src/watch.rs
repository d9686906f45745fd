//! Watches the objects of all instances and yields the instances that changed.
//!
//! EndpointSlices are not watched: they follow from the readiness of the pod and from the Service, which are. They follow with a delay,
//! and the nodes follow them with another, so a health check that a nudge has triggered is confirmed by a second one in any case.

mod memory;

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::StatefulSet,
        core::v1::{Event as ClusterEvent, PersistentVolumeClaim, Pod, Secret, Service},
        networking::v1::NetworkPolicy,
    },
};
use kube::{
    Resource,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use toygres_domain::runtime::Nudge;

use crate::{
    build::names::{self, MANAGED_SELECTOR},
    cluster::{Cluster, call},
    errors::client_error,
    restart::Restarts,
};
use memory::{Death, Objects, PodChange, Pods};

/// How many deaths are checked at the same time.
const CONCURRENT_CHECKS: usize = 8;

/// The nudges of all instances. The stream never ends: a watch that fails is restarted after a pause, and a comparison with the
/// previous state finds what changed meanwhile.
pub(crate) fn nudges(cluster: &Cluster) -> BoxStream<'static, Nudge> {
    let labelled = watcher::Config::default().labels(MANAGED_SELECTOR);
    let mut pods = Pods::default();
    let changes = restarting(watcher(cluster.api::<Pod>(), labelled)).map(move |event| pods.apply(event)).flat_map(stream::iter);
    let cluster_of_pods = cluster.clone();
    let pods = changes.map(move |change| nudge(cluster_of_pods.clone(), change)).buffered(CONCURRENT_CHECKS);
    stream::select_all([
        pods.boxed(),
        objects::<StatefulSet>(cluster),
        objects::<PersistentVolumeClaim>(cluster),
        objects::<Service>(cluster),
        objects::<NetworkPolicy>(cluster),
        objects::<Secret>(cluster),
        warnings(cluster),
    ])
    .boxed()
}

/// The nudge for a change of a pod. A death is reported unless a restart planned it: the restart was recorded before the pod was
/// deleted, so a StatefulSet that is read after the death contains the record, however late the watch is. A death is not reported
/// either if that cannot be found out: the next health check confirms it.
async fn nudge(cluster: Cluster, PodChange { instance, death }: PodChange) -> Nudge {
    let Some(Death { pod_uid, reason }) = death else { return Nudge { instance, death: None } };
    let name = names::object(instance);
    let sets = cluster.api::<StatefulSet>();
    let planned = match call(&format!("get the StatefulSet {name}"), sets.get_metadata_opt(&name)).await {
        Ok(set) => set.is_some_and(|set| Restarts::of(&set.metadata).stops(pod_uid.as_deref())),
        Err(error) => {
            tracing::warn!(error = error.reason.message, %instance, "the end of a pod is not reported");
            true
        }
    };
    Nudge { instance, death: (!planned).then_some(reason) }
}

/// The nudges of one kind of objects, of which only the metadata is fetched, because a nudge only says that something changed.
fn objects<K>(cluster: &Cluster) -> BoxStream<'static, Nudge>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    K::DynamicType: Default + Send + Sync,
{
    let mut known = Objects::default();
    let labelled = watcher::Config::default().labels(MANAGED_SELECTOR);
    restarting(watcher(cluster.api::<PartialObjectMeta<K>>(), labelled)).map(move |event| known.apply(event)).flat_map(stream::iter).boxed()
}

/// The nudges of warnings. They have no labels; the instance follows from the name of the object. Warnings that exist when the
/// watch begins are ignored.
fn warnings(cluster: &Cluster) -> BoxStream<'static, Nudge> {
    let warnings = watcher::Config::default().fields("type=Warning");
    restarting(watcher(cluster.api::<ClusterEvent>(), warnings))
        .filter_map(|event| async move {
            let Event::Apply(event) = event else { return None };
            let instance = names::instance_of_object(event.involved_object.name.as_deref()?)?;
            Some(Nudge { instance, death: None })
        })
        .boxed()
}

/// The events of a watch that is restarted after a pause when it fails. Errors are logged.
fn restarting<K: Send + 'static>(events: impl futures::Stream<Item = watcher::Result<Event<K>>> + Send + 'static) -> BoxStream<'static, Event<K>> {
    events.default_backoff().filter_map(|event| async move { event.inspect_err(log).ok() }).boxed()
}

/// Logs the error of a watch. A watch that ends is restarted, and whether the API server can be reached is logged elsewhere, once for
/// all calls ([`reachability`](toygres_domain::runtime::Runtime::reachability)). What remains is a refusal.
fn log(error: &watcher::Error) {
    let refusal = match error {
        // A resource version that is too old (410) is how the API server ends any watch after a while.
        watcher::Error::WatchError(status) => Some(status).filter(|status| status.code != 410),
        watcher::Error::InitialListFailed(kube::Error::Api(status)) | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => Some(status),
        _ => None,
    };
    match refusal.filter(|status| status.code < 500) {
        Some(status) => tracing::warn!(error = status.message, "a watch of the cluster was refused and is restarted"),
        None => tracing::debug!(error = text(error), "a watch of the cluster is restarted"),
    }
}

fn text(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            client_error(error)
        }
        other => other.to_string(),
    }
}
