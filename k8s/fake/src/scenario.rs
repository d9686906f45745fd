//! The recorded outcomes of a pod.

use serde_json::{Value, json};

use super::recordings;

/// What happens to the pods that are created next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// They become ready.
    #[default]
    Running,
    /// Their image does not exist.
    Image,
    /// No node has enough resources.
    Unschedulable,
    /// Their volume's storage class does not exist.
    Volume,
    /// Their server exits soon after its start.
    Crash,
    /// Their server exceeds its memory limit.
    OutOfMemory,
    /// A quota forbids them.
    Quota,
}

impl Scenario {
    fn file(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Image => "image",
            Self::Unschedulable => "unschedulable",
            Self::Volume => "volume",
            Self::Crash => "crash",
            Self::OutOfMemory => "oom",
            Self::Quota => "quota",
        }
    }

    /// The outcome that a pod would have on a real cluster: the failures that `scripts/test-k8s` provokes.
    pub(super) fn of(pod: &Value, claim: Option<&Value>) -> Self {
        let container = &pod["spec"]["containers"][0];
        let cores = container["resources"]["requests"]["cpu"].as_str().unwrap_or_default().trim_end_matches('m').parse().unwrap_or(0);
        if claim.is_some_and(|claim| claim["spec"]["storageClassName"].as_str().is_some_and(|class| class != "standard")) {
            Self::Volume
        } else if cores >= 64_000 {
            Self::Unschedulable
        } else if container["image"].as_str().is_some_and(|image| image.ends_with("does-not-exist")) {
            Self::Image
        } else {
            Self::Running
        }
    }

    /// The final status of a pod, or `None` if no pod is created.
    pub fn pod_status(self) -> Option<Value> {
        Some(recordings::items(&format!("{}.json", self.file()), "Pod").pop()?["status"].take())
    }

    /// The final status of a volume claim.
    pub fn claim_status(self) -> Value {
        recordings::items(&format!("{}.json", self.file()), "PersistentVolumeClaim").pop().unwrap()["status"].take()
    }

    /// The recorded warnings about an object of a kind, rewritten for `name` and `uid`.
    pub fn warnings(self, kind: &str, name: &str, uid: &Value) -> Vec<Value> {
        let events = recordings::items(&format!("{}.events.json", self.file()), "Event");
        let about = events.into_iter().filter(|event| event["involvedObject"]["kind"] == kind && event["type"] == "Warning");
        about
            .enumerate()
            .map(|(number, mut event)| {
                event["involvedObject"]["name"] = json!(name);
                event["involvedObject"]["uid"] = uid.clone();
                event["metadata"] = json!({"name": format!("{name}.{kind}.{number}").to_lowercase()});
                event
            })
            .collect()
    }
}

/// The status of a pod whose server was stopped.
pub fn stopped() -> Value {
    let lines = recordings::read_lines("pod-kill-and-delete.watch.jsonl");
    let last = lines.into_iter().rev().find(|line| line["type"] == "DELETED" && line["object"]["kind"] == "Pod").unwrap();
    last["object"]["status"].clone()
}

/// The status of a pod whose server exits soon after its start, with the end of its log.
pub fn crashed(message: &str) -> Value {
    let mut status = Scenario::Crash.pod_status().expect("it was recorded");
    for state in ["state", "lastState"] {
        let ended = &mut status["containerStatuses"][0][state]["terminated"];
        if !ended.is_null() {
            ended["message"] = json!(message);
        }
    }
    status
}
