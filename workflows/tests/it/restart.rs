//! Tests specific to RestartInstance. Those for all operations are in [`crate::saga`].

use std::time::Duration;

use toygres_domain::{
    InstanceId, OperationId,
    event::EventKind,
    instance::{HealthStatus, InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, Params, restart},
    runtime::Observation,
};
use toygres_store::Subject;
use toygres_workflows::engine::WorkflowStatus;

use crate::support::{Harness, Proxy, eventually};

async fn restart(harness: &Harness, id: InstanceId) -> OperationId {
    harness.accept(Subject::Existing(id), Params::Restart(restart::Params { timeout_seconds: 7 })).await
}

async fn healthy(harness: &Harness, id: InstanceId) {
    eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
}

/// Creates a healthy instance behind a proxy, with this interval of its health check in seconds.
async fn behind(harness: &Harness, proxy: &Proxy, interval_seconds: i32) -> InstanceId {
    let mut new = harness.new_instance();
    new.spec.health_check.interval_seconds = interval_seconds;
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
    let id = harness.run(new).await;
    healthy(harness, id).await;
    id
}

async fn nudge(harness: &Harness, id: InstanceId) {
    let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
    harness.engine.nudge(&workflow, "").await.unwrap();
}

/// No connection is possible while the server restarts, and its health check is woken repeatedly: no outage is reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_no_outage() {
    let harness = Harness::start().await;
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy, 1).await;
    let before = harness.instance(id).await;
    harness.runtime.hold(id);
    let operation = restart(&harness, id).await;
    proxy.close().await;
    assert_eq!(harness.instance(id).await.state, InstanceState::Updating);
    let checks = harness.hooks.count(id, "health-check");
    eventually("the health check looked several times", || async {
        nudge(&harness, id).await;
        (harness.hooks.count(id, "health-check") > checks + 5).then_some(())
    })
    .await;
    proxy.open().await;
    let samples = harness.samples(id).await.len();
    harness.runtime.release(id);
    assert_eq!(harness.assert_settled("restart", &operation).await.status, OperationStatus::Succeeded);
    eventually("it is checked again", || async { (harness.samples(id).await.len() > samples).then_some(()) }).await;
    healthy(&harness, id).await;
    harness.assert_no_outage("restart", id).await;
    let states: Vec<_> =
        harness.events(id).await.into_iter().filter(|event| event.kind == EventKind::StateChanged).filter_map(|event| event.to).collect();
    assert_eq!(states, ["running", "updating", "running"]);
    assert_eq!(harness.instance(id).await.health_check_orchestration_id, before.health_check_orchestration_id, "the same loop goes on");
    let restarts = harness.runtime.restarts(id);
    assert_eq!((restarts.len(), &restarts[0].operation, restarts[0].timeout), (1, &operation, Duration::from_secs(7)));
    harness.finish().await;
}

/// Even with an interval of an hour between the checks, the health is known again soon after the restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_is_checked_soon_after_a_restart() {
    let harness = Harness::start().await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy, 3600).await;
    let samples = harness.samples(id).await.len();
    let operation = restart(&harness, id).await;
    assert_eq!(harness.instance(id).await.health, HealthStatus::Unknown);
    harness.assert_settled("restart", &operation).await;
    eventually("it is checked", || async { (harness.samples(id).await.len() > samples).then_some(()) }).await;
    healthy(&harness, id).await;
    harness.finish().await;
}

/// A check and a change of health that start before the restart and end after it are ignored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_seen_before_a_restart_is_not_written_after_it() {
    let harness = Harness::start().await;
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy, 3600).await;
    let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
    // The check has connected and waits for a response.
    let checks = harness.hooks.count(id, "health-check");
    proxy.stall();
    harness.engine.nudge(&workflow, "").await.unwrap();
    eventually("a check is in progress", || async { (harness.hooks.count(id, "health-check") > checks).then_some(()) }).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    // The check and its three repetitions would report an outage.
    harness.runtime.hold(id);
    let operation = restart(&harness, id).await;
    proxy.close().await;
    eventually("the check ended", || async {
        nudge(&harness, id).await;
        (harness.hooks.count(id, "health-check") > checks + 3).then_some(())
    })
    .await;
    proxy.open().await;
    harness.runtime.release(id);
    harness.assert_settled("restart", &operation).await;
    healthy(&harness, id).await;
    harness.assert_no_outage("a check", id).await;

    // The change after three failed checks is written late.
    let (held, release) = (std::sync::Arc::new(tokio::sync::Notify::new()), std::sync::Arc::new(tokio::sync::Notify::new()));
    let (begins, may_go_on) = (held.clone(), release.clone());
    harness.hooks.set(id, move |call| {
        let (begins, may_go_on) = (begins.clone(), may_go_on.clone());
        async move {
            if call.label == "update-health" {
                begins.notify_one();
                may_go_on.notified().await;
            }
            call.run().await
        }
    });
    proxy.close().await;
    harness.engine.nudge(&workflow, "").await.unwrap();
    held.notified().await;
    proxy.open().await;
    let second = restart(&harness, id).await;
    assert_eq!(harness.finished(&second).await.status, OperationStatus::Succeeded);
    harness.hooks.clear(id);
    release.notify_one();
    healthy(&harness, id).await;
    let unhealthy = harness.events(id).await.into_iter().find(|event| event.to.as_deref() == Some("unhealthy"));
    assert!(unhealthy.is_none(), "{unhealthy:?}");
    harness.finish().await;
}

