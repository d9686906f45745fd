//! The controllers: StatefulSets, volumes, load balancers, the kubelet and the garbage collector. Each makes one change at a
//! time, so that every intermediate state can be observed.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Scenario, Shared,
    expansion::{expand, provided},
    jobs,
    objects::{CLAIM_PROTECTION, FakeCluster, claim_of, finalizers, is_terminating, key, name, now},
    scenario::{self, stopped},
    server_side_apply::merge_patch,
};

/// The resources whose objects have pods.
const OWNERS: [&str; 2] = ["statefulsets", "jobs"];

/// Runs all controllers after every change until none changes anything.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut changes = shared.changed.subscribe();
    loop {
        changes.mark_unchanged();
        loop {
            let before = shared.cluster().version;
            shared.run_controllers_once();
            if shared.cluster().version == before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The servers of a node become ready without a change of an object.
        if let Ok(Err(_)) = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await {
            return;
        }
    }
}

impl Shared {
    /// Runs every controller once. Signals a change only if there was one, or the controllers would wake themselves.
    fn run_controllers_once(&self) {
        let mut cluster = self.cluster();
        let before = cluster.version;
        collect_garbage(&mut cluster);
        for set in cluster.list("statefulsets").cloned().collect::<Vec<_>>() {
            control_set(&mut cluster, &set);
        }
        for job in cluster.list("jobs").cloned().collect::<Vec<_>>() {
            jobs::control(&mut cluster, &job);
        }
        for pod in cluster.list("pods").cloned().collect::<Vec<_>>() {
            run_pod(&mut cluster, &pod);
        }
        for claim in cluster.list("persistentvolumeclaims").cloned().collect::<Vec<_>>() {
            provide_volume(&mut cluster, &claim);
        }
        for service in cluster.list("services").cloned().collect::<Vec<_>>() {
            balance_load(&mut cluster, &service);
        }
        route(&cluster);
        if cluster.version != before {
            drop(cluster);
            self.changed.send_modify(|count| *count += 1);
        }
    }
}

/// The controller of StatefulSets.
pub(super) fn control_set(cluster: &mut FakeCluster, set: &Value) {
    let set_name = name(set);
    let pod_name = format!("{set_name}-0");
    let uid = set["metadata"]["uid"].clone();
    if is_terminating(set) {
        return;
    }
    let revision = revision(set);
    // It adopts what another set of its name has left.
    let is_left = |object: &&Value| object["metadata"]["labels"] == set["spec"]["template"]["metadata"]["labels"];
    for adopted in cluster.list("controllerrevisions").filter(is_left).map(name).collect::<Vec<_>>() {
        cluster.remove("controllerrevisions", &adopted);
    }
    let pod = cluster.get("pods", &pod_name).cloned();
    let ready = pod.as_ref().is_some_and(is_ready);
    let replicas = i32::from(pod.is_some());
    let current = pod.as_ref().map_or_else(|| json!(revision), |pod| pod["metadata"]["labels"]["controller-revision-hash"].clone());
    cluster.update("statefulsets", &set_name, |set| {
        let generation = set["metadata"]["generation"].clone();
        set["status"] = json!({"observedGeneration": generation, "replicas": replicas, "readyReplicas": i32::from(ready),
            "updateRevision": revision, "currentRevision": current});
    });
    let is_scaled_down = set["spec"]["replicas"] == 0;
    match pod {
        None if is_scaled_down => {}
        Some(pod) if is_scaled_down && !is_terminating(&pod) => stop_pod(cluster, &pod_name),
        None => create_pod(cluster, set, &pod_name, &revision),
        Some(pod) if is_terminating(&pod) => {}
        Some(pod) if owner(&pod).is_null() => {
            cluster.update("pods", &pod_name, |pod| pod["metadata"]["ownerReferences"] = owner_reference("apps/v1", "StatefulSet", &set_name, &uid));
        }
        Some(pod) if has_ended(&pod) => stop_pod(cluster, &pod_name),
        // With the policy OrderedReady, a rolling update waits without end for a pod that never becomes ready.
        Some(_) if !ready && set["spec"]["podManagementPolicy"] != "Parallel" => {}
        Some(pod) if pod["metadata"]["labels"]["controller-revision-hash"] != json!(revision) => stop_pod(cluster, &pod_name),
        Some(_) => {}
    }
}

