//! Observations of recordings of a real cluster.

use k8s_openapi::jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use toygres_domain::{
    address::Address,
    instance::{Endpoint, Exposure, Reason, ReasonCode},
    runtime::Observation,
};
use toygres_k8s::{
    Settings,
    build::names,
    observe::{Snapshot, events_of_interest, internal_endpoint, observation},
    settings::EndpointHost,
};

use crate::{fixture, recordings};

fn snapshot(name: &str) -> Snapshot {
    snapshot_with(name, |_| {})
}

/// A recording with a change of its pod.
fn snapshot_with(name: &str, change: impl FnOnce(&mut Value)) -> Snapshot {
    fn all<K: DeserializeOwned>(items: Vec<Value>) -> Vec<K> {
        items.into_iter().map(|item| serde_json::from_value(item).unwrap()).collect()
    }
    let file = format!("{name}.json");
    let mut pods = recordings::items(&file, "Pod");
    if let Some(pod) = pods.first_mut() {
        change(pod);
    }
    let mut snapshot = Snapshot {
        stateful_set: all(recordings::items(&file, "StatefulSet")).pop(),
        pods: all(pods),
        claims: all(recordings::items(&file, "PersistentVolumeClaim")),
        services: all(recordings::items(&file, "Service")),
        network_policy: true,
        events: Vec::new(),
    };
    if let Some((kind, _)) = events_of_interest(fixture::deployment().id, &snapshot) {
        let events = recordings::items(&format!("{name}.events.json"), "Event");
        snapshot.events = all(events.into_iter().filter(|event| event["involvedObject"]["kind"] == kind).collect());
    }
    snapshot
}

fn observe(snapshot: &Snapshot) -> Observation {
    observe_with(snapshot, &Settings { endpoint_host: Some(EndpointHost::ServiceName), ..Settings::default() })
}

fn observe_with(snapshot: &Snapshot, settings: &Settings) -> Observation {
    observation(fixture::deployment().id, snapshot, settings, "2026-11-22T09:10:00Z".parse::<Timestamp>().unwrap())
}

fn pending(snapshot: &Snapshot) -> Reason {
    match observe(snapshot) {
        Observation::Pending(reason) => reason,
        other => panic!("expected Pending, not {other:?}"),
    }
}

#[test]
fn running_has_an_endpoint() {
    let snapshot = snapshot("running");
    assert_eq!(observe(&snapshot), Observation::Ready(Endpoint { host: "pg-demo.toygres-instances.svc.cluster.local".to_owned(), port: 5432 }));
    let outside = Settings { endpoint_host: Some(EndpointHost::ClusterIp), ..Settings::default() };
    assert_eq!(observe_with(&snapshot, &outside), Observation::Ready(Endpoint { host: "10.96.228.63".to_owned(), port: 5432 }));
}

#[test]
fn a_set_that_somebody_scaled_to_zero_has_drifted() {
    assert_eq!(pending(&snapshot("replicas-zero")).code, ReasonCode::Drifted);
}

/// A recording of an instance that has run with the claim of this uid.
fn with_volume(name: &str, uid: &str) -> Snapshot {
    let mut snapshot = snapshot(name);
    let set = snapshot.stateful_set.as_mut().unwrap();
    set.metadata.annotations.get_or_insert_default().insert(names::VOLUME_ANNOTATION.to_owned(), uid.to_owned());
    // The recordings name objects for people.
    snapshot.claims[0].metadata.name = Some(names::claim(fixture::deployment().id));
    snapshot
}

#[test]
fn a_claim_is_known_by_its_uid() {
    let (first, second) = ("d3d9aaf8-438a-401e-9963-833e64d70552", "5570d18d-d2c6-45bc-b684-401a3e88eed4");
    let lost = |snapshot: &Snapshot| matches!(observe(snapshot), Observation::Failed(reason) if reason.code == ReasonCode::DataLost);
    assert!(lost(&with_volume("claim-replaced", first)), "its pod is ready, with an empty database");
    assert!(matches!(observe(&with_volume("claim-replaced", second)), Observation::Ready(_)));
    let mut without = with_volume("claim-replaced", first);
    without.claims.clear();
    assert!(lost(&without));
    let terminating = with_volume("claim-terminating", first);
    assert!(matches!(observe(&terminating), Observation::Ready(_)), "the server still has its data");
    let mut down = terminating;
    down.pods.clear();
    assert_eq!(pending(&down).code, ReasonCode::VolumeTerminating);
}

