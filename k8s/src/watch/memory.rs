//! What a watch has seen: it tells what changed from what is only told again, also over a gap in the watch.

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
    observe::{death, is_ready, restarts},
};

/// How old a ready pod is that nobody can be waiting for any more.
const YOUTH: SignedDuration = SignedDuration::from_secs(60);

/// The objects of one kind, of which only the version matters.
#[derive(Default)]
pub(super) struct Objects {
    known: HashMap<String, Version>,
    listed: HashSet<String>,
    primed: bool,
}

struct Version {
    instance: InstanceId,
    version: Option<String>,
}

impl Objects {
    /// Takes in an event, and says whom it concerns. The first list is no news: whoever begins to listen has just looked.
    pub(super) fn learn<K: Resource>(&mut self, event: Event<PartialObjectMeta<K>>) -> Vec<Nudge> {
        match event {
            Event::Apply(object) => self.see(&object.metadata).into_iter().collect(),
            Event::Delete(object) => self.known.remove(&name(&object.metadata)).map(|gone| nudge(gone.instance)).into_iter().collect(),
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listed.insert(name(&object.metadata));
                self.see(&object.metadata).filter(|_| self.primed).into_iter().collect()
            }
            Event::InitDone => {
                self.primed = true;
                let listed = std::mem::take(&mut self.listed);
                self.known.extract_if(|name, _| !listed.contains(name)).map(|(_, gone)| nudge(gone.instance)).collect()
            }
        }
    }

    fn see(&mut self, meta: &ObjectMeta) -> Option<Nudge> {
        let instance = names::instance_of_labels(meta)?;
        let version = meta.resource_version.clone();
        let before = self.known.insert(name(meta), Version { instance, version: version.clone() });
        before.is_none_or(|before| before.version != version).then(|| nudge(instance))
    }
}

/// The pods, of which the deaths of their servers are told, each once.
#[derive(Default)]
pub(super) struct Pods {
    known: HashMap<String, Life>,
    listed: HashSet<String>,
}

/// What is remembered of a pod.
struct Life {
    instance: InstanceId,
    uid: Option<String>,
    version: Option<String>,
    restarts: i32,
    dead: bool,
}

impl Pods {
    /// Takes in an event, and says whom it concerns and whether it was a death. Of the first list, only pods that are young
    /// or not ready are news: somebody may be waiting for them.
    pub(super) fn learn(&mut self, event: Event<Pod>) -> Vec<Nudge> {
        match event {
            Event::Apply(pod) => self.see(&pod),
            Event::Delete(pod) => self.lose(&name(&pod.metadata), Some(&pod)).into_iter().collect(),
            Event::Init => {
                self.listed.clear();
                Vec::new()
            }
            Event::InitApply(pod) => {
                let name = name(&pod.metadata);
                let old_news = match self.known.get(&name) {
                    Some(life) => life.version == pod.metadata.resource_version,
                    None => is_settled(&pod),
                };
                self.listed.insert(name);
                let nudges = self.see(&pod);
                if old_news { Vec::new() } else { nudges }
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                let gone: Vec<String> = self.known.keys().filter(|name| !listed.contains(*name)).cloned().collect();
                gone.iter().filter_map(|name| self.lose(name, None)).collect()
            }
        }
    }

    fn see(&mut self, pod: &Pod) -> Vec<Nudge> {
        let Some(instance) = names::instance_of_labels(&pod.metadata) else { return Vec::new() };
        let name = name(&pod.metadata);
        // A pod of the same name and another uid: the one before it went unseen.
        let predecessor = self.known.get(&name).is_some_and(|life| life.uid != pod.metadata.uid);
        let mut nudges: Vec<Nudge> = predecessor.then(|| self.lose(&name, None)).flatten().into_iter().collect();

        let (restarts, last_end) = restarts(pod);
        let death = death(pod);
        let life = Life { instance, uid: pod.metadata.uid.clone(), version: pod.metadata.resource_version.clone(), restarts, dead: death.is_some() };
        let (was_dead, restarted) = self.known.insert(name, life).map_or((false, false), |before| (before.dead, restarts > before.restarts));
        let news = match death {
            // The end itself. A container that is dead again after a restart died once more.
            Some(death) => (!was_dead || restarted).then_some(death),
            // The next start was faster than the watch: the end shows only as one restart more.
            None if restarted && !was_dead => {
                Some(last_end.unwrap_or_else(|| Reason::new(ReasonCode::ProcessExited, "The server was started again")))
            }
            None => None,
        };
        nudges.push(Nudge { instance, death: news });
        nudges
    }

    /// A pod that is gone: a death, unless its server's end was told already.
    fn lose(&mut self, name: &str, last_seen: Option<&Pod>) -> Option<Nudge> {
        let life = self.known.remove(name)?;
        let reason = || last_seen.and_then(death).unwrap_or_else(|| Reason::new(ReasonCode::ProcessExited, format!("The pod {name} is gone")));
        Some(Nudge { instance: life.instance, death: (!life.dead).then(reason) })
    }
}

fn is_settled(pod: &Pod) -> bool {
    let young = |created: &Time| Timestamp::now().duration_since(created.0) < YOUTH;
    is_ready(pod) && !pod.metadata.creation_timestamp.as_ref().is_some_and(young)
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

    fn deaths(nudges: &[Nudge]) -> usize {
        nudges.iter().filter(|nudge| nudge.death.is_some()).count()
    }

    #[test]
    fn each_death_is_told_once_at_its_first_sign() {
        let mut pods = Pods::default();
        let mut told = Vec::new();
        for (kind, pod) in recorded() {
            let dying = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Succeeded");
            let event = if kind == "DELETED" { Event::Delete(pod) } else { Event::Apply(pod) };
            let nudges = pods.learn(event);
            assert!(!nudges.is_empty(), "every change is a nudge");
            told.push((dying, deaths(&nudges)));
        }
        assert_eq!(told.iter().map(|(_, deaths)| deaths).sum::<usize>(), 2, "two pods died: {told:?}");
        let first = told.iter().position(|(dying, _)| *dying).unwrap();
        assert_eq!(told[first].1, 1, "the death is told when the server ends, not when the pod is gone");
    }

    #[test]
    fn a_list_tells_what_the_watch_missed() {
        let mut recorded = recorded();
        let (_, second) =
            recorded.swap_remove(recorded.iter().position(|(_, pod)| pod.metadata.resource_version.as_deref() == Some("2443")).unwrap());
        let (_, first) = recorded.swap_remove(0);
        let mut pods = Pods::default();
        let mut list = |pod: Option<&Pod>| {
            let mut nudges = pods.learn(Event::Init);
            nudges.extend(pod.into_iter().flat_map(|pod| pods.learn(Event::InitApply(pod.clone()))));
            nudges.extend(pods.learn(Event::InitDone));
            nudges
        };
        assert!(list(Some(&first)).is_empty(), "a pod that has long been ready is no news");
        assert!(list(Some(&first)).is_empty(), "nor is it when it is listed again");
        assert_eq!(deaths(&list(Some(&second))), 1, "another pod of the same name: the one before it died");
        assert_eq!(deaths(&list(None)), 1);
        assert!(list(None).is_empty());
    }

    #[test]
    fn a_crash_loop_tells_every_death() {
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
            assert_eq!(deaths(&pods.learn(state(restarts, running))), expected, "step {step}");
        }
    }
}