fn create_pod(cluster: &mut FakeCluster, set: &Value, pod_name: &str, revision: &str) {
    for template in set["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
        let claim_name = format!("{}-{pod_name}", name(template));
        let present = cluster.get("persistentvolumeclaims", &claim_name);
        // As recorded: "pvc is being deleted". The pod is created with the next claim.
        if present.is_some_and(is_terminating) {
            return;
        }
        if present.is_none() {
            let mut claim = template.clone();
            claim["metadata"]["name"] = json!(claim_name);
            merge_patch(&mut claim["metadata"]["labels"], &set["spec"]["selector"]["matchLabels"]);
            cluster.create("persistentvolumeclaims", claim);
        }
    }
    let full = cluster.list("resourcequotas").any(|quota| quota["spec"]["hard"]["pods"] == "0");
    if full || cluster.scenario == Scenario::Quota {
        warn(cluster, Scenario::Quota, "StatefulSet", &name(set), &set["metadata"]["uid"]);
        return;
    }
    let mut meta = set["spec"]["template"]["metadata"].clone();
    meta["name"] = json!(pod_name);
    meta["labels"]["controller-revision-hash"] = json!(revision);
    meta["ownerReferences"] = owner_reference("apps/v1", "StatefulSet", &name(set), &set["metadata"]["uid"]);
    cluster.create("pods", json!({"metadata": meta, "spec": set["spec"]["template"]["spec"]}));
}

/// The kubelet and the scheduler.
fn run_pod(cluster: &mut FakeCluster, pod: &Value) {
    let pod_name = name(pod);
    if is_terminating(pod) {
        // The timestamp is rounded down to a second: no server is killed early.
        let killed = deadline(&pod["metadata"]).is_none_or(|deadline| Timestamp::now() >= deadline + SignedDuration::from_secs(1));
        let suspended = pod["metadata"]["uid"].as_str().is_some_and(|uid| cluster.suspended.contains(uid));
        // The containers of a Job take a moment.
        let busy = cluster.node.as_ref().is_some_and(|node| node.is_busy(pod));
        if cluster.node_lost || suspended && !killed || busy || !cluster.node.as_ref().is_none_or(|node| node.has_stopped(pod)) {
            return;
        }
        if has_ended(pod) || pod["status"]["phase"] != "Running" || jobs::is_of_job(pod) {
            cluster.remove("pods", &pod_name);
        } else {
            cluster.update("pods", &pod_name, |pod| pod["status"] = stopped());
        }
        return;
    }
    if jobs::is_of_job(pod) {
        return jobs::run_pod(cluster, pod, scenario(cluster, pod));
    }
    if let Some(node) = &cluster.node {
        node.mount(cluster, pod);
    }
    // A pod keeps the scenario that was set when it was created.
    if pod["status"]["phase"].is_null() {
        cluster.update("pods", &pod_name, |pod| pod["status"] = json!({"phase": "Pending"}));
    } else if pod["status"]["conditions"].is_null() {
        let scenario = scenario(cluster, pod);
        if scenario == Scenario::Running && refuses_to_start(cluster, pod) {
            let status = scenario::crashed("FATAL:  DATA_LOST: this instance has run before, and its volume is empty");
            cluster.update("pods", &pod_name, |pod| pod["status"] = status);
            return;
        }
        if let Some(message) = cluster.node.as_ref().and_then(|node| node.failure(pod)) {
            let status = scenario::crashed(&message);
            cluster.update("pods", &pod_name, |pod| pod["status"] = status);
            return;
        }
        let up = scenario != Scenario::Running || cluster.node.as_ref().is_none_or(|node| node.runs(cluster, pod));
        if up && let Some(status) = scenario.pod_status() {
            warn(cluster, scenario, "Pod", &pod_name, &pod["metadata"]["uid"]);
            cluster.update("pods", &pod_name, |pod| pod["status"] = status);
            if scenario == Scenario::Running
                && let Some(claim) = cluster.claim_uid(pod)
            {
                cluster.initialised.insert(claim);
            }
        }
    }
}

