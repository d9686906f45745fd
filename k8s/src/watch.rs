//! Watches the objects of all instances and says which instance to look at.

mod memory;

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::StatefulSet,
        core::v1::{Event as ClusterEvent, PersistentVolumeClaim, Pod, Service},
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
    cluster::Cluster,
    errors::client_error,
};
use memory::{Objects, Pods};

/// The nudges of all instances. The stream never ends: a watch that breaks is begun anew, after a pause, and what changed
/// meanwhile is told by comparing.
pub(crate) fn nudges(cluster: &Cluster) -> BoxStream<'static, Nudge> {
    let labelled = watcher::Config::default().labels(MANAGED_SELECTOR);
    let mut pods = Pods::default();
    let pods = reliable(watcher(cluster.api::<Pod>(), labelled)).map(move |event| pods.learn(event)).flat_map(stream::iter);
    stream::select_all([
        pods.boxed(),
        objects::<StatefulSet>(cluster),
        objects::<PersistentVolumeClaim>(cluster),
        objects::<Service>(cluster),
        warnings(cluster),
    ])
    .boxed()
}

/// Nudges from the objects of one kind, of which only the metadata is fetched: that something changed is all there is to say.
fn objects<K>(cluster: &Cluster) -> BoxStream<'static, Nudge>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    K::DynamicType: Default + Send + Sync,
{
    let mut memory = Objects::default();
    let labelled = watcher::Config::default().labels(MANAGED_SELECTOR);
    reliable(watcher(cluster.api::<PartialObjectMeta<K>>(), labelled)).map(move |event| memory.learn(event)).flat_map(stream::iter).boxed()
}

/// Nudges from warnings. They carry no labels; the names of their objects say whose they are. What is listed when the
/// watch begins is old.
fn warnings(cluster: &Cluster) -> BoxStream<'static, Nudge> {
    let warnings = watcher::Config::default().fields("type=Warning");
    reliable(watcher(cluster.api::<ClusterEvent>(), warnings))
        .filter_map(|event| async move {
            let Event::Apply(event) = event else { return None };
            let instance = names::instance_of_object(event.involved_object.name.as_deref()?)?;
            Some(Nudge { instance, death: None })
        })
        .boxed()
}

/// The events of a watch, without its errors: they are logged, and the watch goes on after a pause.
fn reliable<K: Send + 'static>(events: impl futures::Stream<Item = watcher::Result<Event<K>>> + Send + 'static) -> BoxStream<'static, Event<K>> {
    events.default_backoff().filter_map(|event| async move { event.inspect_err(tell).ok() }).boxed()
}

/// Logs what broke a watch. That a version is too old to resume from is how the API server ends any watch in time.
fn tell(error: &watcher::Error) {
    let why = match error {
        watcher::Error::WatchError(status) if status.code == 410 => {
            tracing::debug!("a watch of the cluster begins anew");
            return;
        }
        watcher::Error::WatchError(status) => status.message.clone(),
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
            client_error(error)
        }
        other @ watcher::Error::NoResourceVersion => other.to_string(),
    };
    tracing::warn!(why, "a watch of the cluster broke and begins anew");
}
