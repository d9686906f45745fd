//! Planned restarts: once for each operation, graceful until the time-out, and no death.

use std::time::{Duration, Instant};

use serde_json::json;
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    runtime::{Deployment, Observation, Progress, Restart, Runtime},
};
use toygres_k8s::build::names;

use crate::{
    fake::{Crash, FakeApiServer, Scenario},
    fixture,
    nudging::{deaths, next, received},
    recordings,
    steps::{deploy_until_ready, remove_until_done, restart, restart_until_done, until_ready},
};

fn pod(server: &FakeApiServer, id: InstanceId) -> serde_json::Value {
    server.object("pods", &names::pod(id)).expect("the pod exists")
}

fn pod_uid(server: &FakeApiServer, id: InstanceId) -> serde_json::Value {
    pod(server, id)["metadata"]["uid"].clone()
}

#[tokio::test]
async fn a_restart_replaces_the_pod_and_keeps_everything_else() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    let endpoint = deploy_until_ready(&server, &runtime, &deployment).await;
    let (before, objects) = (pod_uid(&server, deployment.id), server.object_names());

    let first = runtime.restart(deployment.id, &restart(&deployment, 2)).await.unwrap();
    assert!(matches!(first, Progress::InProgress(Reason { code: ReasonCode::StartingUp, .. })), "{first:?}");
    restart_until_done(&server, &runtime, &deployment, &restart(&deployment, 2)).await;
    assert_eq!(until_ready(&server, &runtime, &deployment).await, endpoint);
    assert_ne!(pod_uid(&server, deployment.id), before);
    assert_eq!(server.object_names(), objects);
}

#[tokio::test]
async fn each_operation_restarts_once() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    for n in 2..5 {
        let before = pod_uid(&server, deployment.id);
        restart_until_done(&server, &runtime, &deployment, &restart(&deployment, n)).await;
        until_ready(&server, &runtime, &deployment).await;
        let after = pod_uid(&server, deployment.id);
        assert_ne!(after, before);
        // Also an earlier one, whose activity may run again late, and by a control plane that remembers nothing.
        for repeated in 2..=n {
            assert_eq!(server.runtime().restart(deployment.id, &restart(&deployment, repeated)).await, Ok(Progress::Done));
        }
        until_ready(&server, &runtime, &deployment).await;
        assert_eq!(pod_uid(&server, deployment.id), after);
    }
}

#[tokio::test]
async fn a_deploy_neither_removes_the_record_nor_restarts_again() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let mut deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    restart_until_done(&server, &runtime, &deployment, &restart(&deployment, 2)).await;
    until_ready(&server, &runtime, &deployment).await;
    let (pod, set) = (pod_uid(&server, deployment.id), server.object("statefulsets", &names::object(deployment.id)).unwrap());
    assert_eq!(set["metadata"]["generation"], 1, "no new template: nothing is rolled out");

    deploy_until_ready(&server, &runtime, &deployment).await;
    assert_eq!(server.object("statefulsets", &names::object(deployment.id)), Some(set));
    assert_eq!(runtime.restart(deployment.id, &restart(&deployment, 2)).await, Ok(Progress::Done));

    // Nor does a change of an immutable field, for which the StatefulSet is created again.
    deployment.spec.storage_gb = 5;
    deploy_until_ready(&server, &runtime, &deployment).await;
    assert_eq!(pod_uid(&server, deployment.id), pod);
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_restarted_too() {
    for scenario in [Scenario::Image, Scenario::Unschedulable, Scenario::Crash, Scenario::OutOfMemory] {
        let server = FakeApiServer::start().await;
        server.set_scenario(scenario);
        let runtime = server.runtime();
        let deployment = fixture::another("orders");
        runtime.deploy(&deployment).await.unwrap();
        server.wait_for("the pod to fail", || async { (!pod(&server, deployment.id)["status"]["conditions"].is_null()).then_some(()) }).await;
        let before = pod_uid(&server, deployment.id);
        server.set_scenario(Scenario::Running);
        restart_until_done(&server, &runtime, &deployment, &restart(&deployment, 2)).await;
        until_ready(&server, &runtime, &deployment).await;
        assert_ne!(pod_uid(&server, deployment.id), before, "{scenario:?}");
    }
}

#[tokio::test]
async fn an_instance_without_a_pod_is_not_restarted_later_either() {
    let server = FakeApiServer::start().await;
    server.set_scenario(Scenario::Quota);
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    runtime.deploy(&deployment).await.unwrap();
    assert_eq!(runtime.restart(deployment.id, &restart(&deployment, 2)).await, Ok(Progress::Done));
    server.set_scenario(Scenario::Running);
    server.cluster(|_| ());
    until_ready(&server, &runtime, &deployment).await;
    let pod = pod_uid(&server, deployment.id);
    assert_eq!(runtime.restart(deployment.id, &restart(&deployment, 2)).await, Ok(Progress::Done));
    assert_eq!(pod_uid(&server, deployment.id), pod);
}

