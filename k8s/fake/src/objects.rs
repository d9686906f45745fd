//! The objects, their resource versions and their history.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};
use toygres_k8s::build::names::ID_LABEL;

use super::{
    Exit, Expansion, NAMESPACE, Node, Scenario, containers::Stage, controllers::LOAD_BALANCER_CLEANUP, jobs, managed_fields, node, scenario,
};

/// A kind of objects: resource, group, version, kind.
pub struct Kind {
    pub resource: &'static str,
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
}

/// The logs of pods.
pub const LOGS: Kind = Kind { resource: "pods/log", group: "", version: "v1", kind: "Pod" };

/// The finalizer of [`FakeCluster::hold`].
const HOLD: &str = "example.com/hold";

/// Holds a claim while a pod uses it.
pub const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";

const KINDS: [Kind; 14] = [
    Kind { resource: "pods", group: "", version: "v1", kind: "Pod" },
    Kind { resource: "secrets", group: "", version: "v1", kind: "Secret" },
    Kind { resource: "services", group: "", version: "v1", kind: "Service" },
    Kind { resource: "persistentvolumeclaims", group: "", version: "v1", kind: "PersistentVolumeClaim" },
    Kind { resource: "events", group: "", version: "v1", kind: "Event" },
    // Those that were orphaned. The others come and go with their StatefulSet, and nothing reads them.
    Kind { resource: "controllerrevisions", group: "apps", version: "v1", kind: "ControllerRevision" },
    Kind { resource: "statefulsets", group: "apps", version: "v1", kind: "StatefulSet" },
    Kind { resource: "jobs", group: "batch", version: "v1", kind: "Job" },
    // A part of a pod.
    LOGS,
    Kind { resource: "networkpolicies", group: "networking.k8s.io", version: "v1", kind: "NetworkPolicy" },
    Kind { resource: "resourcequotas", group: "", version: "v1", kind: "ResourceQuota" },
    Kind { resource: "serviceaccounts", group: "", version: "v1", kind: "ServiceAccount" },
    Kind { resource: "roles", group: "rbac.authorization.k8s.io", version: "v1", kind: "Role" },
    Kind { resource: "rolebindings", group: "rbac.authorization.k8s.io", version: "v1", kind: "RoleBinding" },
];

impl Kind {
    pub fn of(resource: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.resource == resource)
    }

    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// One entry of the history that watches read.
#[derive(Clone)]
pub struct Change {
    pub version: u64,
    pub kind: &'static str,
    pub resource: String,
    pub object: Value,
}

/// All objects of the namespace.
#[derive(Default)]
pub struct FakeCluster {
    objects: BTreeMap<(String, String), Value>,
    /// The names of the objects of each instance, by resource and the label with its id.
    of_instances: BTreeMap<(String, String), BTreeSet<String>>,
    /// What each field manager applied last, by object.
    pub(super) applied: BTreeMap<(String, String), BTreeMap<String, Value>>,
    pub(super) history: Vec<Change>,
    /// The resource version after which the history begins.
    pub(super) discarded: u64,
    pub version: u64,
    /// What happens to new pods.
    pub scenario: Scenario,
    /// What happens to claims that ask for a larger size.
    pub expansion: Expansion,
    /// The size in GiB of the volumes of claims that ask for less.
    pub smallest_volume_gb: u64,
    /// Whether the kubelet is unreachable, so that no pod is ever confirmed to have stopped.
    pub node_lost: bool,
    /// Whether nothing comes through to pods, neither on new connections nor on established ones.
    pub network_lost: bool,
    /// The uids of the pods whose servers do not shut down, but are killed after the grace period.
    pub suspended: BTreeSet<String>,
    /// The uids of the claims whose volumes were initialised.
    pub initialised: BTreeSet<String>,
    /// Whether events of watches are held back.
    pub watches_held: bool,
    /// Whether the kubelet brings no Secret into a pod.
    pub mounts_held: bool,
    /// Whether the containers of Jobs do not end.
    pub jobs_held: bool,
    /// Whether calls for the metadata of a StatefulSet are held back.
    pub set_metadata_held: bool,
    /// Runs the pods; without one they report that they run without running anything.
    pub node: Option<Node>,
    /// The namespace that exists.
    pub namespace: String,
}