/// The instance is running and has the reason; the health check determines whether it responds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_does_not_come_back_is_running_and_unhealthy() {
    let harness = Harness::start().await;
    for (case, code) in [("broken", ReasonCode::CrashLoop), ("never ready", ReasonCode::DeadlineExceeded)] {
        let mut proxy = Proxy::to(harness.database.endpoint()).await;
        let id = behind(&harness, &proxy, 1).await;
        let workflow = harness.instance(id).await.health_check_orchestration_id;
        let crashes = Reason::new(ReasonCode::CrashLoop, "the server ends soon after its start");
        if code == ReasonCode::CrashLoop {
            harness.runtime.script(id, |script| script.observation = Some(Ok(Observation::Failed(crashes))));
        } else {
            harness.runtime.script(id, |script| script.pending = u32::MAX);
        }
        let operation = restart(&harness, id).await;
        proxy.close().await;
        if code == ReasonCode::DeadlineExceeded {
            harness.shows(&operation, "the instance is starting").await;
            harness.expire(&operation).await;
        }
        let failed = harness.assert_settled(case, &operation).await;
        assert_eq!((failed.status, failed.error.unwrap().code), (OperationStatus::Failed, code), "{case}");
        assert_eq!(harness.instance(id).await.state, InstanceState::Running, "{case}: it is no failed instance");
        let now =
            eventually("it is unhealthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Unhealthy) }).await;
        assert!(now.reason.is_some(), "{case}");
        assert_eq!(now.health_check_orchestration_id, workflow, "{case}: the same loop goes on");
        // The operation can be retried.
        proxy.open().await;
        harness.runtime.script(id, |script| *script = Default::default());
        let again = harness.store.retry_operation(&operation, &crate::support::request(crate::support::DEADLINE)).await.unwrap().operation.id;
        assert_eq!(harness.assert_settled(case, &again).await.status, OperationStatus::Succeeded, "{case}");
        healthy(&harness, id).await;
    }
    harness.finish().await;
}

/// The health check ends, or the engine loses it, while the instance is being restarted. Afterwards the instance has exactly one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_check_that_is_lost_during_a_restart_is_replaced() {
    let harness = Harness::start().await;
    for (loss, sweep_first) in [("cancelled", true), ("cancelled", false), ("forgotten", true), ("forgotten", false)] {
        let id = harness.running().await;
        healthy(&harness, id).await;
        let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
        harness.runtime.hold(id);
        let operation = restart(&harness, id).await;
        if loss == "cancelled" {
            harness.client.cancel_instance(&workflow, "by hand").await.unwrap();
            eventually("it ended", || async { (harness.engine.status(&workflow).await.ok()? == WorkflowStatus::Ended).then_some(()) }).await;
        } else {
            harness.forget(&workflow).await;
        }
        if sweep_first {
            assert_eq!(harness.sweep().await.health_checks, 1, "{loss}");
        }
        harness.runtime.release(id);
        harness.finished(&operation).await;
        harness.sweep().await;
        assert_eq!(harness.assert_settled(loss, &operation).await.status, OperationStatus::Succeeded, "{loss}");
        healthy(&harness, id).await;
        harness.assert_no_outage(loss, id).await;
    }
    harness.finish().await;
}

/// If the deployment has disappeared after the restart, it is repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_vanishes_during_a_restart_is_deployed_again() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.runtime.hold(id);
    let operation = restart(&harness, id).await;
    harness.runtime.take_away(id);
    harness.runtime.release(id);
    assert_eq!(harness.assert_settled("vanished", &operation).await.status, OperationStatus::Succeeded);
    assert_eq!(harness.runtime.deployments(id), 2);
    harness.finish().await;
}
