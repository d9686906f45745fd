//! Tests specific to RepairInstance. Those for all operations are in [`crate::saga`], those of repairs that nobody asks for in
//! [`crate::repairs`].

use std::time::{Duration, Instant};

use toygres_domain::{
    InstanceId, OperationId,
    data::data_lost,
    drift::{Drift, DriftChange, DriftKind},
    event::{Event, EventKind},
    instance::{HealthStatus, InstanceState, Reason, ReasonCode},
    operation::{Operation, OperationStatus, Params, StepName, repair},
};
use toygres_store::Subject;

use crate::support::{Harness, eventually, timing};

/// A control plane that repairs nothing without being asked: its rounds are an hour apart, and nothing is reported.
async fn quiet() -> Harness {
    Harness::start_with(toygres_workflows::Timing { inspection: Duration::from_secs(3600), ..timing() }).await
}

async fn healthy(harness: &Harness) -> InstanceId {
    let id = harness.running().await;
    eventually("it is healthy", || async { (harness.instance(id).await.health == HealthStatus::Healthy).then_some(()) }).await;
    id
}

async fn repair(harness: &Harness, id: InstanceId) -> OperationId {
    harness.accept(Subject::Existing(id), Params::Repair(repair::Params {})).await
}

fn deleted() -> Drift {
    Drift::new(DriftKind::Service, "orders", DriftChange::Deleted)
}

fn findings(operation: &Operation) -> &[String] {
    &operation.step(StepName::RepairPostgres).unwrap().findings
}

/// What the event log says about repairs.
async fn repairs(harness: &Harness, id: InstanceId) -> Vec<(Option<OperationId>, Reason)> {
    let events = harness.events(id).await.into_iter();
    let said = |Event { operation, reason, .. }| (operation, reason.unwrap());
    events.filter(|event| event.kind == EventKind::InstanceRepaired).map(said).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_differs_is_put_back_and_said() {
    let harness = quiet().await;
    let id = healthy(&harness).await;
    let edited = Drift::new(DriftKind::Configuration, "pg_hba.conf", DriftChange::Edited(Vec::new()));
    harness.runtime.script(id, |script| script.drift = vec![deleted(), edited]);
    let operation = repair(&harness, id).await;
    assert_eq!(harness.instance(id).await.state, InstanceState::Updating);
    let done = harness.assert_settled("repair", &operation).await;
    assert_eq!(done.status, OperationStatus::Succeeded);
    assert_eq!(findings(&done), ["the Service orders was deleted", "the file pg_hba.conf was edited"]);
    let said = Reason::new(ReasonCode::Drifted, "Put back: the Service orders was deleted; the file pg_hba.conf was edited");
    assert_eq!(repairs(&harness, id).await, [(Some(operation), said)]);
    assert_eq!(harness.runtime.repairs(id), 1);
    eventually("it is healthy", || async { (harness.instance(id).await.health == HealthStatus::Healthy).then_some(()) }).await;
    harness.assert_no_outage("repair", id).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repair_of_nothing_succeeds_and_says_so() {
    let harness = quiet().await;
    let id = healthy(&harness).await;
    let done = harness.assert_settled("repair", &repair(&harness, id).await).await;
    assert_eq!((done.status, findings(&done)), (OperationStatus::Succeeded, &["nothing differs from what was deployed".to_owned()][..]));
    assert_eq!(repairs(&harness, id).await, []);
    harness.finish().await;
}

/// The second attempt finds nothing, and what the first one has put back is in the log nevertheless.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_back_is_said_although_the_answer_was_lost() {
    let harness = quiet().await;
    let id = healthy(&harness).await;
    harness.runtime.script(id, |script| (script.drift, script.unanswered) = (vec![deleted()], 1));
    let operation = repair(&harness, id).await;
    let done = harness.assert_settled("repair", &operation).await;
    assert_eq!((done.status, findings(&done)), (OperationStatus::Succeeded, &["the Service orders was deleted".to_owned()][..]));
    assert_eq!(harness.runtime.repairs(id), 2);
    let said = Reason::new(ReasonCode::Drifted, "Put back: the Service orders was deleted");
    assert_eq!(repairs(&harness, id).await, [(Some(operation), said)]);
    harness.finish().await;
}

/// It fails at once, and the instance is unhealthy from then on: its server may answer, but with another database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_data_is_not_repaired() {
    let harness = quiet().await;
    let id = healthy(&harness).await;
    let lost = data_lost("The volume claim was replaced");
    harness.runtime.script(id, |script| (script.data, script.drift) = (Some(lost.clone()), vec![deleted()]));
    let failed = harness.assert_settled("repair", &repair(&harness, id).await).await;
    assert_eq!((failed.status, failed.error.as_ref()), (OperationStatus::Failed, Some(&lost)));
    assert_eq!(harness.runtime.repairs(id), 0, "nothing is put around an empty volume");
    let now = harness.instance(id).await;
    assert_eq!((now.state, now.health, now.reason), (InstanceState::Running, HealthStatus::Unhealthy, Some(lost)));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_else_repairs_meanwhile() {
    let harness = Harness::start().await;
    let id = healthy(&harness).await;
    // It is not ready, so the operation waits.
    harness.runtime.hold(id);
    let operation = repair(&harness, id).await;
    harness.shows(&operation, "the instance is starting").await;
    harness.runtime.script(id, |script| script.drift = vec![deleted()]);
    let until = Instant::now() + Duration::from_secs(2);
    eventually("rounds have passed", || async {
        harness.runtime.report_change(id);
        assert_eq!(harness.runtime.repairs(id), 1);
        (Instant::now() > until).then_some(())
    })
    .await;
    harness.runtime.release(id);
    assert_eq!(harness.assert_settled("repair", &operation).await.status, OperationStatus::Succeeded);
    eventually("it is put back then", || async { (repairs(&harness, id).await.len() == 1).then_some(()) }).await;
    assert_eq!(repairs(&harness, id).await[0].0, None);
    harness.finish().await;
}
