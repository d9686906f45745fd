//! Repairs of drift.

use std::time::{Duration, Instant};

use toygres_domain::{
    InstanceId,
    drift::{Drift, DriftChange, DriftKind},
    event::EventKind,
    instance::{HealthStatus, InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, Params, restart},
    runtime::{Observation, RuntimeError},
};
use toygres_store::{PageRequest, Subject};

use crate::support::{Harness, eventually, timing};

/// A control plane whose rounds are an hour apart, so that only nudges cause inspections.
async fn nudged() -> Harness {
    Harness::start_with(toygres_workflows::Timing { inspection: Duration::from_secs(3600), ..timing() }).await
}

fn deleted() -> Drift {
    Drift::new(DriftKind::Service, "orders", DriftChange::Deleted)
}

async fn healthy(harness: &Harness) -> InstanceId {
    let id = harness.running().await;
    eventually("it is healthy", || async { (harness.instance(id).await.health == HealthStatus::Healthy).then_some(()) }).await;
    id
}

/// The reasons of the repairs in the event log.
async fn repairs(harness: &Harness, id: InstanceId) -> Vec<Reason> {
    let events = harness.store.events_of(&[id], &PageRequest::first(1000)).await.unwrap();
    let events = events.into_values().flat_map(|page| page.items);
    events
        .filter(|event| event.kind == EventKind::InstanceRepaired)
        .map(|event| {
            assert_eq!(event.operation, None);
            event.reason.unwrap()
        })
        .collect()
}

