//! Reads the objects of an instance.

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{Event, PersistentVolumeClaim, Pod, Service},
        networking::v1::NetworkPolicy,
    },
    jiff::Timestamp,
};
use kube::api::ListParams;
use toygres_domain::{
    InstanceId,
    runtime::{Observation, RuntimeError},
};

use super::{Snapshot, events_of_interest, observation};
use crate::{
    Settings,
    build::names,
    cluster::{Cluster, call},
};

/// Observes the instance.
pub(crate) async fn observe(cluster: &Cluster, settings: &Settings, id: InstanceId) -> Result<Observation, RuntimeError> {
    let mut snapshot = fetch(cluster, id).await?;
    if let Some((kind, name)) = events_of_interest(id, &snapshot) {
        snapshot.events = of_existing_objects(events(cluster, kind, &name).await?, &snapshot);
    }
    Ok(observation(id, &snapshot, settings, Timestamp::now()))
}

/// The events of one object, and of earlier ones of its name.
pub(crate) async fn events(cluster: &Cluster, kind: &str, name: &str) -> Result<Vec<Event>, RuntimeError> {
    let events = cluster.api::<Event>();
    let about = ListParams::default().fields(&format!("involvedObject.kind={kind},involvedObject.name={name}"));
    Ok(call(&format!("list the events of the {kind} {name}"), events.list(&about)).await?.items)
}

async fn fetch(cluster: &Cluster, id: InstanceId) -> Result<Snapshot, RuntimeError> {
    let selector = names::selector(id);
    let name = names::object(id);
    let (sets, policies) = (cluster.api::<StatefulSet>(), cluster.api::<NetworkPolicy>());
    let (stateful_set, pods, claims, services) = tokio::try_join!(
        async { call(&format!("get the StatefulSet {name}"), sets.get_opt(&name)).await },
        cluster.list::<Pod>(&selector),
        cluster.list::<PersistentVolumeClaim>(&selector),
        cluster.list::<Service>(&selector),
    )?;
    // The policy only matters without a StatefulSet: it tells whether anything exists.
    let network_policy = stateful_set.is_some() || call(&format!("get the NetworkPolicy {name}"), policies.get_metadata_opt(&name)).await?.is_some();
    Ok(Snapshot { stateful_set, pods, claims, services, network_policy, events: Vec::new() })
}

/// Drops the events of earlier objects of the same name: every pod of an instance has the same name.
pub(crate) fn of_existing_objects(events: Vec<Event>, snapshot: &Snapshot) -> Vec<Event> {
    let uids: Vec<&String> = [
        snapshot.stateful_set.iter().map(|set| &set.metadata).collect::<Vec<_>>(),
        snapshot.pods.iter().map(|pod| &pod.metadata).collect(),
        snapshot.claims.iter().map(|claim| &claim.metadata).collect(),
        snapshot.services.iter().map(|service| &service.metadata).collect(),
    ]
    .into_iter()
    .flatten()
    .filter_map(|meta| meta.uid.as_ref())
    .collect();
    events.into_iter().filter(|event| event.involved_object.uid.as_ref().is_none_or(|uid| uids.contains(&uid))).collect()
}