impl FakeCluster {
    pub(super) fn new(node: Option<Node>) -> Self {
        Self { node, namespace: NAMESPACE.to_owned(), ..Self::default() }
    }

    pub fn get(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects.get(&key(resource, name))
    }

    pub fn list<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.range(key(resource, "")..).take_while(move |((kind, _), _)| kind == resource).map(|(_, object)| object)
    }

    /// Those with this instance's id in their labels.
    pub(super) fn list_of_instance<'a>(&'a self, resource: &'a str, id: &str) -> impl Iterator<Item = &'a Value> {
        let names = self.of_instances.get(&key(resource, id)).into_iter().flatten();
        names.filter_map(move |name| self.get(resource, name))
    }

    pub fn object_names(&self) -> BTreeSet<String> {
        self.objects.keys().filter(|(resource, _)| resource != "events").map(|(resource, name)| format!("{resource}/{name}")).collect()
    }

    /// Stores a new object with the fields that the API server sets.
    pub fn create(&mut self, resource: &str, mut object: Value) -> Value {
        let kind = Kind::of(resource).unwrap();
        object["apiVersion"] = json!(kind.api_version());
        object["kind"] = json!(kind.kind);
        let number = self.version + 1;
        let meta = &mut object["metadata"];
        meta["namespace"] = json!(self.namespace);
        meta["uid"] = json!(format!("00000000-0000-4000-8000-{number:012}"));
        meta["creationTimestamp"] = json!(now().to_string());
        meta["generation"] = json!(1);
        default(resource, number, self.node.is_some(), &mut object);
        self.put("ADDED", resource, object)
    }

    /// Changes an object. A change without an effect creates no new resource version, as with a real API server.
    pub fn update(&mut self, resource: &str, name: &str, change: impl FnOnce(&mut Value)) -> Option<Value> {
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

    /// Changes an object as a person does, who then owns the changed fields.
    pub fn edit(&mut self, resource: &str, name: &str, change: impl FnOnce(&mut Value)) -> Option<Value> {
        self.update(resource, name, |object| {
            let before = object.clone();
            change(object);
            if *object != before {
                managed_fields::edited(&before, object);
            }
        })
    }

    /// Begins the deletion of a claim as `kubectl delete` does: it lasts until no pod uses it.
    pub fn delete_claim(&mut self, claim: &str) {
        self.update("persistentvolumeclaims", claim, |claim| claim["metadata"]["deletionTimestamp"] = json!(now().to_string()));
    }

    /// Removes an object at once.
    pub fn remove(&mut self, resource: &str, name: &str) {
        if let Some(object) = self.get(resource, name).cloned() {
            self.drop_object(resource, name, object);
        }
    }

    /// Replaces the certificate in the pod of a claim, as whoever can write there does. The server reads it when it is told to.
    pub fn replace_certificate(&self, claim: &str, pem: &[u8]) {
        self.node.as_ref().expect("pods are servers").replace_certificate(claim, pem);
    }

    /// The uid of the claim that a pod uses.
    pub(super) fn claim_uid(&self, pod: &Value) -> Option<String> {
        self.get("persistentvolumeclaims", &claim_of(pod))?["metadata"]["uid"].as_str().map(str::to_owned)
    }

    /// Ends a container of the pod of a Job.
    pub fn end_container(&mut self, pod: &str, container: usize, exit: Exit) {
        self.update("pods", pod, |pod| {
            let status = jobs::status(pod, &Stage { container, exit: Some(exit), ..Stage::default() });
            pod["status"] = status;
        });
    }

    /// Ends the server of a pod, as a crash does.
    pub fn end(&mut self, pod: &str) {
        self.update("pods", pod, |pod| pod["status"] = scenario::stopped());
    }

    /// Adds a finalizer to an object.
    pub fn hold(&mut self, resource: &str, name: &str) {
        self.update(resource, name, |object| object["metadata"]["finalizers"] = json!([finalizers(object), vec![HOLD.to_owned()]].concat()));
    }

    /// Removes that finalizer.
    pub fn release(&mut self, resource: &str, name: &str) {
        self.update(resource, name, |object| {
            let left: Vec<_> = finalizers(object).into_iter().filter(|holder| holder != HOLD).collect();
            object["metadata"]["finalizers"] = json!(left);
        });
    }

    /// Suspends the server of a pod.
    pub fn suspend(&mut self, pod: &str) {
        let uid = self.get("pods", pod).and_then(|pod| pod["metadata"]["uid"].as_str()).expect("the pod exists").to_owned();
        self.suspended.insert(uid);
    }

    /// How many objects of a kind were created.
    pub fn created(&self, resource: &str) -> usize {
        self.history.iter().filter(|change| change.kind == "ADDED" && change.resource == resource).count()
    }

    /// Discards the history: every watch ends, and none can resume.
    pub fn discard_history(&mut self) {
        self.version += 1;
        self.discarded = self.version;
        self.history.clear();
    }

    /// Removes everything, and the namespace.
    pub(super) fn clear(&mut self) {
        for pod in self.list("pods").cloned().collect::<Vec<_>>() {
            if let Some(node) = &self.node {
                node.stop(&pod);
                node.release(&claim_of(&pod));
            }
        }
        for (resource, name) in self.objects.keys().cloned().collect::<Vec<_>>() {
            self.remove(&resource, &name);
        }
        self.namespace.clear();
    }

    fn drop_object(&mut self, resource: &str, name: &str, mut object: Value) -> Value {
        self.objects.remove(&key(resource, name));
        if let Some(names) = instance_of(&object).and_then(|id| self.of_instances.get_mut(&key(resource, id))) {
            names.remove(name);
        }
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
        if let Some(id) = instance_of(&object) {
            self.of_instances.entry(key(resource, id)).or_default().insert(name.clone());
        }
        self.objects.insert(key(resource, &name), object.clone());
        self.record(kind, resource, object.clone());
        object
    }

    fn record(&mut self, kind: &'static str, resource: &str, object: Value) {
        self.history.push(Change { version: self.version, kind, resource: resource.to_owned(), object });
    }
}

