//! The bodies of errors, modelled on recorded ones.

use serde_json::{Value, json};

use super::{NAMESPACE, objects::Kind, recordings};

pub fn not_found(kind: &Kind, name: &str) -> Value {
    let mut status = recordings::read("error-404.json");
    let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
    status["message"] = json!(format!("{}{group} \"{name}\" not found", kind.resource));
    status["details"] = json!({"name": name, "group": kind.group, "kind": kind.resource});
    status
}

pub fn no_namespace(namespace: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": format!("namespaces \"{namespace}\" not found"),
        "reason": "NotFound", "details": {"name": namespace, "kind": "namespaces"}, "code": 404})
}

pub fn exists(kind: &Kind, name: &str) -> Value {
    let mut status = recordings::read("error-409-exists.json");
    status["message"] = json!(format!("{} \"{name}\" already exists", kind.resource));
    status["details"] = json!({"name": name, "kind": kind.resource});
    status
}

pub fn conflict(kind: &Kind, name: &str, why: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.resource),
        "reason": "Conflict", "details": {"name": name, "group": kind.group, "kind": kind.resource}, "code": 409})
}

pub fn apply_conflict(manager: &str, field: &str) -> Value {
    let mut status = recordings::read("error-409-apply-conflict.json");
    status["message"] = json!(format!("Apply failed with 1 conflict: conflict with \"{manager}\": {field}"));
    status["details"]["causes"] = json!([{"reason": "FieldManagerConflict", "message": format!("conflict with \"{manager}\""), "field": field}]);
    status
}

pub fn forbidden(verb: &str, kind: &Kind) -> Value {
    let mut status = recordings::read("error-403-rbac.json");
    status["message"] = json!(format!(
        "{} is forbidden: User \"system:serviceaccount:toygres:toygres\" cannot {verb} resource \"{}\" in API group \"{}\" in the namespace \"{NAMESPACE}\"",
        kind.resource, kind.resource, kind.group
    ));
    status["details"]["kind"] = json!(kind.resource);
    status
}

/// A change of immutable fields of a StatefulSet.
pub fn immutable(name: &str) -> Value {
    let mut status = recordings::read("error-422-immutable.json");
    // The recorded request lacked required fields too; the cause about immutable fields is the last one.
    let cause = status["details"]["causes"].as_array().unwrap().last().unwrap().clone();
    status["message"] = json!(format!("StatefulSet.apps \"{name}\" is invalid: spec: {}", cause["message"].as_str().unwrap()));
    status["details"]["name"] = json!(name);
    status["details"]["causes"] = json!([cause]);
    status
}

pub fn shrinking(name: &str) -> Value {
    let mut status = recordings::read("error-422-pvc-shrink.json");
    status["details"]["name"] = json!(name);
    status
}

/// The expansion of a claim whose storage class does not allow it, in the words of the admission plugin PersistentVolumeClaimResize.
pub fn not_expandable(name: &str) -> Value {
    let mut status = recordings::read("error-403-quota.json");
    status["message"] = json!(format!(
        "persistentvolumeclaims \"{name}\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the \
         pvc must support resize"
    ));
    status["details"]["name"] = json!(name);
    status
}

pub fn bad_request(message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "BadRequest", "code": 400})
}

/// The event that ends a watch whose resource version is too old.
pub fn expired() -> Value {
    recordings::read_lines("watch-410.jsonl").remove(0)
}
