//! The janitor and the sweeper against the engine's own tables, on the provider that servers use.

use std::time::{Duration, Instant};

use toygres_domain::{InstanceId, instance::HealthStatus, operation::OperationKind};
use toygres_store::{OperationFilter, PageRequest};
use toygres_workflows::{
    engine::WorkflowStatus,
    janitor::{Dropped, Retention, executions, round},
    sweeper,
};

use crate::support::{FailureKind, Harness, eventually, failure};

const DAY: Duration = Duration::from_secs(86_400);

async fn clean(harness: &Harness, workflows: Duration) -> Dropped {
    round(&harness.store, &harness.engine, Retention { events: DAY, health_checks: DAY, metrics: DAY, workflows }).await.unwrap()
}

async fn checks(harness: &Harness, id: InstanceId) -> usize {
    harness.store.health_checks(id, &PageRequest::first(500)).await.unwrap().items.len()
}

/// Waits until the loop has run this number of further checks.
async fn check_often(harness: &Harness, id: InstanceId, times: usize) {
    let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
    for _ in 0..times {
        let before = checks(harness, id).await;
        harness.engine.nudge(&workflow, "").await.unwrap();
        eventually("it was checked again", || async { (checks(harness, id).await > before).then_some(()) }).await;
    }
}

/// Every workflow of this instance that exists in the engine.
async fn known(harness: &Harness, id: InstanceId) -> Vec<String> {
    let id = id.to_string();
    let mut known = harness.client.list_all_instances().await.unwrap();
    known.retain(|workflow| workflow.contains(&id));
    known.sort();
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_asks_for_goes_and_the_rest_stays() {
    let harness = Harness::start_on_postgres().await;
    let (lives, dies) = (harness.running().await, harness.running().await);
    let deletion = harness.delete(dies).await;
    harness.assert_settled("deleted", &deletion).await;
    let monitors = [deletion.monitor_id(), creation(&harness, dies).await.monitor_id(), creation(&harness, lives).await.monitor_id()];
    for monitor in &monitors {
        eventually("the monitors have ended", || async { (harness.engine.status(monitor).await.unwrap() == WorkflowStatus::Ended).then_some(()) })
            .await;
    }
    check_often(&harness, lives, 12).await;
    let workflow = harness.instance(lives).await.health_check_orchestration_id.unwrap();
    assert!(harness.client.list_executions(&workflow).await.unwrap().len() > 1);

    // All workflows of an operation in progress are kept, including finished ones.
    let held = harness.new_instance();
    harness
        .hooks
        .set(held.id, |call| async move { if call.label == "deploy-postgres" { Err(failure(FailureKind::Retry)) } else { call.run().await } });
    let creating = harness.create(&held).await;
    eventually("it has a workflow", || async { (!known(&harness, held.id).await.is_empty()).then_some(()) }).await;

    let young = clean(&harness, DAY).await;
    assert_eq!(young.workflows, 0, "ended workflows go when they are old");
    assert!(executions(&harness.store, &harness.engine).await.unwrap() > 0, "executions of living loops go at once");
    assert_eq!(harness.client.list_executions(&workflow).await.unwrap().len(), 1);
    let before = known(&harness, held.id).await;
    clean(&harness, Duration::ZERO).await;
    assert_eq!(known(&harness, dies).await, Vec::<String>::new());
    assert_eq!(known(&harness, lives).await, std::slice::from_ref(&workflow), "only its health check is left");
    assert_eq!(known(&harness, held.id).await, before);
    assert_eq!(harness.engine.status(&workflow).await.unwrap(), WorkflowStatus::Running);
    check_often(&harness, lives, 3).await;

    // Deleted workflows are not started again.
    let swept = harness.sweep().await;
    assert_eq!((swept.monitors, swept.settled, swept.health_checks), (0, 0, 0));
    harness.hooks.clear(held.id);
    harness.assert_settled("held", &creating).await;

    // A failed loop that its instance still names is kept until it has been replaced.
    harness.hooks.set(lives, |call| async move { if call.label == "health-check" { Err(failure(FailureKind::Failed)) } else { call.run().await } });
    harness.engine.nudge(&workflow, "").await.unwrap();
    eventually("the loop ended", || async { (harness.engine.status(&workflow).await.unwrap() == WorkflowStatus::Ended).then_some(()) }).await;
    clean(&harness, Duration::ZERO).await;
    assert_eq!(harness.engine.status(&workflow).await.unwrap(), WorkflowStatus::Ended);
    harness.hooks.clear(lives);
    assert_eq!(harness.sweep().await.health_checks, 1);
    clean(&harness, Duration::ZERO).await;
    assert_eq!(harness.engine.status(&workflow).await.unwrap(), WorkflowStatus::Unknown);
    harness.assert_workflows("replaced", lives).await;
    harness.finish().await;
}

async fn creation(harness: &Harness, id: InstanceId) -> toygres_domain::OperationId {
    let filter = OperationFilter { instance: Some(id), kinds: Some(vec![OperationKind::Create]), statuses: None };
    harness.store.operations(&filter, &PageRequest::first(1)).await.unwrap().items.remove(0).id
}

/// The number of history events of the health check in the engine.
async fn events(harness: &Harness, id: InstanceId) -> usize {
    let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
    let mut events = 0;
    for execution in harness.client.list_executions(&workflow).await.unwrap() {
        // While the workflow continues as new, an execution may be deleted or may not exist yet.
        events += harness.client.read_execution_history(&workflow, execution).await.map_or(0, |history| history.len());
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_does_not_grow_under_a_loop() {
    let harness = Harness::start_on_postgres().await;
    let id = harness.running().await;
    let mut sizes = Vec::new();
    for _ in 0..3 {
        check_often(&harness, id, 25).await;
        let before = events(&harness, id).await;
        assert!(executions(&harness.store, &harness.engine).await.unwrap() >= 2);
        sizes.push((before, events(&harness, id).await));
    }
    // One execution of ten checks, each about nine events.
    assert!(sizes.iter().all(|(before, after)| *after < 150 && before > after), "{sizes:?}");
    harness.finish().await;
}

/// Two servers sweep independently. One loop is deleted from the engine; of the other only the queued messages are deleted, so that
/// it is still running according to the engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_killed_in_the_engines_tables_is_back_within_a_minute_and_once() {
    let harness = Harness::start_on_postgres().await;
    let sweepers = [0, 1].map(|_| tokio::spawn(sweeper::run(harness.context.clone(), harness.engine.clone())));
    let mut cases = Vec::new();
    for _ in 0..2 {
        let mut new = harness.new_instance();
        new.spec.health_check.interval_seconds = 3600;
        let operation = harness.create(&new).await;
        harness.assert_settled("created", &operation).await;
        eventually("it is healthy", || async { Some(harness.instance(new.id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
        cases.push((new.id, harness.instance(new.id).await.health_check_orchestration_id.unwrap()));
    }
    let before = (checks(&harness, cases[0].0).await, checks(&harness, cases[1].0).await);
    let killed = Instant::now();
    harness.forget(&cases[0].1).await;
    harness.database.run(&format!("DELETE FROM duroxide.orchestrator_queue WHERE instance_id = '{}'", cases[1].1)).await;
    assert_eq!(harness.engine.status(&cases[1].1).await.unwrap(), WorkflowStatus::Running, "the engine does not notice");
    while checks(&harness, cases[0].0).await == before.0 || checks(&harness, cases[1].0).await == before.1 {
        assert!(killed.elapsed() < Duration::from_secs(60), "a loop is not back within a minute");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for (id, old) in &cases {
        harness.assert_workflows("back", *id).await;
        assert!(
            harness.engine.status(old).await.unwrap() != WorkflowStatus::Running
                || harness.instance(*id).await.health_check_orchestration_id.as_ref() == Some(old)
        );
    }
    harness.context.shutdown.cancel();
    for sweeper in sweepers {
        sweeper.await.unwrap();
    }
    harness.finish().await;
}