fn instance_of(object: &Value) -> Option<&str> {
    object["metadata"]["labels"][ID_LABEL].as_str()
}

pub(super) fn key(resource: &str, name: &str) -> (String, String) {
    (resource.to_owned(), name.to_owned())
}

/// The time, with the API server's resolution of one second.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap()
}

pub(super) fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// The claim of the volume that a pod uses. That of a StatefulSet follows from its name.
pub(super) fn claim_of(pod: &Value) -> String {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let named = volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str()).next();
    named.map_or_else(|| format!("data-{}", name(pod)), str::to_owned)
}

pub(super) fn finalizers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    list.into_iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect()
}

pub(super) fn is_terminating(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Whether a selector matches: `key=value` and `key`, separated by commas, over labels or fields.
pub(super) fn matches(selector: &str, value_of: impl Fn(&str) -> Option<String>) -> bool {
    selector.split(',').filter(|term| !term.is_empty()).all(|term| match term.split_once('=') {
        Some((key, value)) => value_of(key).as_deref() == Some(value.trim_start_matches('=')),
        None => value_of(term).is_some(),
    })
}

fn default(resource: &str, number: u64, real: bool, object: &mut Value) {
    match resource {
        "services" => {
            let spec = object["spec"].as_object_mut().unwrap();
            spec.entry("type").or_insert(json!("ClusterIP"));
            let address = if real { node::address() } else { format!("10.96.0.{}", number % 250 + 1) };
            spec.entry("clusterIP").or_insert(json!(address));
            object["status"] = json!({"loadBalancer": {}});
            if object["spec"]["type"] == "LoadBalancer" {
                object["metadata"]["finalizers"] = json!([LOAD_BALANCER_CLEANUP]);
            }
        }
        "persistentvolumeclaims" => {
            object["metadata"]["finalizers"] = json!([CLAIM_PROTECTION]);
            object["spec"].as_object_mut().unwrap().entry("storageClassName").or_insert(json!("standard"));
            object["status"] = json!({"phase": "Pending"});
        }
        "resourcequotas" => object["status"] = json!({"hard": object["spec"]["hard"]}),
        "statefulsets" | "pods" | "jobs" => object["status"] = Value::Object(Map::new()),
        _ => {}
    }
}