#[tokio::test]
async fn a_server_that_does_not_shut_down_is_killed_after_the_timeout() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    server.cluster(|cluster| cluster.suspend(&names::pod(deployment.id)));
    let short = Restart { timeout: Duration::from_secs(1), ..restart(&deployment, 2) };
    let started = Instant::now();
    assert!(matches!(runtime.restart(deployment.id, &short).await, Ok(Progress::InProgress(_))));
    assert_eq!(pod(&server, deployment.id)["metadata"]["deletionGracePeriodSeconds"], 1);
    // The server still answers, but the observation does not report it as ready.
    assert!(matches!(runtime.observe(deployment.id).await, Ok(Observation::Pending(_))));
    restart_until_done(&server, &runtime, &deployment, &short).await;
    assert!(started.elapsed() >= Duration::from_secs(1), "it was given time to shut down");
}

#[tokio::test]
async fn a_longer_timeout_than_the_grace_period_of_the_pod_is_granted() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    server.cluster(|cluster| cluster.suspend(&names::pod(deployment.id)));
    let long = Restart { timeout: Duration::from_secs(300), ..restart(&deployment, 2) };
    runtime.restart(deployment.id, &long).await.unwrap();
    let meta = pod(&server, deployment.id)["metadata"].take();
    assert_eq!(meta["deletionGracePeriodSeconds"], 300);

    // Another restart may shorten it, and none extends it.
    for (n, timeout) in [(3, 1), (2, 300)] {
        let other = Restart { timeout: Duration::from_secs(timeout), ..restart(&deployment, n) };
        runtime.restart(deployment.id, &other).await.unwrap();
        if let Some(pod) = server.object("pods", &names::pod(deployment.id)).filter(|pod| pod["metadata"]["uid"] == meta["uid"]) {
            assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 1);
        }
    }
}

#[tokio::test]
async fn a_pod_on_a_lost_node_is_waited_for() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    server.cluster(|cluster| cluster.node_lost = true);
    let immediate = Restart { timeout: Duration::ZERO, ..restart(&deployment, 2) };
    for _ in 0..5 {
        let progress = runtime.restart(deployment.id, &immediate).await.unwrap();
        assert!(matches!(&progress, Progress::InProgress(reason) if reason.message.contains("has not stopped yet")), "{progress:?}");
    }
    assert_eq!(pod(&server, deployment.id)["metadata"]["deletionGracePeriodSeconds"], 1, "never 0, which would not wait for the kubelet");
    server.cluster(|cluster| cluster.node_lost = false);
    restart_until_done(&server, &runtime, &deployment, &immediate).await;
    until_ready(&server, &runtime, &deployment).await;
}

#[tokio::test]
async fn a_removal_does_not_wait_for_a_restart() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    server.cluster(|cluster| cluster.suspend(&names::pod(deployment.id)));
    let long = Restart { timeout: Duration::from_secs(300), ..restart(&deployment, 2) };
    runtime.restart(deployment.id, &long).await.unwrap();
    for (keep_volumes, grace) in [(true, 120), (false, 5)] {
        runtime.remove(deployment.id, keep_volumes).await.unwrap();
        assert_eq!(pod(&server, deployment.id)["metadata"]["deletionGracePeriodSeconds"], grace);
    }
    remove_until_done(&server, &runtime, &deployment, false).await;
    assert!(server.object_names().is_empty(), "{:?}", server.object_names());
}

#[tokio::test]
async fn without_an_instance_a_restart_fails() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    assert!(!runtime.restart(deployment.id, &restart(&deployment, 2)).await.unwrap_err().retryable);
    deploy_until_ready(&server, &runtime, &deployment).await;
    server.cluster(|cluster| cluster.node_lost = true);
    runtime.remove(deployment.id, false).await.unwrap();
    let refused = runtime.restart(deployment.id, &restart(&deployment, 2)).await.unwrap_err();
    assert_eq!((refused.reason.code, refused.retryable), (ReasonCode::RemovalIncomplete, true));
    server.cluster(|cluster| cluster.node_lost = false);
    remove_until_done(&server, &runtime, &deployment, false).await;
}

