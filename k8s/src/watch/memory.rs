//! The last known state of the watched objects, which distinguishes changes from repeated events, also after a gap in the watch.

use std::collections::{HashMap, HashSet};

use k8s_openapi::{
    api::core::v1::Pod,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
    jiff::{SignedDuration, Timestamp},
};
use kube::{Resource, core::PartialObjectMeta, runtime::watcher::Event};
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    runtime::Nudge,
};

use crate::{
    build::names,
    observe::{container_restarts, death, has_run, is_ready},
};

/// The age up to which a workflow may still wait for a pod to become ready.
const NEW: SignedDuration = SignedDuration::from_secs(60);

/// The resource versions of the objects of one kind.
#[derive(Default)]
pub(super) struct Objects {
    known: HashMap<String, Version>,
    listed: HashSet<String>,
    initialized: bool,
}

struct Version {
    instance: InstanceId,
    version: Option<String>,
}

impl Objects {
    /// Applies an event; returns the instances that changed. The first list contains no changes.
    pub(super) fn apply<K: Resource>(&mut self, event: Event<PartialObjectMeta<K>>) -> Vec<Nudge> {
        match event {
            Event::Apply(object) => self.update(&object.metadata).into_iter().collect(),
            Event::Delete(object) => self.known.remove(&name(&object.metadata)).map(|gone| nudge(gone.instance)).into_iter().collect(),
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listed.insert(name(&object.metadata));
                self.update(&object.metadata).filter(|_| self.initialized).into_iter().collect()
            }
            Event::InitDone => {
                self.initialized = true;
                let listed = std::mem::take(&mut self.listed);
                self.known.extract_if(|name, _| !listed.contains(name)).map(|(_, gone)| nudge(gone.instance)).collect()
            }
        }
    }

    fn update(&mut self, meta: &ObjectMeta) -> Option<Nudge> {
        let instance = names::instance_of_labels(meta)?;
        let version = meta.resource_version.clone();
        let before = self.known.insert(name(meta), Version { instance, version: version.clone() });
        before.is_none_or(|before| before.version != version).then(|| nudge(instance))
    }
}

/// The pods. Every death of a server is reported once.
#[derive(Default)]
pub(super) struct Pods {
    known: HashMap<String, KnownPod>,
    listed: HashSet<String>,
}

/// A change of a pod.
#[derive(Debug)]
pub(super) struct PodChange {
    pub(super) instance: InstanceId,
    /// The death of the server in the pod, if that is the change.
    pub(super) death: Option<Death>,
}

/// The death of a server: whether it was planned is unknown here.
#[derive(Debug)]
pub(super) struct Death {
    pub(super) pod_uid: Option<String>,
    pub(super) reason: Reason,
}

/// The last known state of a pod.
struct KnownPod {
    instance: InstanceId,
    uid: Option<String>,
    version: Option<String>,
    restarts: i32,
    /// Whether its server has ever run.
    has_run: bool,
    dead: bool,
}

impl Pods {
    /// Applies an event; returns the changes. Of the first list, only pods that are new or not ready count as changed, because
    /// a workflow may wait for them.
    pub(super) fn apply(&mut self, event: Event<Pod>) -> Vec<PodChange> {
        match event {
            Event::Apply(pod) => self.update(&pod),
            Event::Delete(pod) => self.remove(&name(&pod.metadata), Some(&pod)).into_iter().collect(),
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply(pod) => {
                let name = name(&pod.metadata);
                let unchanged = match self.known.get(&name) {
                    Some(known) => known.version == pod.metadata.resource_version,
                    None => is_settled(&pod),
                };
                self.listed.insert(name);
                let changes = self.update(&pod);
                if unchanged { Vec::new() } else { changes }
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                let gone: Vec<String> = self.known.keys().filter(|name| !listed.contains(*name)).cloned().collect();
                gone.iter().filter_map(|name| self.remove(name, None)).collect()
            }
        }
    }

    fn update(&mut self, pod: &Pod) -> Vec<PodChange> {
        let Some(instance) = names::instance_of_labels(&pod.metadata) else { return Vec::new() };
        let name = name(&pod.metadata);
        // A pod of the same name with another uid: the deletion of its predecessor was not seen.
        let predecessor = self.known.get(&name).is_some_and(|known| known.uid != pod.metadata.uid);
        let mut changes: Vec<PodChange> = predecessor.then(|| self.remove(&name, None)).flatten().into_iter().collect();

        let (restarts, last_end) = container_restarts(pod);
        // Of a server: the pod of a restoration ends when it is done.
        let death = death(pod).filter(|_| !names::is_of_job(&pod.metadata));
        let known = KnownPod {
            instance,
            uid: pod.metadata.uid.clone(),
            version: pod.metadata.resource_version.clone(),
            restarts,
            has_run: has_run(pod),
            dead: death.is_some(),
        };
        let (was_dead, restarted) = self.known.insert(name, known).map_or((false, false), |before| (before.dead, restarts > before.restarts));
        let reason = match death {
            // A container that has terminated again after a restart is another death.
            Some(death) => (!was_dead || restarted).then_some(death),
            // The container was restarted between two events: only the number of restarts shows it.
            None if restarted && !was_dead => Some(last_end.unwrap_or_else(|| Reason::new(ReasonCode::ProcessExited, "The container was restarted"))),
            None => None,
        };
        let death = reason.map(|reason| Death { pod_uid: pod.metadata.uid.clone(), reason });
        changes.push(PodChange { instance, death });
        changes
    }

