//! The objects, their versions and their history.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{NAMESPACE, Scenario};

/// A kind of objects: resource, group, version, kind.
pub(crate) struct Kind {
    pub(crate) resource: &'static str,
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
}

const KINDS: [Kind; 7] = [
    Kind { resource: "pods", group: "", version: "v1", kind: "Pod" },
    Kind { resource: "secrets", group: "", version: "v1", kind: "Secret" },
    Kind { resource: "services", group: "", version: "v1", kind: "Service" },
    Kind { resource: "persistentvolumeclaims", group: "", version: "v1", kind: "PersistentVolumeClaim" },
    Kind { resource: "events", group: "", version: "v1", kind: "Event" },
    Kind { resource: "statefulsets", group: "apps", version: "v1", kind: "StatefulSet" },
    Kind { resource: "networkpolicies", group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy" },
];

impl Kind {
    pub(crate) fn of(resource: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.resource == resource)
    }

    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// One entry of the history that watches read.
#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) kind: &'static str,
    pub(crate) resource: String,
    pub(crate) object: Value,
}

/// All objects of the namespace.
#[derive(Default)]
pub(crate) struct World {
    objects: BTreeMap<(String, String), Value>,
    /// What each manager applied last, by object.
    pub(super) applied: BTreeMap<(String, String), BTreeMap<String, Value>>,
    pub(super) history: Vec<Change>,
    /// The version that the history begins after.
    pub(super) forgotten: u64,
    pub(super) version: u64,
    /// What becomes of pods.
    pub(crate) scenario: Scenario,
    /// Whether the kubelet is cut off: pods that are to stop never do.
    pub(crate) node_lost: bool,
}

impl World {
    pub(crate) fn get(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects.get(&key(resource, name))
    }

    pub(crate) fn list<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |((r, _), _)| r == resource).map(|(_, object)| object)
    }

    pub(crate) fn everything(&self) -> BTreeSet<String> {
        self.objects.keys().filter(|(resource, _)| resource != "events").map(|(resource, name)| format!("{resource}/{name}")).collect()
    }

    /// Stores a new object, with all that the API server adds.
    pub(crate) fn create(&mut self, resource: &str, mut object: Value) -> Value {
        let kind = Kind::of(resource).unwrap();
        object["apiVersion"] = json!(kind.api_version());
        object["kind"] = json!(kind.kind);
        let number = self.version + 1;
        let meta = &mut object["metadata"];
        meta["namespace"] = json!(NAMESPACE);
        meta["uid"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
        meta["creationTimestamp"] = json!(now());
        meta["generation"] = json!(1);
        default(resource, number, &mut object);
        self.put("ADDED", resource, object)
    }

    /// Changes an object. As at a real server, a change that changes nothing is none.
    pub(crate) fn update(&mut self, resource: &str, name: &str, change: impl FnOnce(&mut Value)) -> Option<Value> {
        let before = self.get(resource, name)?.clone();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Some(before);
        }
        if after["spec"] != before["spec"] {
            after["metadata"]["generation"] = json!(before["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
        }
        if !after["metadata"]["deletionTimestamp"].is_null() && finalizers(&after).is_empty() && resource != "pods" {
            return Some(self.drop_object(resource, name, after));
        }
        Some(self.put("MODIFIED", resource, after))
    }

    /// Removes an object at once.
    pub(crate) fn remove(&mut self, resource: &str, name: &str) {
        if let Some(object) = self.get(resource, name).cloned() {
            self.drop_object(resource, name, object);
        }
    }

    /// Forgets the history: every watch ends, and none can resume from before.
    pub(crate) fn forget_history(&mut self) {
        self.version += 1;
        self.forgotten = self.version;
        self.history.clear();
    }

    fn drop_object(&mut self, resource: &str, name: &str, mut object: Value) -> Value {
        self.objects.remove(&key(resource, name));
        self.applied.remove(&key(resource, name));
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.record("DELETED", resource, object.clone());
        object
    }

    fn put(&mut self, kind: &'static str, resource: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        self.objects.insert(key(resource, &name), object.clone());
        self.record(kind, resource, object.clone());
        object
    }

    fn record(&mut self, kind: &'static str, resource: &str, object: Value) {
        self.history.push(Change { version: self.version, kind, resource: resource.to_owned(), object });
    }
}

pub(super) fn key(resource: &str, name: &str) -> (String, String) {
    (resource.to_owned(), name.to_owned())
}

pub(super) fn now() -> String {
    // The API server knows whole seconds only.
    Timestamp::from_second(Timestamp::now().as_second()).unwrap().to_string()
}

pub(super) fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

pub(super) fn finalizers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    list.into_iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}

pub(super) fn is_terminating(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Whether an object is of a selector's choice: `key=value` and `key`, joined by commas, over labels or fields.
pub(super) fn matches(selector: &str, value_of: impl Fn(&str) -> Option<String>) -> bool {
    selector.split(',').filter(|term| !term.is_empty()).all(|term| match term.split_once('=') {
        Some((key, value)) => value_of(key).as_deref() == Some(value.trim_start_matches('=')),
        None => value_of(term).is_some(),
    })
}

fn default(resource: &str, number: u64, object: &mut Value) {
    match resource {
        "services" => {
            let spec = object["spec"].as_object_mut().unwrap();
            spec.entry("type").or_insert(json!("ClusterIP"));
            spec.entry("clusterIP").or_insert(json!(format!("10.96.0.{}", number % 250 + 1)));
            object["status"] = json!({"loadBalancer": {}});
            if object["spec"]["type"] == "LoadBalancer" {
                object["metadata"]["finalizers"] = json!(["service.kubernetes.io/load-balancer-cleanup"]);
            }
        }
        "persistentvolumeclaims" => {
            object["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
            object["spec"].as_object_mut().unwrap().entry("storageClassName").or_insert(json!("standard"));
            object["status"] = json!({"phase": "Pending"});
        }
        "statefulsets" | "pods" => object["status"] = Value::Object(Map::new()),
        _ => {}
    }
}