#[test]
fn a_ready_pod_of_an_older_specification_does_not_count() {
    let mut snapshot = snapshot("running");
    snapshot.stateful_set.as_mut().unwrap().status.as_mut().unwrap().update_revision = Some("pg-demo-another".to_owned());
    assert_eq!(pending(&snapshot).code, ReasonCode::StartingUp);
    let mut behind = self::snapshot("running");
    behind.stateful_set.as_mut().unwrap().metadata.generation = Some(2);
    assert_eq!(pending(&behind).code, ReasonCode::StartingUp, "the controller has not observed the change yet");
}

#[test]
fn a_pod_that_a_restart_stops_is_neither_ready_nor_failed() {
    for recording in ["running", "volume", "crash"] {
        let mut snapshot = snapshot(recording);
        let uid = snapshot.pods[0].metadata.uid.clone().unwrap();
        let annotations = snapshot.stateful_set.as_mut().unwrap().metadata.annotations.get_or_insert_default();
        annotations.insert("toygres.io/restarts".to_owned(), format!("restart-{uid}-1=another restart-{uid}-2={uid}"));
        assert_eq!(observe(&snapshot), observe(&self::snapshot(recording)), "{recording}: recorded, but not deleted");
        snapshot.pods[0].metadata.deletion_timestamp = snapshot.pods[0].metadata.creation_timestamp.clone();
        assert_eq!(pending(&snapshot), Reason::new(ReasonCode::StartingUp, "It is being restarted"), "{recording}");
    }
}

#[test]
fn an_image_that_cannot_be_pulled() {
    let reason = pending(&snapshot("image"));
    assert_eq!(reason.code, ReasonCode::ImagePullFailed);
    assert!(reason.message.contains("postgres:99"), "{}", reason.message);
}

#[test]
fn an_image_that_the_registry_does_not_have_is_final() {
    let snapshot = snapshot_with("image", |pod| {
        pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"] =
            json!("failed to resolve reference \"docker.io/library/postgres:99\": docker.io/library/postgres:99: not found");
    });
    assert!(matches!(observe(&snapshot), Observation::Failed(Reason { code: ReasonCode::ImagePullFailed, .. })));
}

#[test]
fn no_node_has_enough_resources() {
    let reason = pending(&snapshot("unschedulable"));
    assert_eq!(reason.code, ReasonCode::Unschedulable);
    assert!(reason.message.contains("Insufficient cpu"), "{}", reason.message);
}

#[test]
fn without_the_service_for_clients_it_is_not_ready() {
    let mut snapshot = snapshot("service-deleted");
    // In the recording it has another name.
    snapshot.services[0].metadata.name = Some(names::headless_service(fixture::deployment().id));
    assert_eq!(pending(&snapshot).code, ReasonCode::EndpointMissing);
}

/// The node controller marks its pods as not ready; the container is reported as it was last seen.
#[test]
fn a_node_that_does_not_report_is_the_reason() {
    let reason = pending(&snapshot("node-unreachable"));
    assert_eq!((reason.code, reason.message.as_str()), (ReasonCode::RuntimeUnavailable, "Its node node1 does not report any more"));
}

