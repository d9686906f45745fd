//! Errors that the cluster and the libraries distinguish by their text alone. All of them are classified here, and the tests
//! compare the phrases with recorded responses and with the libraries in use.

use kube::core::Status;
use toygres_domain::instance::ReasonCode;

/// Parts of the scheduler's message when the volume is why a pod cannot be scheduled.
const VOLUME_PHRASES: [&str; 4] =
    ["unbound immediate PersistentVolumeClaims", "available persistent volumes to bind", "persistentvolumeclaim", "volume node affinity conflict"];

/// The reason for an object that the API server refuses as forbidden: a Status has the same reason, Forbidden, for quotas,
/// permissions and admission.
pub(crate) fn refusal(message: &str) -> ReasonCode {
    if is_used_up(message) || message.contains("maximum ") && message.contains(" usage per ") {
        ReasonCode::QuotaExceeded
    } else if message.contains(" cannot ") && message.contains(" resource \"") {
        ReasonCode::Forbidden
    } else {
        ReasonCode::AdmissionRefused
    }
}

/// Whether a quota of the namespace is used up, as opposed to a limit of each object, which stays exceeded.
pub(crate) fn is_used_up(message: &str) -> bool {
    message.contains("exceeded quota")
}

/// Whether a claim cannot grow because of its storage class, or because its volume was provisioned by hand.
pub(crate) fn is_not_expandable(message: &str) -> bool {
    message.contains("the storageclass that provisions the pvc must support resize")
}

/// Whether a cloud expands a volume only every few hours.
pub(crate) fn is_rate_limited(driver_message: &str) -> bool {
    ["maximum modification rate", "rate limited", "6 hours"].iter().any(|phrase| driver_message.contains(phrase))
}

/// Whether an update of a StatefulSet is rejected only because it changes immutable fields. Other invalid fields would be invalid
/// in a new StatefulSet too.
pub(crate) fn is_immutable_field(status: &Status) -> bool {
    let causes: Vec<_> = status.details.iter().flat_map(|details| &details.causes).collect();
    let [cause] = causes[..] else { return false };
    status.code == 422 && cause.field == "spec" && cause.message.contains("updates to statefulset spec")
}

/// Whether a pod cannot be scheduled because of its volume.
pub(crate) fn is_about_volume(scheduler_message: &str) -> bool {
    VOLUME_PHRASES.iter().any(|phrase| scheduler_message.contains(phrase))
}

/// Whether a volume cannot be provisioned because its storage class does not exist.
pub(crate) fn is_missing_storage_class(provisioner_message: &str) -> bool {
    provisioner_message.contains("storageclass") && provisioner_message.contains("not found")
}

/// Whether a server ended because its volume is full.
pub(crate) fn is_full(log: &str) -> bool {
    log.contains("No space left on device")
}

/// Whether a pod cannot start because its Secret does not exist.
pub(crate) fn is_missing_secret(kubelet_message: &str) -> bool {
    kubelet_message.contains("MountVolume.SetUp failed") && kubelet_message.contains("secret \"") && kubelet_message.contains("not found")
}

/// Whether the registry answered that it does not have an image, as opposed to not answering.
pub(crate) fn is_missing_image(kubelet_message: &str) -> bool {
    (kubelet_message.contains("not found") || kubelet_message.contains("manifest unknown")) && !kubelet_message.contains("no such host")
}