#[tokio::test]
async fn two_control_planes_at_once_restart_once() {
    let server = FakeApiServer::start().await;
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &server.runtime(), &deployment).await;
    // The third call writes the record. By then another control plane has restarted the instance and it is ready again.
    let (set, operation) = (names::object(deployment.id), restart(&deployment, 2).operation);
    let id = deployment.id;
    server.interfere_at(2, move |cluster| {
        let uid = cluster.get("pods", &names::pod(id)).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
        cluster.update("statefulsets", &set, |set| {
            set["metadata"]["annotations"] = json!({"toygres.io/restarts": format!("{}={uid}", operation.as_str())});
        });
        cluster.remove("pods", &names::pod(id));
    });
    let runtime = server.runtime();
    assert_eq!(runtime.restart(deployment.id, &restart(&deployment, 2)).await, Ok(Progress::Done), "it reads the record of the other one");
    until_ready(&server, &runtime, &deployment).await;
    let pod = pod_uid(&server, deployment.id);
    assert_eq!(runtime.restart(deployment.id, &restart(&deployment, 2)).await, Ok(Progress::Done));
    assert_eq!(pod_uid(&server, deployment.id), pod);
}

/// Restarts a number of times, with the watches held back meanwhile if `late`, and checks the nudges.
async fn check_nudges_of_restarts(server: &FakeApiServer, deployment: &Deployment, times: i64, late: bool) {
    let runtime = server.runtime();
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    server.cluster(|cluster| cluster.watches_held = late);
    for n in 0..times {
        let restart = restart(deployment, 2 + n);
        restart_until_done(server, &runtime, deployment, &restart).await;
        until_ready(server, &runtime, deployment).await;
    }
    server.cluster(|cluster| cluster.watches_held = false);
    let received = received(&mut nudges).await;
    assert!(received.iter().any(|nudge| nudge.instance == deployment.id), "a restart is a change");
    assert_eq!(deaths(&received, deployment.id), 0, "a planned restart is no death");

    // The next death is one again.
    server.cluster(|cluster| cluster.remove("pods", &names::pod(deployment.id)));
    next(&mut nudges, "for the death", |nudge| nudge.instance == deployment.id && nudge.death.is_some()).await;
    until_ready(server, &runtime, deployment).await;
}

#[tokio::test]
async fn a_restart_is_no_death() {
    let server = FakeApiServer::start().await;
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &server.runtime(), &deployment).await;
    check_nudges_of_restarts(&server, &deployment, 1, false).await;
}

#[tokio::test]
async fn a_restart_is_no_death_when_the_watch_is_late() {
    let server = FakeApiServer::start().await;
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &server.runtime(), &deployment).await;
    check_nudges_of_restarts(&server, &deployment, 3, true).await;
}

#[tokio::test]
async fn a_restart_is_no_death_when_the_watch_has_a_gap() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    server.cluster(|cluster| cluster.watches_held = true);
    restart_until_done(&server, &runtime, &deployment, &restart(&deployment, 2)).await;
    server.cluster(|cluster| {
        cluster.discard_history();
        cluster.watches_held = false;
    });
    until_ready(&server, &runtime, &deployment).await;
    next(&mut nudges, "for the new pod", |nudge| nudge.instance == deployment.id).await;
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0);
}

#[tokio::test]
async fn a_server_that_is_killed_after_the_timeout_is_no_death_either() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    server.cluster(|cluster| cluster.suspend(&names::pod(deployment.id)));
    let short = Restart { timeout: Duration::from_secs(1), ..restart(&deployment, 2) };
    restart_until_done(&server, &runtime, &deployment, &short).await;
    until_ready(&server, &runtime, &deployment).await;
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0);
}

#[tokio::test]
async fn a_death_that_cannot_be_checked_is_only_a_nudge() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    server.refuse("get", "statefulsets", recordings::read("error-401.json"), 1);
    server.cluster(|cluster| cluster.remove("pods", &names::pod(deployment.id)));
    next(&mut nudges, "for the pod", |nudge| nudge.instance == deployment.id).await;
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0);
}

#[tokio::test]
async fn a_crash_of_the_control_plane_during_a_restart_is_no_death() {
    // The fourth call deletes the pod.
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let deployment = fixture::another("orders");
    deploy_until_ready(&server, &runtime, &deployment).await;
    let mut nudges = runtime.nudges();
    received(&mut nudges).await;
    server.crash_at(3, Crash::After);
    let restart = restart(&deployment, 2);
    let crashing = server.runtime();
    tokio::select! {
        () = server.crashed() => {}
        progress = crashing.restart(deployment.id, &restart) => panic!("there was no crash: {progress:?}"),
    }
    server.clear_crash();
    until_ready(&server, &runtime, &deployment).await;
    restart_until_done(&server, &runtime, &deployment, &restart).await;
    assert_eq!(deaths(&received(&mut nudges).await, deployment.id), 0);
}
