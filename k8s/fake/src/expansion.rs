//! The expansion of volumes: the driver of the cloud grows the volume, and the kubelet its file system, one step at a time.

use k8s_openapi::jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    http::gib,
    objects::{FakeCluster, is_terminating, name, now},
};

/// What happens to claims that ask for a larger size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expansion {
    /// They grow while a pod uses them.
    #[default]
    Online,
    /// Their file systems grow when another pod is started, as the kubelet has said for a while.
    NewPod,
    /// The storage class does not allow it: the API server refuses the request.
    Forbidden,
    /// The cloud refuses it for hours.
    RateLimited,
}

/// What the driver of Amazon EBS says.
const RATE_LIMIT: &str = "failed: rpc error: code = Internal desc = Could not resize volume: You've reached the maximum modification rate per \
                          volume limit. Wait at least 6 hours between modifications per EBS volume.";

/// The annotation of the fake kubelet: the pod that used the volume when it grew.
const POD: &str = "example.com/pod";

/// The size of the volume that a claim gets.
pub(super) fn provided(cluster: &FakeCluster, claim: &Value) -> Value {
    let requested = &claim["spec"]["resources"]["requests"]["storage"];
    let smallest = cluster.smallest_volume_gb;
    if gib(requested) < smallest { json!(format!("{smallest}Gi")) } else { requested.clone() }
}

/// One step of the expansion of a claim that is bound.
pub(super) fn expand(cluster: &mut FakeCluster, claim: &Value) {
    let (claim_name, size) = (name(claim), provided(cluster, claim));
    if claim["status"]["capacity"]["storage"] == size {
        return;
    }
    if cluster.expansion == Expansion::RateLimited {
        return fail(cluster, claim);
    }
    let condition =
        |kind: &str, age: i64| json!([{"type": kind, "status": "True", "lastTransitionTime": (now() - SignedDuration::from_secs(age)).to_string()}]);
    let pod = claim_name.strip_prefix("data-").and_then(|pod| cluster.get("pods", pod)).filter(|pod| !is_terminating(pod));
    let pod = pod.map_or_else(|| json!(""), |pod| pod["metadata"]["uid"].clone());
    let expansion = cluster.expansion;
    cluster.update("persistentvolumeclaims", &claim_name, |claim| match claim["status"]["conditions"][0]["type"].as_str() {
        None => claim["status"]["conditions"] = condition("Resizing", 0),
        Some("Resizing") => {
            claim["metadata"]["annotations"][POD] = pod;
            claim["status"]["conditions"] = condition("FileSystemResizePending", if expansion == Expansion::NewPod { 3600 } else { 0 });
        }
        Some(_) => {
            let is_mounted = pod != "" && (expansion == Expansion::Online || claim["metadata"]["annotations"][POD] != pod);
            if is_mounted {
                claim["status"]["capacity"]["storage"] = size;
                claim["status"].as_object_mut().unwrap().remove("conditions");
            }
        }
    });
}

fn fail(cluster: &mut FakeCluster, claim: &Value) {
    let event_name = format!("{}.resize", name(claim));
    if cluster.get("events", &event_name).is_none() {
        cluster.create(
            "events",
            json!({"metadata": {"name": event_name}, "reason": "VolumeResizeFailed", "type": "Warning", "lastTimestamp": now().to_string(),
                "message": format!("resize volume \"pvc-1\" by resizer \"ebs.csi.aws.com\" {RATE_LIMIT}"),
                "involvedObject": {"kind": "PersistentVolumeClaim", "name": name(claim), "uid": claim["metadata"]["uid"]}}),
        );
    }
}
