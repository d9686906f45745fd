//! Fetches what an observation is made of.

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

use super::{Seen, observation, suspect};
use crate::{
    Settings,
    build::names,
    cluster::{Cluster, call},
};

/// Looks at the instance.
pub(crate) async fn observe(cluster: &Cluster, settings: &Settings, id: InstanceId) -> Result<Observation, RuntimeError> {
    let mut seen = fetch(cluster, id).await?;
    if let Some((kind, name)) = suspect(id, &seen) {
        let events = cluster.api::<Event>();
        let about = ListParams::default().fields(&format!("involvedObject.kind={kind},involvedObject.name={name}"));
        let list = call(&format!("list the events of the {kind} {name}"), events.list(&about)).await?;
        seen.events = of_this_life(list.items, &seen);
    }
    Ok(observation(id, &seen, settings, Timestamp::now()))
}

async fn fetch(cluster: &Cluster, id: InstanceId) -> Result<Seen, RuntimeError> {
    let selector = names::selector(id);
    let name = names::object(id);
    let (sets, policies) = (cluster.api::<StatefulSet>(), cluster.api::<NetworkPolicy>());
    let (stateful_set, pods, claims, services) = tokio::try_join!(
        async { call(&format!("look at the StatefulSet {name}"), sets.get_opt(&name)).await },
        cluster.list::<Pod>(&selector),
        cluster.list::<PersistentVolumeClaim>(&selector),
        cluster.list::<Service>(&selector),
    )?;
    // Only when there is no set does anything depend on the policy: whether there is nothing at all.
    let network_policy =
        stateful_set.is_some() || call(&format!("look for the NetworkPolicy {name}"), policies.get_metadata_opt(&name)).await?.is_some();
    Ok(Seen { stateful_set, pods, claims, services, network_policy, events: Vec::new() })
}

/// Leaves out the events of an earlier object of the same name: pods keep their name from life to life.
fn of_this_life(events: Vec<Event>, seen: &Seen) -> Vec<Event> {
    let uids: Vec<&String> = [
        seen.stateful_set.iter().map(|set| &set.metadata).collect::<Vec<_>>(),
        seen.pods.iter().map(|pod| &pod.metadata).collect(),
        seen.claims.iter().map(|claim| &claim.metadata).collect(),
        seen.services.iter().map(|service| &service.metadata).collect(),
    ]
    .into_iter()
    .flatten()
    .filter_map(|meta| meta.uid.as_ref())
    .collect();
    events.into_iter().filter(|event| event.involved_object.uid.as_ref().is_none_or(|uid| uids.contains(&uid))).collect()
}