    /// Removes a pod. That is a death unless the end of its server was reported already, or it never ran: a pod that waited for a node
    /// is deleted too, by a drain for example.
    fn remove(&mut self, name: &str, last_seen: Option<&Pod>) -> Option<PodChange> {
        let known = self.known.remove(name)?;
        let reason = || last_seen.and_then(death).unwrap_or_else(|| Reason::new(ReasonCode::ProcessExited, format!("The pod {name} was deleted")));
        let ran = last_seen.map_or(known.has_run, has_run);
        let death = (ran && !known.dead).then(|| Death { reason: reason(), pod_uid: known.uid });
        Some(PodChange { instance: known.instance, death })
    }
}

fn is_settled(pod: &Pod) -> bool {
    let new = |created: &Time| Timestamp::now().duration_since(created.0) < NEW;
    is_ready(pod) && !pod.metadata.creation_timestamp.as_ref().is_some_and(new)
}

fn nudge(instance: InstanceId) -> Nudge {
    Nudge { instance, death: None }
}

fn name(meta: &ObjectMeta) -> String {
    meta.name.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn recorded() -> Vec<(String, Pod)> {
        include_str!("../../tests/observed/pod-kill-and-delete.watch.jsonl")
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|event| event["object"]["kind"] == "Pod")
            .map(|event| (event["type"].as_str().unwrap().to_owned(), serde_json::from_value(event["object"].clone()).unwrap()))
            .collect()
    }

    fn deaths(changes: &[PodChange]) -> usize {
        changes.iter().filter(|change| change.death.is_some()).count()
    }

    #[test]
    fn each_death_is_reported_once_when_the_server_ends() {
        let mut pods = Pods::default();
        let mut reported = Vec::new();
        for (kind, pod) in recorded() {
            let dying = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Succeeded");
            let event = if kind == "DELETED" { Event::Delete(pod) } else { Event::Apply(pod) };
            let changes = pods.apply(event);
            assert!(!changes.is_empty());
            reported.push((dying, deaths(&changes)));
        }
        assert_eq!(reported.iter().map(|(_, deaths)| deaths).sum::<usize>(), 2, "two pods died: {reported:?}");
        let first = reported.iter().position(|(dying, _)| *dying).unwrap();
        assert_eq!(reported[first].1, 1, "the death is reported when the server ends, not when the pod is deleted");
    }

    #[test]
    fn a_list_contains_what_the_watch_missed() {
        let mut recorded = recorded();
        let (_, second) =
            recorded.swap_remove(recorded.iter().position(|(_, pod)| pod.metadata.resource_version.as_deref() == Some("2443")).unwrap());
        let (_, first) = recorded.swap_remove(0);
        let mut pods = Pods::default();
        let mut list = |pod: Option<&Pod>| {
            let mut changes = pods.apply(Event::Init);
            changes.extend(pod.into_iter().flat_map(|pod| pods.apply(Event::InitApply(pod.clone()))));
            changes.extend(pods.apply(Event::InitDone));
            changes
        };
        assert!(list(Some(&first)).is_empty(), "a pod that became ready long ago has not changed");
        assert!(list(Some(&first)).is_empty(), "nor when it is listed again");
        assert_eq!(deaths(&list(Some(&second))), 1, "another pod of the same name: its predecessor died");
        assert_eq!(deaths(&list(None)), 1);
        assert!(list(None).is_empty());
    }

    /// As in a drain: the pod ends, and its successor waits for a node until it is deleted too.
    #[test]
    fn a_pod_that_never_ran_does_not_die() {
        let mut pods = Pods::default();
        let version = |pod: &Pod| pod.metadata.resource_version.clone().unwrap_or_default();
        let recorded = recorded();
        let end = recorded.iter().position(|(_, pod)| version(pod) == "2401").unwrap();
        let mut died = 0;
        for (kind, pod) in &recorded[..=end] {
            let event = if kind == "DELETED" { Event::Delete(pod.clone()) } else { Event::Apply(pod.clone()) };
            died += deaths(&pods.apply(event));
        }
        assert_eq!(died, 1, "the first pod died");
        let changes = pods.apply(Event::Delete(recorded[end].1.clone()));
        assert_eq!((changes.len(), deaths(&changes)), (1, 0), "its successor has changed, and did not die");
    }

    #[test]
    fn every_death_of_a_crash_loop_is_reported() {
        let (_, pod) = recorded().swap_remove(0);
        let state = |restarts: i32, running: bool| {
            let mut pod = serde_json::to_value(&pod).unwrap();
            let container = &mut pod["status"]["containerStatuses"][0];
            container["restartCount"] = json!(restarts);
            container["state"] = if running { json!({"running": {}}) } else { json!({"terminated": {"exitCode": 1}}) };
            Event::Apply(serde_json::from_value::<Pod>(pod).unwrap())
        };
        let mut pods = Pods::default();
        let steps = [(0, true, 0), (0, false, 1), (0, false, 0), (1, true, 0), (1, false, 1), (2, false, 1), (3, true, 0), (4, true, 1)];
        for (step, (restarts, running, expected)) in steps.into_iter().enumerate() {
            assert_eq!(deaths(&pods.apply(state(restarts, running))), expected, "step {step}");
        }
    }
}
