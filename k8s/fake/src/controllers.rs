//! The controllers: StatefulSets, volumes, load balancers, the kubelet and the garbage collector. Each goes one step at a
//! time, so that everything in between can be seen.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    Scenario, Shared,
    objects::{FakeCluster, finalizers, is_terminating, key, name},
    scenario::stopped,
    server_side_apply::merge_patch,
};

/// Runs all controllers after every change, until they have nothing to do.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut changes = shared.changed.subscribe();
    loop {
        changes.mark_unchanged();
        loop {
            let before = shared.world().version;
            shared.world_step();
            if shared.world().version == before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // A node tells nobody when its servers are up.
        if let Ok(Err(_)) = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await {
            return;
        }
    }
}

impl Shared {
    /// One step of every controller. It counts as a change only when it was one: else the controllers would wake themselves.
    fn world_step(&self) {
        let mut world = self.world();
        let before = world.version;
        collect_garbage(&mut world);
        for set in world.list("statefulsets").cloned().collect::<Vec<_>>() {
            control_set(&mut world, &set);
        }
        for pod in world.list("pods").cloned().collect::<Vec<_>>() {
            run_pod(&mut world, &pod);
        }
        for claim in world.list("persistentvolumeclaims").cloned().collect::<Vec<_>>() {
            provide_volume(&mut world, &claim);
        }
        for service in world.list("services").cloned().collect::<Vec<_>>() {
            balance_load(&mut world, &service);
        }
        if world.version != before {
            drop(world);
            self.changed.send_modify(|count| *count += 1);
        }
    }
}

fn control_set(world: &mut FakeCluster, set: &Value) {
    let set_name = name(set);
    let pod_name = format!("{set_name}-0");
    let uid = set["metadata"]["uid"].clone();
    if is_terminating(set) {
        return;
    }
    let revision = revision(set);
    let pod = world.get("pods", &pod_name).cloned();
    let ready = pod.as_ref().is_some_and(is_ready);
    let replicas = i32::from(pod.is_some());
    world.update("statefulsets", &set_name, |set| {
        let generation = set["metadata"]["generation"].clone();
        set["status"] = json!({"observedGeneration": generation, "replicas": replicas, "readyReplicas": i32::from(ready),
            "updateRevision": revision, "currentRevision": revision});
    });
    match pod {
        None => make_pod(world, set, &pod_name, &revision),
        Some(pod) if is_terminating(&pod) => {}
        Some(pod) if owner(&pod).is_null() => {
            world.update("pods", &pod_name, |pod| pod["metadata"]["ownerReferences"] = owner_reference(&set_name, &uid));
        }
        Some(pod) if pod["metadata"]["labels"]["controller-revision-hash"] != json!(revision) || has_ended(&pod) => stop_pod(world, &pod_name),
        Some(_) => {}
    }
}

fn make_pod(world: &mut FakeCluster, set: &Value, pod_name: &str, revision: &str) {
    for template in set["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
        let claim_name = format!("{}-{pod_name}", name(template));
        if world.get("persistentvolumeclaims", &claim_name).is_none() {
            let mut claim = template.clone();
            claim["metadata"]["name"] = json!(claim_name);
            merge_patch(&mut claim["metadata"]["labels"], &set["spec"]["selector"]["matchLabels"]);
            world.create("persistentvolumeclaims", claim);
        }
    }
    let full = world.list("resourcequotas").any(|quota| quota["spec"]["hard"]["pods"] == "0");
    if full || world.scenario == Scenario::Quota {
        warn(world, Scenario::Quota, "StatefulSet", &name(set), &set["metadata"]["uid"]);
        return;
    }
    let mut meta = set["spec"]["template"]["metadata"].clone();
    meta["name"] = json!(pod_name);
    meta["labels"]["controller-revision-hash"] = json!(revision);
    meta["ownerReferences"] = owner_reference(&name(set), &set["metadata"]["uid"]);
    world.create("pods", json!({"metadata": meta, "spec": set["spec"]["template"]["spec"]}));
}

/// The kubelet and the scheduler.
fn run_pod(world: &mut FakeCluster, pod: &Value) {
    let pod_name = name(pod);
    if is_terminating(pod) {
        if world.node_lost {
            return;
        }
        if let Some(node) = &world.node {
            node.stop(pod);
        }
        if has_ended(pod) || pod["status"]["phase"] != "Running" {
            world.remove("pods", &pod_name);
        } else {
            world.update("pods", &pod_name, |pod| pod["status"] = stopped());
        }
        return;
    }
    // Each pod keeps the fate that was scripted when it was made.
    if pod["status"]["phase"].is_null() {
        world.update("pods", &pod_name, |pod| pod["status"] = json!({"phase": "Pending"}));
    } else if pod["status"]["conditions"].is_null() {
        let scenario = scenario(world, pod);
        let up = scenario != Scenario::Running || world.node.as_ref().is_none_or(|node| node.runs(world, pod));
        if up && let Some(status) = scenario.pod_status() {
            warn(world, scenario, "Pod", &pod_name, &pod["metadata"]["uid"]);
            world.update("pods", &pod_name, |pod| pod["status"] = status);
        }
    }
}

