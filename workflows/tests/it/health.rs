//! HealthCheck.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::Semaphore;
use toygres_domain::{
    InstanceId,
    instance::{HealthStatus, Instance, InstanceState, Reason, ReasonCode},
    runtime::Observation,
};
use toygres_workflows::engine::WorkflowStatus;

use crate::support::{Call, FailureKind, FakeRuntime, Harness, Proxy, concurrently, eventually, fails, failures, fake_runtime, late, panics, twice};

async fn becomes(harness: &Harness, id: InstanceId, what: &str, is: impl Fn(&Instance) -> bool) -> Instance {
    eventually(what, || async { Some(harness.instance(id).await).filter(|now| is(now)) }).await
}

/// Makes the loop check immediately, and waits for the sample.
async fn check_now(harness: &Harness, id: InstanceId) {
    let before = harness.samples(id).await.first().map_or(0, |sample| sample.id);
    let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
    harness.engine.nudge(&workflow, "").await.unwrap();
    eventually("there is another sample", || async { harness.samples(id).await.first().filter(|sample| sample.id > before).map(|_| ()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_confirmed_and_its_end_seen() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    becomes(&harness, id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    // Logins are disabled, which the runtime does not detect.
    harness.database.run("ALTER ROLE toygres_monitor NOLOGIN").await;
    check_now(&harness, id).await;
    let unhealthy = becomes(&harness, id, "it is unhealthy", |now| now.health == HealthStatus::Unhealthy).await;
    assert_eq!((unhealthy.state, unhealthy.reason.unwrap().code), (InstanceState::Running, ReasonCode::AuthenticationFailed));
    let failed = harness.samples(id).await.iter().take_while(|sample| sample.status == HealthStatus::Unhealthy).count();
    assert!(failed >= 3, "one failed check is no outage: {failed}");
    harness.database.run("ALTER ROLE toygres_monitor LOGIN").await;
    let healthy = becomes(&harness, id, "it is healthy again", |now| now.health == HealthStatus::Healthy).await;
    assert_eq!(healthy.reason, None);
    harness.finish().await;
}

/// The control plane may not be able to connect to the endpoint for clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_checked_where_the_control_plane_reaches_it() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    let restricted = FakeRuntime::restricted_endpoint();
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(restricted.clone()))));
    let operation = harness.create(&new).await;
    harness.assert_settled("restricted", &operation).await;
    let healthy = becomes(&harness, new.id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    assert_eq!((healthy.state, healthy.endpoint), (InstanceState::Running, Some(restricted)));
    assert!(healthy.connection_string.unwrap().contains("restricted.invalid"));
    harness.finish().await;
}

/// A death that the runtime reports changes the health immediately, even if the server responds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_is_its_own_confirmation() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    becomes(&harness, id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    let death = Reason::new(ReasonCode::OutOfMemory, "killed");
    // A nudge may be lost, so it is repeated; events show whether it was received.
    harness.runtime.report_death(id, death.clone());
    eventually("the death is in the samples", || async { harness.samples(id).await.into_iter().find(|sample| sample.error == Some(death.clone())) })
        .await;
    becomes(&harness, id, "it is healthy again", |now| now.health == HealthStatus::Healthy).await;
    harness.finish().await;
}

/// As in a drain: the death of the former pod is heard of when the checks know already that its successor has no node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_death_does_not_replace_the_present_reason() {
    let harness = Harness::start().await;
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let new = harness.new_instance();
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
    let id = harness.run(new).await;
    becomes(&harness, id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    let unschedulable = Reason::new(ReasonCode::Unschedulable, "no node has room");
    harness.runtime.script(id, |script| script.observation = Some(Ok(Observation::Pending(unschedulable.clone()))));
    proxy.close().await;
    check_now(&harness, id).await;
    becomes(&harness, id, "it is unhealthy", |now| now.reason.as_ref() == Some(&unschedulable)).await;
    let heard = Arc::new(Mutex::new(0));
    let count = heard.clone();
    harness.hooks.set(id, move |call| {
        let count = count.clone();
        async move {
            let has_death = call.passes("an old death");
            let answer = call.run().await;
            *count.lock().unwrap() += usize::from(has_death);
            answer
        }
    });
    let revision = harness.instance(id).await.revision;
    harness.runtime.report_death(id, Reason::new(ReasonCode::ProcessExited, "an old death"));
    eventually("the death was heard of", || async { (*heard.lock().unwrap() > 0).then_some(()) }).await;
    check_now(&harness, id).await;
    let now = harness.instance(id).await;
    assert_eq!((now.reason, now.revision), (Some(unschedulable), revision), "nobody heard of it");
    harness.finish().await;
}

/// More checks than fit into one execution, by one workflow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loop_goes_on_over_executions() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let workflow = harness.instance(id).await.health_check_orchestration_id;
    for _ in 0..12 {
        check_now(&harness, id).await;
    }
    assert_eq!(harness.instance(id).await.health_check_orchestration_id, workflow);
    assert!(harness.client.list_executions(&workflow.unwrap()).await.unwrap().len() > 1);
    harness.assert_workflows("over executions", id).await;
    harness.finish().await;
}