/// The line and the column in an error of the YAML parser.
pub(crate) fn position(parser_message: &str) -> Option<(u32, u32)> {
    let number = |word: &str| {
        let (_, rest) = parser_message.split_once(word)?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    Some((number("line ")?, number("column ")?))
}

#[cfg(test)]
mod tests {
    use kube::config::{Kubeconfig, KubeconfigError};
    use serde_json::{Value, json};

    use super::*;

    macro_rules! recording {
        ($file:literal) => {
            serde_json::from_str::<Value>(include_str!(concat!("../tests/observed/", $file))).unwrap()
        };
    }

    fn status(recording: Value) -> Status {
        serde_json::from_value(recording).unwrap()
    }

    /// The messages anywhere in a recording, except those of its events about other things.
    fn messages(value: &Value) -> Vec<String> {
        match value {
            Value::Object(fields) => {
                let own = fields.get("message").and_then(Value::as_str).map(str::to_owned);
                own.into_iter().chain(fields.values().flat_map(messages)).collect()
            }
            Value::Array(values) => values.iter().flat_map(messages).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_the_api_server_forbids() {
        let message = |recording: Value| recording["message"].as_str().unwrap().to_owned();
        assert_eq!(refusal(&message(recording!("error-403-quota.json"))), ReasonCode::QuotaExceeded);
        assert!(is_used_up(&message(recording!("error-403-quota.json"))));
        assert_eq!(refusal(&message(recording!("error-403-rbac.json"))), ReasonCode::Forbidden);
        assert_eq!(refusal(&message(recording!("error-403-starting.json"))), ReasonCode::Forbidden);
        assert_eq!(refusal(&message(recording!("error-403-namespace-terminating.json"))), ReasonCode::AdmissionRefused);
        let limit_range = "pods \"pg-0\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi";
        assert_eq!(refusal(limit_range), ReasonCode::QuotaExceeded);
        assert!(!is_used_up(limit_range));
        let events = messages(&recording!("quota.events.json"));
        assert!(events.iter().any(|message| refusal(message) == ReasonCode::QuotaExceeded), "{events:?}");
    }

    #[test]
    fn immutable_fields_of_a_stateful_set() {
        let mut recorded = recording!("error-422-immutable.json");
        assert!(!is_immutable_field(&status(recorded.clone())), "the recorded request was invalid in other ways too");
        let causes = recorded["details"]["causes"].as_array_mut().unwrap();
        causes.drain(..causes.len() - 1);
        assert!(is_immutable_field(&status(recorded.clone())));
        recorded["details"]["causes"][0]["field"] = json!("spec.replicas");
        assert!(!is_immutable_field(&status(recorded)));
        assert!(!is_immutable_field(&status(recording!("error-422-pvc-shrink.json"))));
    }

    #[test]
    fn why_a_pod_is_not_scheduled() {
        let unscheduled = |recording: &Value| {
            let pods = recording["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "Pod");
            let conditions = pods.flat_map(|pod| pod["status"]["conditions"].as_array().unwrap());
            let message = conditions.filter(|condition| condition["reason"] == "Unschedulable").find_map(|condition| condition["message"].as_str());
            message.unwrap().to_owned()
        };
        assert!(is_about_volume(&unscheduled(&recording!("volume.json"))));
        assert!(!is_about_volume(&unscheduled(&recording!("unschedulable.json"))));
    }

    #[test]
    fn a_storage_class_that_does_not_exist() {
        let events = messages(&recording!("volume.events.json"));
        assert!(events.iter().any(|message| is_missing_storage_class(message)), "{events:?}");
        let events = messages(&recording!("unschedulable.events.json"));
        assert!(!events.iter().any(|message| is_missing_storage_class(message)), "{events:?}");
    }

    #[test]
    fn a_secret_that_does_not_exist() {
        let events = messages(&recording!("secret-deleted.events.json"));
        assert_eq!(events.iter().filter(|message| is_missing_secret(message)).count(), 1, "{events:?}");
    }

    #[test]
    fn an_image_that_does_not_exist() {
        let containerd = "failed to resolve reference \"docker.io/library/postgres:99\": docker.io/library/postgres:99: not found";
        assert!(is_missing_image(containerd));
        // Recorded without a registry in reach.
        assert!(!messages(&recording!("image.json")).iter().any(|message| is_missing_image(message)));
    }

    #[test]
    fn where_a_kubeconfig_is_malformed() {
        for (text, line) in
            [("apiVersion: v1\nusers:\n- name: a\n  user: {token: secret\ncontexts: []\n", 5), ("users: [{name: a, user: secret}]\n", 1)]
        {
            let Err(KubeconfigError::Parse(error)) = Kubeconfig::from_yaml(text) else { panic!("it is malformed") };
            let position = position(&error.to_string()).unwrap_or_else(|| panic!("no position in: {error}"));
            assert_eq!(position.0, line, "{error}");
        }
    }
}
