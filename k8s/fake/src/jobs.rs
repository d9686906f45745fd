//! The controller of Jobs, and what the kubelet says of their pods.

use serde_json::{Value, json};

use super::{
    Scenario,
    containers::{Exit, Stage},
    controllers::{has_ended, owner_reference, warn},
    objects::{FakeCluster, is_terminating, name},
    recordings,
};

/// Creates the pod of a Job, and reports its end. One whose pod has gone has failed, because another attempt is not allowed.
pub(super) fn control(cluster: &mut FakeCluster, job: &Value) {
    if is_terminating(job) || !job["status"]["conditions"].is_null() {
        return;
    }
    let (job_name, uid) = (name(job), job["metadata"]["uid"].clone());
    let failed =
        json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}]);
    let pod = cluster.list("pods").find(|pod| pod["metadata"]["ownerReferences"][0]["uid"] == uid).cloned();
    let status = match pod {
        None if job["status"]["active"] == 1 => json!({"failed": 1, "conditions": failed}),
        None => return create_pod(cluster, job),
        Some(pod) if pod["status"]["phase"] == "Succeeded" => {
            json!({"succeeded": 1, "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"}]})
        }
        Some(pod) if has_ended(&pod) => json!({"failed": 1, "conditions": failed}),
        Some(_) => json!({"active": 1}),
    };
    cluster.update("jobs", &job_name, |job| job["status"] = status);
}

fn create_pod(cluster: &mut FakeCluster, job: &Value) {
    let (job_name, uid) = (name(job), &job["metadata"]["uid"]);
    let full = cluster.list("resourcequotas").any(|quota| quota["spec"]["hard"]["pods"] == "0");
    if full || cluster.scenario == Scenario::Quota {
        // In the words that were recorded of a StatefulSet.
        let events = recordings::items("quota.events.json", "Event");
        let Some(mut event) = events.into_iter().find(|event| event["reason"] == "FailedCreate") else { return };
        event["involvedObject"] = json!({"kind": "Job", "name": job_name, "uid": uid});
        event["metadata"] = json!({"name": format!("{job_name}.quota")});
        if cluster.get("events", &name(&event)).is_none() {
            cluster.create("events", event);
        }
        return;
    }
    let mut meta = job["spec"]["template"]["metadata"].clone();
    // The suffix is random.
    meta["name"] = json!(format!("{job_name}-{}", &uid.as_str().unwrap_or_default()[..5]));
    meta["labels"]["batch.kubernetes.io/job-name"] = json!(job_name);
    meta["ownerReferences"] = owner_reference("batch/v1", "Job", &job_name, uid);
    cluster.create("pods", json!({"metadata": meta, "spec": job["spec"]["template"]["spec"]}));
}

/// Whether a pod is one of a Job.
pub(super) fn is_of_job(pod: &Value) -> bool {
    pod["metadata"]["ownerReferences"][0]["kind"] == "Job"
}

/// The kubelet for the pod of a Job.
pub(super) fn run_pod(cluster: &mut FakeCluster, pod: &Value, scenario: Scenario) {
    let pod_name = name(pod);
    if has_ended(pod) {
        return;
    }
    if pod["status"]["phase"].is_null() {
        cluster.update("pods", &pod_name, |pod| pod["status"] = json!({"phase": "Pending"}));
        return;
    }
    if secret_names(pod).any(|secret| cluster.get("secrets", secret).is_none()) {
        // The kubelet waits for it.
        return;
    }
    if scenario != Scenario::Running {
        // A pod keeps the scenario that was set when it was created.
        if pod["status"]["conditions"].is_null()
            && let Some(status) = scenario.pod_status()
        {
            warn(cluster, scenario, "Pod", &pod_name, &pod["metadata"]["uid"]);
            cluster.update("pods", &pod_name, |pod| pod["status"] = of_first_container(status));
        }
        return;
    }
    let stage = match &cluster.node {
        Some(_) if cluster.jobs_held => Some(Stage::default()),
        Some(node) => node.run_job(cluster, pod),
        None => Some(imitated(cluster, pod)),
    };
    let Some(stage) = stage else { return };
    let status = status(pod, &stage);
    if status["phase"] == "Succeeded"
        && let Some(claim) = cluster.claim_uid(pod)
    {
        cluster.initialised.insert(claim);
    }
    cluster.update("pods", &pod_name, |pod| pod["status"] = status);
}

/// The Secrets that a pod mounts, or has in its environment.
pub(super) fn secret_names(pod: &Value) -> impl Iterator<Item = &str> {
    let mounted = pod["spec"]["volumes"].as_array().into_iter().flatten().filter_map(|volume| volume["secret"]["secretName"].as_str());
    let variables = containers(pod).flat_map(|container| container["env"].as_array().into_iter().flatten());
    mounted.chain(variables.filter_map(|variable| variable["valueFrom"]["secretKeyRef"]["name"].as_str()))
}

/// Without a node, a pod begins and then succeeds.
fn imitated(cluster: &FakeCluster, pod: &Value) -> Stage {
    if cluster.jobs_held || pod["status"]["conditions"].is_null() {
        return Stage::default();
    }
    let last = containers(pod).count() - 1;
    Stage { container: last, exit: Some(Exit::default()), ..Stage::default() }
}

/// The containers of a pod, in the order in which they run.
pub(super) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"].into_iter().flat_map(|kind| pod["spec"][kind].as_array().into_iter().flatten())
}

/// The status of a pod of which a container runs or has ended.
pub(super) fn status(pod: &Value, stage: &Stage) -> Value {
    let init = pod["spec"]["initContainers"].as_array().map_or(0, Vec::len);
    let mut statuses: Vec<Value> = containers(pod)
        .enumerate()
        .map(|(number, container)| {
            let ended = |Exit { code, message }: &Exit| {
                let reason = if *code == 0 { "Completed" } else { "Error" };
                json!({"terminated": {"exitCode": code, "reason": reason, "message": message}})
            };
            let state = match (number.cmp(&stage.container), &stage.exit) {
                (std::cmp::Ordering::Less, _) => ended(&Exit::default()),
                (std::cmp::Ordering::Equal, Some(exit)) => ended(exit),
                (std::cmp::Ordering::Equal, None) => json!({"running": {}}),
                (std::cmp::Ordering::Greater, _) => json!({"waiting": {"reason": "PodInitializing"}}),
            };
            json!({"name": container["name"], "image": container["image"], "imageID": "", "ready": false, "restartCount": 0, "state": state})
        })
        .collect();
    let phase = match &stage.exit {
        Some(exit) if exit.code != 0 => "Failed",
        Some(_) if stage.container + 1 == statuses.len() => "Succeeded",
        _ if stage.container < init => "Pending",
        _ => "Running",
    };
    let others = statuses.split_off(init);
    let conditions = json!([{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}]);
    json!({"phase": phase, "conditions": conditions, "initContainerStatuses": statuses, "containerStatuses": others})
}

/// A recorded status of a pod with one container, for a pod whose first container does not start.
fn of_first_container(mut status: Value) -> Value {
    let mut statuses = status["containerStatuses"].take();
    if let Some(first) = statuses.get_mut(0) {
        first["name"] = json!("fetch");
    }
    if let Some(fields) = status.as_object_mut() {
        fields.remove("containerStatuses");
        if !statuses.is_null() {
            fields.insert("initContainerStatuses".to_owned(), statuses);
        }
    }
    status
}
