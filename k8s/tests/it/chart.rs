//! The Helm chart: its rendered objects (golden, and rendered again if helm is installed), its Role, and its schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    core::v1::{Namespace, Service, ServiceAccount},
    networking::v1::{Ingress, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
    rbac::v1::{Role, RoleBinding},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use toygres_k8s::permissions::PERMISSIONS;

const RENDERINGS: [&str; 4] = ["default", "everything", "bundled", "monitored"];

type Objects = BTreeMap<String, Value>;

fn crate_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(crate_file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn golden(name: &str) -> Objects {
    objects(&read(&format!("tests/golden/chart-{name}.yaml")))
}

/// The objects of a YAML stream, by kind and name.
fn objects(text: &str) -> Objects {
    let documents = format!("\n{text}");
    let documents = documents.split("\n---\n").filter_map(|document| serde_saphyr::from_str::<Option<Value>>(document).unwrap());
    documents
        .map(|object| {
            let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{object}")).to_owned();
            (format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"])), object.clone())
        })
        .collect()
}

#[test]
fn the_golden_renderings_are_of_this_chart() {
    let mut files: Vec<PathBuf> = Vec::new();
    for directory in ["chart", "chart/templates", "tests/chart"] {
        files.extend(fs::read_dir(crate_file(directory)).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    }
    files.sort();
    let digest = files.iter().fold(Sha256::new(), |digest, file| digest.chain_update(fs::read(file).unwrap()));
    let stamp: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    for name in RENDERINGS {
        let text = read(&format!("tests/golden/chart-{name}.yaml"));
        assert!(text.lines().next().unwrap().ends_with(&stamp), "the chart has changed: run scripts/render-chart");
    }
}

#[test]
fn helm_renders_the_golden_objects() {
    let helm = |arguments: &[&str]| Command::new("helm").args(arguments).current_dir(crate_file(".")).output();
    if helm(&["version"]).is_err() {
        eprintln!("there is no helm here: only the golden renderings were looked at");
        return;
    }
    for name in RENDERINGS {
        let values = format!("tests/chart/{name}.yaml");
        let mut arguments = vec!["template", "toygres", "chart", "--namespace", "toygres"];
        if name != "default" {
            arguments.extend(["--values", &values]);
        }
        let output = helm(&arguments).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(objects(&String::from_utf8(output.stdout).unwrap()), golden(name), "{name}");
    }
}

#[test]
fn every_object_is_one_that_kubernetes_knows() {
    for name in RENDERINGS {
        for (what, object) in golden(name) {
            match object["kind"].as_str().unwrap() {
                "Deployment" => known::<Deployment>(&what, &object),
                "StatefulSet" => known::<StatefulSet>(&what, &object),
                "Service" => known::<Service>(&what, &object),
                "Namespace" => known::<Namespace>(&what, &object),
                "ServiceAccount" => known::<ServiceAccount>(&what, &object),
                "Role" => known::<Role>(&what, &object),
                "RoleBinding" => known::<RoleBinding>(&what, &object),
                "Ingress" => known::<Ingress>(&what, &object),
                "NetworkPolicy" => known::<NetworkPolicy>(&what, &object),
                "PodDisruptionBudget" => known::<PodDisruptionBudget>(&what, &object),
                // The Prometheus operator's.
                "ServiceMonitor" => {}
                other => panic!("{other}"),
            }
        }
    }
}

/// Parses an object strictly: it must not have fields that its type does not have.
fn known<T: DeserializeOwned + Serialize>(what: &str, object: &Value) {
    let read: T = serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    lost(what, object, &serde_json::to_value(read).unwrap());
}

fn lost(path: &str, before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                // The typed object omits empty lists and maps.
                let empty = value.is_null() || value == &json!([]) || value == &json!({});
                match after.get(key) {
                    Some(present) => lost(&format!("{path}.{key}"), value, present),
                    None => assert!(empty, "{path} has no field {key}"),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len(), "{path}");
            before.iter().zip(after).for_each(|(before, after)| lost(path, before, after));
        }
        _ => assert_eq!(before, after, "{path}"),
    }
}

#[test]
fn the_role_allows_what_the_runtime_does_and_nothing_more() {
    let expected: Vec<Value> = PERMISSIONS
        .iter()
        .map(|permission| json!({"apiGroups": [permission.group], "resources": [permission.resource], "verbs": permission.verbs}))
        .collect();
    for name in RENDERINGS {
        let objects = golden(name);
        assert_eq!(objects["Role toygres"]["rules"], json!(expected), "{name}");
        assert!(!objects.keys().any(|what| what.starts_with("Cluster")), "no cluster role");
    }
}

/// A server that has no room for another client is not restarted for it.
#[test]
fn probes_use_the_port_whose_connections_are_not_those_of_clients() {
    for name in RENDERINGS {
        let objects = golden(name);
        let container = &objects["Deployment toygres"]["spec"]["template"]["spec"]["containers"][0];
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            assert_eq!(container[probe]["httpGet"]["port"], "metrics", "{name}: {probe}");
        }
        let port = json!({"name": "metrics", "containerPort": 9090});
        assert!(container["ports"].as_array().unwrap().contains(&port), "{name}");
        let has = |variable: &str, value: &str| container["env"].as_array().unwrap().contains(&json!({"name": variable, "value": value}));
        assert!(has("TOYGRES_METRICS_LISTEN", "0.0.0.0:9090"), "{name}");
        // Behind an ingress all clients have one address.
        let behind_ingress = objects.contains_key("Ingress toygres");
        assert_eq!(has("TOYGRES_MAX_CONNECTIONS_PER_ADDRESS_PERCENT", "100"), behind_ingress, "{name}");
    }
}

/// The port of the metrics asks for no token.
#[test]
fn only_pods_that_are_named_read_the_metrics() {
    for (name, from) in [
        ("everything", json!([{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}])),
        ("monitored", json!([{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}])),
    ] {
        let objects = golden(name);
        let rules = objects["NetworkPolicy toygres"]["spec"]["ingress"].as_array().unwrap();
        let of_metrics: Vec<&Value> = rules.iter().filter(|rule| rule["ports"] == json!([{"port": "metrics", "protocol": "TCP"}])).collect();
        assert_eq!(of_metrics.len(), 1, "{name}: {rules:?}");
        assert_eq!(of_metrics[0]["from"], from, "{name}");
    }
    let rules = &golden("default")["NetworkPolicy toygres"]["spec"]["ingress"];
    assert_eq!(*rules, json!([{"ports": [{"port": "http", "protocol": "TCP"}]}]), "nobody, without a ServiceMonitor");
}

/// Every server answers the same: asked of each, every sum over instances would be too large.
#[test]
fn prometheus_asks_for_the_metrics_of_instances_once() {
    for name in ["everything", "monitored"] {
        let objects = golden(name);
        let endpoints = objects["ServiceMonitor toygres"]["spec"]["endpoints"].as_array().unwrap();
        // What remains of the targets of two pods, with the labels that the operator gives them.
        let targets = |path: &str| -> BTreeSet<BTreeMap<String, String>> {
            let endpoint = endpoints.iter().find(|endpoint| endpoint["path"] == path).unwrap_or_else(|| panic!("{name}: {path}"));
            let rules: Vec<Value> = endpoint["relabelings"].as_array().cloned().unwrap_or_default();
            let discovered = [("10.0.0.1:9090", "toygres-a", "node-1"), ("10.0.0.2:9090", "toygres-b", "node-2")];
            let labels = discovered.map(|(address, pod, node)| {
                BTreeMap::from([("__address__", address), ("pod", pod), ("node", node), ("container", "toygres"), ("service", "toygres-metrics")])
            });
            labels.into_iter().map(|target| relabelled(&rules, target)).collect()
        };
        assert_eq!(targets("/metrics").len(), 2, "each server has its own");
        let of_instances: Vec<_> = targets("/metrics/instances").into_iter().collect();
        let service = &objects["Service toygres-metrics"];
        let (namespace, port) = (service["metadata"]["namespace"].as_str().unwrap(), &service["spec"]["ports"][0]["port"]);
        let expected = [("__address__", format!("toygres-metrics.{namespace}.svc:{port}")), ("service", "toygres-metrics".to_owned())];
        assert_eq!(of_instances, [expected.map(|(label, value)| (label.to_owned(), value)).into()], "{name}");
    }
}

/// The labels of a target after its relabelling, of which the chart uses two kinds.
fn relabelled(rules: &[Value], target: BTreeMap<&str, &str>) -> BTreeMap<String, String> {
    let mut target: BTreeMap<String, String> = target.into_iter().map(|(label, value)| (label.to_owned(), value.to_owned())).collect();
    for rule in rules {
        let text = |field: &str| rule[field].as_str().unwrap_or_else(|| panic!("{rule} has no {field}"));
        if rule["action"] == "labeldrop" {
            target.retain(|label, _| !text("regex").split('|').any(|dropped| dropped == label));
        } else {
            assert!(rule["action"].is_null() && rule["sourceLabels"].is_null(), "{rule}");
            target.insert(text("targetLabel").to_owned(), text("replacement").to_owned());
        }
    }
    target
}

/// With a store there are backups, which the same image restores.
#[test]
fn pods_that_restore_instances_run_the_image_of_the_control_plane() {
    for name in RENDERINGS {
        let objects = golden(name);
        let container = &objects["Deployment toygres"]["spec"]["template"]["spec"]["containers"][0];
        let value = |variable: &str| container["env"].as_array().unwrap().iter().find(|entry| entry["name"] == variable).map(|entry| &entry["value"]);
        let expected = value("TOYGRES_BACKUP_STORE").map(|_| &container["image"]);
        assert_eq!(value("TOYGRES_RESTORE_IMAGE"), expected, "{name}");
        assert_eq!(expected.is_some(), name == "everything");
        assert_eq!(value("TOYGRES_RESTORE_SERVICE_ACCOUNT").is_some(), name == "everything");
    }
}

#[test]
fn the_control_plane_has_no_rights_over_its_own_secret() {
    for name in RENDERINGS {
        let objects = golden(name);
        let (deployment, container) = (&objects["Deployment toygres"], "/spec/template/spec/containers/0/env");
        let environment = deployment.pointer(container).unwrap().as_array().unwrap();
        let namespace = &environment.iter().find(|entry| entry["name"] == "AKS_NAMESPACE").unwrap()["value"];
        assert_eq!(namespace, if name == "everything" { "databases" } else { "toygres-instances" }, "{name}");
        assert_ne!(*namespace, deployment["metadata"]["namespace"], "{name}");
        for (what, object) in &objects {
            if what.starts_with("Role") {
                assert_eq!(object["metadata"]["namespace"], *namespace, "{name}: {what}");
            }
        }
    }
}

#[test]
fn helm_never_deletes_the_namespace_of_the_instances() {
    for (name, created) in [("default", true), ("bundled", true), ("monitored", true), ("everything", false)] {
        let objects = golden(name);
        let namespaces: Vec<&Value> = objects.values().filter(|object| object["kind"] == "Namespace").collect();
        assert_eq!(namespaces.len(), usize::from(created), "{name}");
        for namespace in namespaces {
            assert_eq!(namespace["metadata"]["name"], "toygres-instances");
            assert_eq!(namespace["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
        }
    }
}

#[test]
fn selectors_find_the_pods() {
    for name in RENDERINGS {
        let objects = golden(name);
        let pods = &objects["Deployment toygres"]["spec"]["template"]["metadata"]["labels"];
        for (what, selector) in [
            ("Deployment toygres", "/spec/selector/matchLabels"),
            ("Service toygres", "/spec/selector"),
            ("PodDisruptionBudget toygres", "/spec/selector/matchLabels"),
            ("NetworkPolicy toygres", "/spec/podSelector/matchLabels"),
        ] {
            let Some(object) = objects.get(what) else { continue };
            for (label, value) in object.pointer(selector).unwrap().as_object().unwrap() {
                assert_eq!(pods[label], *value, "{name}: {what}");
            }
        }
        if let Some(monitor) = objects.get("ServiceMonitor toygres") {
            let service = &objects["Service toygres-metrics"]["metadata"]["labels"];
            for (label, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
                assert_eq!(service[label], *value, "{what}", what = "ServiceMonitor");
            }
        }
    }
}

#[test]
fn no_secret_is_in_the_objects() {
    for name in RENDERINGS {
        assert!(!golden(name).keys().any(|what| what.starts_with("Secret ")), "secrets are only referred to");
        let environment = &golden(name)["Deployment toygres"]["spec"]["template"]["spec"]["containers"][0]["env"];
        for entry in environment.as_array().unwrap() {
            let name = entry["name"].as_str().unwrap();
            let is_reference =
                entry["valueFrom"]["secretKeyRef"].is_object() || entry["value"].as_str().is_some_and(|value| value.contains("$(METADATA_PASSWORD)"));
            assert!(is_reference || !(name.contains("SECRET_KEY") || name.contains("DATABASE_URL") || name.contains("PASSWORD")), "{entry}");
        }
    }
}

#[test]
fn the_schema_describes_every_value() {
    let schema: Value = serde_json::from_str(&read("chart/values.schema.json")).unwrap();
    let values: Value = serde_saphyr::from_str(&read("chart/values.yaml")).unwrap();
    described("values", &schema, &values);
    for name in ["everything", "bundled", "monitored"] {
        described(name, &schema, &serde_saphyr::from_str(&read(&format!("tests/chart/{name}.yaml"))).unwrap());
    }
}

fn described(path: &str, schema: &Value, value: &Value) {
    let (Some(value), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else { return };
    assert_eq!(schema["additionalProperties"], false, "{path} takes anything");
    for (key, value) in value {
        let property = properties.get(key).unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
        described(&format!("{path}.{key}"), property, value);
    }
}