/// Within 2 s after a nudge, as an event with a typed reason, and without an operation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_deleted_is_put_back() {
    let harness = nudged().await;
    let id = healthy(&harness).await;
    let before = harness.instance(id).await;
    let began = Instant::now();
    harness.runtime.script(id, |script| script.drift = vec![deleted()]);
    harness.runtime.report_change(id);
    let reasons = eventually("it is in the log", || async { Some(repairs(&harness, id).await).filter(|reasons| !reasons.is_empty()) }).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(reasons, [Reason::new(ReasonCode::Drifted, "Put back: the Service orders was deleted")]);
    let after = harness.instance(id).await;
    assert_eq!((after.state, after.health, after.reason), (InstanceState::Running, HealthStatus::Healthy, None));
    assert_eq!(after.operation_count, before.operation_count);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_nudge_the_next_round_finds_it() {
    let harness = Harness::start().await;
    let mut new = harness.new_instance();
    new.spec.health_check.interval_seconds = 3600;
    let id = harness.run(new).await;
    eventually("it is healthy", || async { (harness.instance(id).await.health == HealthStatus::Healthy).then_some(()) }).await;
    // The next one is due within an hour.
    let checks = harness.hooks.count(id, "health-check");
    harness.runtime.script(id, |script| script.drift = vec![deleted()]);
    eventually("it is in the log", || async { (repairs(&harness, id).await.len() == 1).then_some(()) }).await;
    eventually("its health is checked", || async { (harness.hooks.count(id, "health-check") > checks).then_some(()) }).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_repaired_while_an_operation_works() {
    let harness = Harness::start().await;
    let id = healthy(&harness).await;
    harness.runtime.hold(id);
    let operation = harness.accept(Subject::Existing(id), Params::Restart(restart::Params { timeout_seconds: 60 })).await;
    harness.runtime.script(id, |script| script.drift = vec![deleted()]);
    let until = Instant::now() + Duration::from_secs(3);
    eventually("rounds have passed", || async {
        harness.runtime.report_change(id);
        assert_eq!(harness.runtime.repairs(id), 0);
        (Instant::now() > until).then_some(())
    })
    .await;
    harness.runtime.release(id);
    harness.finished(&operation).await;
    eventually("it is put back then", || async { (repairs(&harness, id).await.len() == 1).then_some(()) }).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_fights_repairs_meets_a_back_off() {
    let harness = Harness::start().await;
    let id = healthy(&harness).await;
    harness.runtime.script(id, |script| (script.drift, script.fought) = (vec![deleted()], true));
    let until = Instant::now() + Duration::from_secs(5);
    eventually("five seconds have passed", || async {
        harness.runtime.report_change(id);
        (Instant::now() > until).then_some(())
    })
    .await;
    let count = harness.runtime.repairs(id);
    assert!((2..=3).contains(&count), "{count} repairs in five seconds");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lasting_refusal_is_the_reason_until_it_is_over() {
    let harness = Harness::start().await;
    let id = healthy(&harness).await;
    harness.runtime.script(id, |script| {
        script.drift = vec![deleted()];
        script.refusal = Some(RuntimeError::permanent(ReasonCode::AdmissionRefused, "the name is taken"));
    });
    let shown = eventually("the reason is shown", || async { harness.instance(id).await.reason }).await;
    assert_eq!(shown.code, ReasonCode::Drifted);
    assert!(shown.message.contains("the Service orders was deleted") && shown.message.contains("the name is taken"), "{shown:?}");
    let checks = harness.hooks.count(id, "health-check");
    eventually("another check is made", || async {
        let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
        harness.engine.nudge(&workflow, "").await.unwrap();
        (harness.hooks.count(id, "health-check") > checks + 1).then_some(())
    })
    .await;
    let now = harness.instance(id).await;
    assert_eq!((now.health, now.reason), (HealthStatus::Healthy, Some(shown)), "it is a notice, and no outage");
    harness.runtime.script(id, |script| script.refusal = None);
    eventually("it is over", || async { harness.instance(id).await.reason.is_none().then_some(()) }).await;
    assert_eq!(repairs(&harness, id).await.len(), 1);
    harness.finish().await;
}

/// The database answers, but it is not the one with the data.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_data_is_an_outage_although_a_server_answers() {
    let harness = Harness::start().await;
    let id = healthy(&harness).await;
    let lost = toygres_domain::data::data_lost("The volume claim was replaced");
    harness.runtime.script(id, |script| (script.data, script.drift) = (Some(lost.clone()), vec![deleted()]));
    eventually("it is unhealthy", || async { (harness.instance(id).await.health == HealthStatus::Unhealthy).then_some(()) }).await;
    let checks = harness.hooks.count(id, "health-check");
    eventually("another check is made", || async { (harness.hooks.count(id, "health-check") > checks + 1).then_some(()) }).await;
    let now = harness.instance(id).await;
    assert_eq!((now.health, now.reason), (HealthStatus::Unhealthy, Some(lost)));
    assert_eq!(harness.runtime.repairs(id), 0, "nothing is put around an empty volume");
    harness.runtime.script(id, |script| (script.data, script.drift) = (None, Vec::new()));
    eventually("it is healthy again", || async { (harness.instance(id).await.health == HealthStatus::Healthy).then_some(()) }).await;
    harness.finish().await;
}

/// An instance of a release that recorded no volumes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_volume_of_a_healthy_instance_is_recorded() {
    let harness = Harness::start().await;
    let id = healthy(&harness).await;
    let data = async || harness.store.data(&harness.instance(id).await).await.unwrap();
    let recorded = data().await;
    assert!(recorded.volume().is_some(), "before it was running for the first time");
    harness.database.run("DELETE FROM toygres.instance_volumes").await;
    eventually("it is recorded again", || async { (data().await == recorded).then_some(()) }).await;
    harness.finish().await;
}

/// A failed restart leaves the reason, and the repairs the health that belongs to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_without_data_fails_with_the_reason() {
    let harness = Harness::start().await;
    let id = healthy(&harness).await;
    let lost = toygres_domain::data::data_lost("The volume claim was replaced");
    harness.runtime.script(id, |script| {
        script.observation = Some(Ok(Observation::Failed(lost.clone())));
        script.data = Some(lost.clone());
    });
    let operation = harness.accept(Subject::Existing(id), Params::Restart(restart::Params { timeout_seconds: 60 })).await;
    let done = harness.finished(&operation).await;
    assert_eq!((done.status, done.error.map(|error| error.code)), (OperationStatus::Failed, Some(ReasonCode::DataLost)));
    eventually("it is unhealthy", || async {
        let now = harness.instance(id).await;
        (now.health == HealthStatus::Unhealthy && now.reason == Some(lost.clone())).then_some(())
    })
    .await;
    harness.finish().await;
}