#[test]
fn a_storage_class_that_does_not_exist_is_final() {
    match observe(&snapshot("volume")) {
        Observation::Failed(reason) => {
            assert_eq!(reason.code, ReasonCode::VolumeNotBound);
            assert!(reason.message.contains("\"missing\" not found"), "{}", reason.message);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_volume_that_is_slow_becomes_the_reason_only_later() {
    let mut snapshot = snapshot("volume");
    snapshot.events.clear();
    assert_eq!(pending(&snapshot).code, ReasonCode::VolumeNotBound);
    let early = observation(fixture::deployment().id, &snapshot, &Settings::default(), "2026-11-22T09:03:40Z".parse().unwrap());
    assert!(matches!(early, Observation::Pending(Reason { code: ReasonCode::StartingUp, .. })), "{early:?}");
}

#[test]
fn a_crash_loop_contains_the_end_of_the_log() {
    let log = "FATAL:  unrecognized configuration parameter \"no_such_parameter\"\n";
    let looping = |restarts: i32| {
        snapshot_with("crash", |pod| {
            let container = &mut pod["status"]["containerStatuses"][0];
            container["restartCount"] = json!(restarts);
            container["lastState"]["terminated"]["message"] = json!(log);
        })
    };
    let reason = pending(&looping(2));
    assert_eq!(reason.code, ReasonCode::CrashLoop);
    assert!(reason.message.contains("no_such_parameter") && reason.message.contains("exit code 1"), "{}", reason.message);
    assert!(matches!(observe(&looping(5)), Observation::Failed(Reason { code: ReasonCode::CrashLoop, .. })));
    assert_eq!(pending(&snapshot("crash")).code, ReasonCode::CrashLoop, "also without a log");
    let full = snapshot_with("crash", |pod| {
        let end = &mut pod["status"]["containerStatuses"][0]["lastState"]["terminated"];
        end["message"] = json!("PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device\n");
    });
    assert_eq!(pending(&full).code, ReasonCode::DiskFull, "its volume grows if it is let to");
}

/// The kubelet counts the restarts of the whole life of a pod.
#[test]
fn crashes_of_long_ago_do_not_explain_the_present() {
    let crashed = |started: &str, finished: &str, state: Value| {
        snapshot_with("crash", |pod| {
            let container = &mut pod["status"]["containerStatuses"][0];
            container["restartCount"] = json!(7);
            container["lastState"]["terminated"]["message"] = json!("FATAL:  something of long ago\n");
            container["lastState"]["terminated"]["startedAt"] = json!(started);
            container["lastState"]["terminated"]["finishedAt"] = json!(finished);
            container["state"] = state;
        })
    };
    let running = || json!({ "running": { "startedAt": "2026-11-22T09:09:50Z" } });
    let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container" } });
    let yesterday = pending(&crashed("2026-11-21T09:00:00Z", "2026-11-21T09:00:01Z", running()));
    assert_eq!((yesterday.code, yesterday.message.as_str()), (ReasonCode::StartingUp, "PostgreSQL is starting"));
    let first_of_today = pending(&crashed("2026-11-21T09:00:00Z", "2026-11-22T09:09:49Z", running()));
    assert_eq!(first_of_today.code, ReasonCode::StartingUp, "{first_of_today:?}");
    assert_eq!(pending(&crashed("2026-11-21T09:00:00Z", "2026-11-22T09:09:49Z", waiting)).code, ReasonCode::CrashLoop, "not final yet");
    let again = observe(&crashed("2026-11-22T09:09:40Z", "2026-11-22T09:09:49Z", running()));
    assert!(matches!(again, Observation::Failed(Reason { code: ReasonCode::CrashLoop, .. })), "{again:?}");
}

#[test]
fn killed_for_exceeding_its_memory() {
    assert_eq!(pending(&snapshot("oom")).code, ReasonCode::OutOfMemory);
}

#[test]
fn an_exceeded_quota() {
    let reason = pending(&snapshot("quota"));
    assert_eq!(reason.code, ReasonCode::QuotaExceeded);
    assert!(reason.message.contains("limited: requests.memory=128Mi"), "{}", reason.message);

    // That of a claim is refused to the same controller.
    let mut snapshot = snapshot("quota");
    for event in &mut snapshot.events {
        event.message = event.message.as_ref().map(|_| {
            "create Claim data-pg-demo-0 for Pod pg-demo-0 in StatefulSet pg-demo failed error: persistentvolumeclaims \"data-pg-demo-0\" is \
             forbidden: exceeded quota: q, requested: requests.storage=1Gi, used: requests.storage=0, limited: requests.storage=512Mi"
                .to_owned()
        });
    }
    assert_eq!(pending(&snapshot).code, ReasonCode::QuotaExceeded);
}

#[test]
fn a_pod_that_admission_refuses() {
    let mut snapshot = snapshot("quota");
    for event in &mut snapshot.events {
        event.message = event
            .message
            .as_ref()
            .map(|_| "create Pod pg-demo-0 failed error: pods \"pg-demo-0\" is forbidden: violates PodSecurity \"restricted:latest\"".to_owned());
    }
    assert_eq!(pending(&snapshot).code, ReasonCode::AdmissionRefused);
}

#[test]
fn without_objects_or_with_a_kept_volume_it_is_absent() {
    assert_eq!(observe(&Snapshot::default()), Observation::Absent);
    let mut kept = Snapshot { claims: snapshot("running").claims, ..Snapshot::default() };
    assert!(matches!(observe(&kept), Observation::Pending(_)), "a claim that is not kept is a leftover");
    kept.claims[0].metadata.labels.get_or_insert_default().insert("toygres.io/kept".to_owned(), "true".to_owned());
    assert_eq!(observe(&kept), Observation::Absent);
}

#[test]
fn a_pod_that_is_replaced_is_never_ready_in_between() {
    let base = snapshot("running");
    let mut states = Vec::new();
    for line in recordings::read_lines("pod-kill-and-delete.watch.jsonl") {
        if line["object"]["kind"] != "Pod" {
            continue;
        }
        let pod: k8s_openapi::api::core::v1::Pod = serde_json::from_value(line["object"].clone()).unwrap();
        let ready = matches!(observe(&Snapshot { pods: vec![pod.clone()], ..base.clone() }), Observation::Ready(_));
        assert!(!(ready && pod.metadata.deletion_timestamp.is_some()));
        if states.last() != Some(&ready) {
            states.push(ready);
        }
    }
    assert_eq!(states, [true, false, true, false]);
}

#[test]
fn a_load_balancer_that_refuses_the_pods_of_the_cluster_is_reached_behind_it() {
    let public = Endpoint { host: "203.0.113.10".to_owned(), port: 5432 };
    let service = Endpoint { host: "orders.toygres-instances.svc.cluster.local".to_owned(), port: 5432 };
    let (inside, outside) = (Settings::default(), Settings { endpoint_host: Some(EndpointHost::ClusterIp), ..Settings::default() });
    let open = Exposure::LoadBalancer { source_ranges: Vec::new(), dns_label: None };
    let restricted = Exposure::LoadBalancer { source_ranges: vec!["198.51.100.0/24".to_owned()], dns_label: None };
    for (settings, exposure, expected) in
        [(&inside, &restricted, &service), (&inside, &open, &public), (&inside, &Exposure::Cluster, &public), (&outside, &restricted, &public)]
    {
        assert_eq!(
            &internal_endpoint(settings, &Address { name: "orders".parse().unwrap(), exposure: exposure.clone() }, &public),
            expected,
            "{exposure:?}"
        );
    }
}

#[test]
fn a_load_balancer_is_ready_with_its_address() {
    let mut snapshot = snapshot("running");
    let service = snapshot.services.iter_mut().find(|service| service.metadata.name.as_deref() == Some("pg-demo")).unwrap();
    service.spec.as_mut().unwrap().type_ = Some("LoadBalancer".to_owned());
    service.metadata.annotations = Some([("service.beta.kubernetes.io/azure-dns-label-name".to_owned(), "orders".to_owned())].into());
    let mut addressed = snapshot.clone();
    assert_eq!(pending(&snapshot).code, ReasonCode::StartingUp);

    let service = addressed.services.iter_mut().find(|service| service.metadata.name.as_deref() == Some("pg-demo")).unwrap();
    service.status = serde_json::from_value(json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.10"}]}})).unwrap();
    assert_eq!(observe(&addressed), Observation::Ready(Endpoint { host: "203.0.113.10".to_owned(), port: 5432 }));
    let azure = Settings { dns_label_domain: Some("westeurope.cloudapp.azure.com".to_owned()), ..Settings::default() };
    assert_eq!(
        observe_with(&addressed, &azure),
        Observation::Ready(Endpoint { host: "orders.westeurope.cloudapp.azure.com".to_owned(), port: 5432 })
    );
}
