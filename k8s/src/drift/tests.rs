use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde_json::json;
use toygres_domain::{
    InstanceId,
    data::{Data, VolumeId},
    instance::{Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion, ReasonCode},
    name::SqlName,
};

use super::*;

const UID: &str = "uid-of-the-claim";

fn deployment() -> Deployment {
    Deployment {
        id: InstanceId::generate(),
        name: "orders".parse().unwrap(),
        first_name: "orders".parse().unwrap(),
        spec: InstanceSpec {
            postgres_version: PostgresVersion(17),
            storage_gb: 1024,
            cpu_millis: 1000,
            memory_mb: 1024,
            username: SqlName::role("app").unwrap(),
            database: SqlName::database("app").unwrap(),
            exposure: Exposure::Cluster,
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
            parameters: Default::default(),
        },
        credentials: Credentials { owner: Password::new("secret".to_owned()), platform: Some(PlatformCredentials::generate()) },
        data: Data::Existing(Some(VolumeId(UID.to_owned()))),
        certificate: ServerCertificate { chain: String::new(), key: Password::new(String::new()) },
        suspended: false,
        closed: false,
    }
}

fn entry(manager: &str, operation: &str, subresource: Option<&str>, fields: serde_json::Value) -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        manager: Some(manager.to_owned()),
        operation: Some(operation.to_owned()),
        subresource: subresource.map(str::to_owned),
        fields_v1: Some(FieldsV1(fields)),
        ..ManagedFieldsEntry::default()
    }
}

/// The objects as a deployment leaves them.
fn actual(deployment: &Deployment) -> Actual {
    let build::Objects { network_policy, client_service, secret, headless_service, mut stateful_set } =
        build::objects(deployment, &Settings::default());
    let mut meta = secret.metadata;
    let fields: serde_json::Map<_, _> = secret.data.unwrap().keys().map(|key| (format!("f:{key}"), json!({}))).collect();
    meta.managed_fields = Some(vec![entry("toygres", "Apply", None, json!({"f:data": fields}))]);
    stateful_set.metadata.managed_fields =
        Some(vec![entry("toygres-restart", "Apply", None, json!({})), entry("kube-controller-manager", "Update", Some("status"), json!({}))]);
    let claim: PersistentVolumeClaim = serde_json::from_value(json!({"metadata": {"name": names::claim(deployment.id), "uid": UID}})).unwrap();
    Actual {
        stateful_set: Some(stateful_set),
        services: vec![client_service, headless_service],
        network_policy: Some(network_policy),
        secret: SecretMetadata::Present(Box::new(meta)),
        claims: vec![claim],
    }
}

fn found(deployment: &Deployment, actual: &Actual) -> (Vec<String>, Option<ReasonCode>) {
    let found = inspection(&deployment.into(), actual, &Settings::default());
    (found.drift.iter().map(ToString::to_string).collect(), found.data.map(|reason| reason.code))
}

#[test]
fn what_was_deployed_has_not_drifted() {
    let deployment = deployment();
    assert_eq!(found(&deployment, &actual(&deployment)), (Vec::new(), None));
}

#[test]
fn another_notation_of_the_api_server_is_no_drift() {
    let deployment = deployment();
    let mut actual = actual(&deployment);
    let set = actual.stateful_set.take().unwrap();
    let text = serde_json::to_string(&set).unwrap();
    let other = text.replace("\"1024Gi\"", "\"1Ti\"").replace("\"1000m\"", "\"1\"").replace("\"1024Mi\"", "\"1Gi\"");
    assert_ne!(text, other);
    let mut set: StatefulSet = serde_json::from_str(&other).unwrap();
    set.metadata.managed_fields.as_mut().unwrap().push(entry("kubectl", "Update", None, json!({})));
    actual.stateful_set = Some(set);
    assert_eq!(found(&deployment, &actual), (Vec::new(), None));
}

#[test]
fn what_somebody_deleted_has_drifted() {
    let deployment = deployment();
    let id = deployment.id;
    let nothing = Actual { claims: actual(&deployment).claims, secret: SecretMetadata::Absent, ..Actual::default() };
    let expected = [
        format!("the NetworkPolicy toygres-{id} was deleted"),
        "the Service orders was deleted".to_owned(),
        format!("the Secret toygres-{id} was deleted"),
        format!("the Service toygres-{id}-headless was deleted"),
        format!("the StatefulSet toygres-{id} was deleted"),
    ];
    assert_eq!(found(&deployment, &nothing), (expected.to_vec(), None));
}

#[test]
fn a_difference_is_drift_only_if_somebody_else_wrote_it() {
    let deployment = deployment();
    let mut actual = actual(&deployment);
    let set = actual.stateful_set.as_mut().unwrap();
    set.spec.as_mut().unwrap().pod_management_policy = Some("OrderedReady".to_owned());
    assert_eq!(found(&deployment, &actual), (Vec::new(), None), "another release of the control plane would deploy it like this");
    let set = actual.stateful_set.as_mut().unwrap();
    set.metadata.managed_fields.as_mut().unwrap().push(entry("kubectl", "Update", None, json!({})));
    assert_eq!(found(&deployment, &actual).0, [format!("the StatefulSet toygres-{} was edited (spec.podManagementPolicy)", deployment.id)]);
}

#[test]
fn other_replicas_are_drift_whoever_wrote_them() {
    let deployment = deployment();
    let mut actual = actual(&deployment);
    actual.stateful_set.as_mut().unwrap().spec.as_mut().unwrap().replicas = Some(0);
    assert_eq!(found(&deployment, &actual).0, [format!("the StatefulSet toygres-{} was edited (spec.replicas)", deployment.id)]);
}

#[test]
fn a_secret_is_judged_by_who_owns_its_fields() {
    let deployment = deployment();
    let mut actual = actual(&deployment);
    let SecretMetadata::Present(meta) = &mut actual.secret else { unreachable!() };
    let entries = meta.managed_fields.as_mut().unwrap();
    entries.push(entry("kubectl-edit", "Update", None, json!({"f:data": {"f:other": {}}})));
    let ours = entries[0].fields_v1.clone();
    assert_eq!(found(&deployment, &actual).0, Vec::<String>::new(), "others may add keys");
    let SecretMetadata::Present(meta) = &mut actual.secret else { unreachable!() };
    let mut without = ours.unwrap();
    without.0["f:data"].as_object_mut().unwrap().remove("f:has-run");
    meta.managed_fields.as_mut().unwrap()[0].fields_v1 = Some(without);
    assert_eq!(found(&deployment, &actual).0, [format!("the Secret toygres-{} was edited (data.has-run)", deployment.id)]);
    actual.secret = SecretMetadata::Unknown;
    assert_eq!(found(&deployment, &actual).0, Vec::<String>::new());
}

#[test]
fn a_claim_is_known_by_its_uid() {
    let deployment = deployment();
    let with = |change: fn(&mut Vec<PersistentVolumeClaim>)| {
        let mut actual = actual(&deployment);
        change(&mut actual.claims);
        found(&deployment, &actual).1
    };
    assert_eq!(with(|_| {}), None);
    assert_eq!(with(Vec::clear), Some(ReasonCode::DataLost));
    assert_eq!(with(|claims| claims[0].metadata.uid = Some("another".to_owned())), Some(ReasonCode::DataLost));
    let terminating = |claims: &mut Vec<PersistentVolumeClaim>| {
        claims[0].metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    };
    assert_eq!(with(terminating), Some(ReasonCode::VolumeTerminating));
    let unknown = Deployment { data: Data::Existing(None), ..deployment.clone() };
    assert_eq!(found(&unknown, &actual(&unknown)).1, None);
}