/// Both activities of the loop are repeated, late and fail in every temporary way. The loop continues and detects the change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_fail_once_run_twice_and_late() {
    let harness = Harness::start().await;
    let faults = ["health-check", "update-health"].into_iter().flat_map(|step| failures(step).into_iter().chain([twice(step), late(step)]));
    concurrently(faults.filter(|fault| !fault.reports(FailureKind::Failed)), async |fault| {
        let case = fault.to_string();
        let new = harness.new_instance();
        harness.hooks.inject(new.id, [fault]);
        let id = harness.run(new).await;
        let workflow = harness.instance(id).await.health_check_orchestration_id;
        becomes(&harness, id, &format!("{case}: it is healthy"), |now| now.health == HealthStatus::Healthy).await;
        check_now(&harness, id).await;
        assert_eq!(harness.instance(id).await.health_check_orchestration_id, workflow, "{case}: the same loop goes on");
        harness.assert_workflows(&case, id).await;
    })
    .await;
    harness.finish().await;
}

/// A loop whose activities fail permanently ends, and the sweeper starts exactly one other loop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_that_ended_is_replaced() {
    let harness = Harness::start().await;
    let step = "health-check";
    for fault in [fails(step, FailureKind::Failed), fails(step, FailureKind::Broken), panics(step)] {
        let case = fault.to_string();
        let id = harness.running().await;
        let ended = harness.instance(id).await.health_check_orchestration_id.unwrap();
        harness.hooks.inject(id, [fault.for_good()]);
        harness.engine.nudge(&ended, "").await.unwrap();
        // It is not sufficient that none is running, because the start may still be in the queue.
        eventually("the loop ended", || async { harness.engine.status(&ended).await.ok().filter(|status| *status == WorkflowStatus::Ended) }).await;
        harness.hooks.clear(id);
        let (one, other) = futures::join!(harness.sweep(), harness.sweep());
        // The second sweep may start a loop that the first has started but that the engine has not run yet. It has the same id, so
        // it is the same loop.
        assert!(one.health_checks + other.health_checks >= 1, "{case}");
        harness.assert_workflows(&case, id).await;
        assert_ne!(harness.instance(id).await.health_check_orchestration_id, Some(ended));
        check_now(&harness, id).await;
    }
    harness.finish().await;
}

/// A late check neither changes a deleted instance nor records a sample of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_check_changes_nothing() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let (calls, seen) = (Arc::new(Mutex::new(Vec::<Call>::new())), harness.runtime.clone());
    let kept = calls.clone();
    harness.hooks.set(id, move |call| {
        let kept = kept.clone();
        async move {
            kept.lock().unwrap().push(call.clone());
            call.run().await
        }
    });
    seen.report_death(id, Reason::new(ReasonCode::ProcessExited, "gone"));
    eventually("a change of health was written", || async { calls.lock().unwrap().iter().any(|call| call.label == "update-health").then_some(()) })
        .await;
    harness.runtime.script(id, |script| script.observation = Some(Ok(Observation::Pending(fake_runtime::pending()))));
    let deletion = harness.delete(id).await;
    harness.assert_settled("deleted", &deletion).await;
    harness.hooks.clear(id);
    let before = (harness.instance(id).await, harness.samples(id).await.len());
    let late = std::mem::take(&mut *calls.lock().unwrap());
    for call in late {
        let _ = call.run().await;
    }
    let after = (harness.instance(id).await, harness.samples(id).await.len());
    assert_eq!((after.0.state, after.0.revision, after.1), (InstanceState::Deleted, before.0.revision, before.1));
    tokio::time::timeout(Duration::from_secs(30), harness.finish()).await.unwrap();
}

/// Nothing listens on the instance's address during a single check: the failure is recorded, and the health does not change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refused_connection_is_no_outage() {
    let harness = Harness::start().await;
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let mut new = harness.new_instance();
    new.spec.health_check.interval_seconds = 3600;
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
    // Each check waits for a permit.
    let permits = Arc::new(Semaphore::new(1));
    let required = permits.clone();
    harness.hooks.set(new.id, move |call| {
        let permits = required.clone();
        async move {
            if call.label == "health-check" {
                permits.acquire().await.unwrap().forget();
            }
            call.run().await
        }
    });
    let operation = harness.create(&new).await;
    harness.finished(&operation).await;
    let before = becomes(&harness, new.id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    proxy.close().await;
    permits.add_permits(1);
    harness.engine.nudge(&before.health_check_orchestration_id.clone().unwrap(), "").await.unwrap();
    let refused = eventually("a failed check", || async { harness.samples(new.id).await.into_iter().find(|script| script.error.is_some()) }).await;
    assert_eq!(refused.error.unwrap().code, ReasonCode::ConnectionRefused);
    proxy.open().await;
    permits.add_permits(1);
    eventually("a check that succeeded", || async { Some(harness.samples(new.id).await).filter(|all| all[0].status == HealthStatus::Healthy) }).await;
    let after = harness.instance(new.id).await;
    assert_eq!((after.health, after.revision), (HealthStatus::Healthy, before.revision), "nobody heard of it");
    harness.finish().await;
}