/// What the start script of a pod decides: an instance that has run does not start with an empty volume.
fn refuses_to_start(cluster: &FakeCluster, pod: &Value) -> bool {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let secrets = volumes.filter_map(|volume| cluster.get("secrets", volume["secret"]["secretName"].as_str()?));
    let has_run = secrets.into_iter().any(|secret| !secret["data"]["has-run"].is_null());
    has_run && cluster.claim_uid(pod).is_some_and(|claim| !cluster.initialised.contains(&claim))
}

/// The scenario of a pod: where servers run for real it follows from the pod.
fn scenario(cluster: &FakeCluster, pod: &Value) -> Scenario {
    match &cluster.node {
        Some(_) if cluster.scenario == Scenario::Running => Scenario::of(pod, cluster.get("persistentvolumeclaims", &claim_of(pod))),
        _ => cluster.scenario,
    }
}

fn provide_volume(cluster: &mut FakeCluster, claim: &Value) {
    let claim_name = name(claim);
    if is_terminating(claim) {
        let in_use = cluster.list("pods").any(|pod| claim_of(pod) == claim_name);
        if !in_use {
            cluster.update("persistentvolumeclaims", &claim_name, |claim| {
                // Others may hold it too.
                let held: Vec<_> = finalizers(claim).into_iter().filter(|holder| holder != CLAIM_PROTECTION).collect();
                claim["metadata"]["finalizers"] = json!(held);
            });
            if let (None, Some(node)) = (cluster.get("persistentvolumeclaims", &claim_name), &cluster.node) {
                node.release(&claim_name);
            }
        }
        return;
    }
    if claim["status"]["phase"] == "Bound" {
        return expand(cluster, claim);
    }
    let scenario = match cluster.list("pods").find(|pod| claim_of(pod) == claim_name) {
        Some(pod) => scenario(cluster, pod),
        None => cluster.scenario,
    };
    let mut status = scenario.claim_status();
    if status["phase"] == "Bound" {
        status["capacity"] = json!({"storage": provided(cluster, claim)});
    }
    warn(cluster, scenario, "PersistentVolumeClaim", &claim_name, &claim["metadata"]["uid"]);
    cluster.update("persistentvolumeclaims", &claim_name, |claim| claim["status"] = status);
}

/// The finalizer of a Service whose load balancer is not deleted yet.
pub(super) const LOAD_BALANCER_CLEANUP: &str = "service.kubernetes.io/load-balancer-cleanup";