/// What becomes of a pod. Where nothing runs for real, it is as scripted.
fn scenario(world: &FakeCluster, pod: &Value) -> Scenario {
    match &world.node {
        Some(_) if world.scenario == Scenario::Running => Scenario::of(pod, world.get("persistentvolumeclaims", &format!("data-{}", name(pod)))),
        _ => world.scenario,
    }
}

fn provide_volume(world: &mut FakeCluster, claim: &Value) {
    let claim_name = name(claim);
    if is_terminating(claim) {
        let in_use = world.list("pods").any(|pod| claim_name.ends_with(&format!("-{}", name(pod))));
        if !in_use {
            if let Some(node) = &world.node {
                node.release(&claim_name);
            }
            world.update("persistentvolumeclaims", &claim_name, |claim| claim["metadata"]["finalizers"] = json!([]));
        }
        return;
    }
    if claim["status"]["phase"] == "Bound" {
        return;
    }
    let scenario = match claim_name.strip_prefix("data-").and_then(|pod| world.get("pods", pod)) {
        Some(pod) => scenario(world, pod),
        None => world.scenario,
    };
    let status = scenario.claim_status();
    warn(world, scenario, "PersistentVolumeClaim", &claim_name, &claim["metadata"]["uid"]);
    world.update("persistentvolumeclaims", &claim_name, |claim| claim["status"] = status);
}

fn balance_load(world: &mut FakeCluster, service: &Value) {
    let service_name = name(service);
    if is_terminating(service) {
        world.update("services", &service_name, |service| service["metadata"]["finalizers"] = json!([]));
    } else if service["spec"]["type"] == "LoadBalancer" {
        world.update("services", &service_name, |service| service["status"] = json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.10"}]}}));
    }
}

fn collect_garbage(world: &mut FakeCluster) {
    for set in world.list("statefulsets").cloned().collect::<Vec<_>>() {
        let owned: Vec<Value> = world.list("pods").filter(|pod| owner(pod)["uid"] == set["metadata"]["uid"]).cloned().collect();
        let holders = finalizers(&set);
        if !is_terminating(&set) {
            continue;
        }
        if holders.iter().any(|holder| holder == "orphan") {
            for pod in &owned {
                world.update("pods", &name(pod), |pod| {
                    pod["metadata"].as_object_mut().unwrap().remove("ownerReferences");
                });
            }
        } else if !owned.is_empty() {
            for pod in owned.iter().filter(|pod| !is_terminating(pod)) {
                stop_pod(world, &name(pod));
            }
            continue;
        }
        world.update("statefulsets", &name(&set), |set| set["metadata"]["finalizers"] = json!([]));
    }
    for pod in world.list("pods").cloned().collect::<Vec<_>>() {
        let owner = owner(&pod).clone();
        let exists = world.list("statefulsets").any(|set| set["metadata"]["uid"] == owner["uid"]);
        if !owner.is_null() && !exists && !is_terminating(&pod) {
            stop_pod(world, &name(&pod));
        }
    }
}

/// Asks a pod to stop, as a deletion does.
fn stop_pod(world: &mut FakeCluster, pod_name: &str) {
    world.update("pods", pod_name, |pod| {
        pod["metadata"]["deletionTimestamp"] = json!(super::objects::now());
        pod["metadata"]["deletionGracePeriodSeconds"] = pod["spec"]["terminationGracePeriodSeconds"].clone();
    });
}

fn warn(world: &mut FakeCluster, scenario: Scenario, kind: &str, object: &str, uid: &Value) {
    for event in scenario.warnings(kind, object, uid) {
        let (_, event_name) = key("events", &name(&event));
        if world.get("events", &event_name).is_none_or(|present| present["involvedObject"]["uid"] != event["involvedObject"]["uid"]) {
            world.remove("events", &event_name);
            world.create("events", event);
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

fn owner_reference(set_name: &str, uid: &Value) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": set_name, "uid": uid, "controller": true, "blockOwnerDeletion": true}])
}

fn has_ended(pod: &Value) -> bool {
    pod["status"]["phase"] == "Succeeded" || pod["status"]["phase"] == "Failed"
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["conditions"].as_array().into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