fn balance_load(cluster: &mut FakeCluster, service: &Value) {
    let service_name = name(service);
    if is_terminating(service) {
        let is_ours = |finalizer: &Value| finalizer == LOAD_BALANCER_CLEANUP;
        cluster.update("services", &service_name, |service| {
            let left: Vec<_> = service["metadata"]["finalizers"].as_array().into_iter().flatten().filter(|held| !is_ours(held)).cloned().collect();
            service["metadata"]["finalizers"] = json!(left);
        });
    } else if service["spec"]["type"] == "LoadBalancer" {
        cluster.update("services", &service_name, |service| service["status"] = json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.10"}]}}));
    }
}

/// kube-proxy.
fn route(cluster: &FakeCluster) {
    let Some(node) = &cluster.node else { return };
    let endpoint = |service: &Value| {
        let id = &service["spec"]["selector"]["toygres.io/instance-id"];
        let mut pods = cluster.list("pods").filter(|pod| pod["metadata"]["labels"]["toygres.io/instance-id"] == *id);
        pods.find(|pod| is_ready(pod) && !is_terminating(pod)).and_then(|pod| node.address_of(pod))
    };
    let addressed = cluster.list("services").filter_map(|service| Some((service["spec"]["clusterIP"].as_str()?.to_owned(), service)));
    let services = addressed.filter(|(address, _)| address != "None").map(|(address, service)| (address, endpoint(service)));
    node.network.update(services.collect(), cluster.network_lost);
}

fn collect_garbage(cluster: &mut FakeCluster) {
    for resource in OWNERS {
        for owner in cluster.list(resource).filter(|owner| is_terminating(owner)).cloned().collect::<Vec<_>>() {
            delete_owner(cluster, resource, &owner);
        }
    }
    for resource in ["pods", "secrets", "networkpolicies"] {
        for object in cluster.list(resource).cloned().collect::<Vec<_>>() {
            let uid = &owner(&object)["uid"];
            let exists = OWNERS.into_iter().any(|resource| cluster.list(resource).any(|owner| owner["metadata"]["uid"] == *uid));
            match resource {
                _ if uid.is_null() || exists || is_terminating(&object) => {}
                "pods" => stop_pod(cluster, &name(&object)),
                _ => cluster.remove(resource, &name(&object)),
            }
        }
    }
}

/// Goes on with the deletion of an object that has pods.
fn delete_owner(cluster: &mut FakeCluster, resource: &str, object: &Value) {
    let owned: Vec<Value> = cluster.list("pods").filter(|pod| owner(pod)["uid"] == object["metadata"]["uid"]).cloned().collect();
    if finalizers(object).iter().any(|holder| holder == "orphan") {
        for pod in &owned {
            cluster.update("pods", &name(pod), |pod| {
                pod["metadata"].as_object_mut().unwrap().remove("ownerReferences");
            });
        }
        let meta = json!({"name": revision(object), "labels": object["spec"]["template"]["metadata"]["labels"]});
        cluster.create("controllerrevisions", json!({"metadata": meta, "revision": 1}));
    } else if !owned.is_empty() {
        for pod in owned.iter().filter(|pod| !is_terminating(pod)) {
            stop_pod(cluster, &name(pod));
        }
        return;
    }
    cluster.update(resource, &name(object), |object| object["metadata"]["finalizers"] = json!([]));
}

/// Deletes a pod with the grace period of its specification, as controllers do.
fn stop_pod(cluster: &mut FakeCluster, pod_name: &str) {
    let grace = cluster.get("pods", pod_name).and_then(|pod| pod["spec"]["terminationGracePeriodSeconds"].as_i64());
    terminate_pod(cluster, pod_name, grace.unwrap_or(30));
}

/// Begins the graceful deletion of a pod, or shortens the grace period of one that began; it is never extended. A grace period
/// of 0 removes the pod at once, without a confirmation that it has stopped. Returns whether the pod still exists.
pub(super) fn terminate_pod(cluster: &mut FakeCluster, pod_name: &str, grace: i64) -> bool {
    if grace == 0 {
        cluster.remove("pods", pod_name);
        return false;
    }
    let updated = cluster.update("pods", pod_name, |pod| {
        let meta = &mut pod["metadata"];
        let begun = deadline(meta).map(|deadline| (deadline, meta["deletionGracePeriodSeconds"].as_i64().unwrap_or_default()));
        let end = match begun {
            Some((_, present)) if present <= grace => return,
            Some((end, present)) => end - SignedDuration::from_secs(present) + SignedDuration::from_secs(grace),
            None => now() + SignedDuration::from_secs(grace),
        };
        meta["deletionTimestamp"] = json!(end.to_string());
        meta["deletionGracePeriodSeconds"] = json!(grace);
    });
    updated.is_some()
}

/// When a pod that is being deleted is killed.
fn deadline(meta: &Value) -> Option<Timestamp> {
    meta["deletionTimestamp"].as_str()?.parse().ok()
}

pub(super) fn warn(cluster: &mut FakeCluster, scenario: Scenario, kind: &str, object: &str, uid: &Value) {
    for event in scenario.warnings(kind, object, uid) {
        let (_, event_name) = key("events", &name(&event));
        if cluster.get("events", &event_name).is_none_or(|present| present["involvedObject"]["uid"] != event["involvedObject"]["uid"]) {
            cluster.remove("events", &event_name);
            cluster.create("events", event);
        }
    }
}

fn revision(set: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    set["spec"]["template"].to_string().hash(&mut hasher);
    format!("{}-{:x}", name(set), hasher.finish())
}

fn owner(object: &Value) -> &Value {
    &object["metadata"]["ownerReferences"][0]
}

pub(super) fn owner_reference(version: &str, kind: &str, owner: &str, uid: &Value) -> Value {
    json!([{"apiVersion": version, "kind": kind, "name": owner, "uid": uid, "controller": true, "blockOwnerDeletion": true}])
}

pub(super) fn has_ended(pod: &Value) -> bool {
    pod["status"]["phase"] == "Succeeded" || pod["status"]["phase"] == "Failed"
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"].as_array().into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
