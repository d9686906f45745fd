//! The sweeper.

use std::time::Duration;

use toygres_domain::{
    InstanceId,
    instance::{InstanceState, Reason, ReasonCode},
    operation::{InstanceAfter, OnFailure, OperationKind, OperationStatus},
    runtime::{Observation, RuntimeError},
};
use toygres_workflows::{health_check::HealthCheckLoop, sweeper::Swept};

use crate::support::{DEADLINE, Example, Harness, away, eventually, request};

/// The rest of the sweep needs no runtime.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_does_not_answer_is_no_error_of_the_metadata() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let lost = harness.instance(id).await.health_check_orchestration_id.unwrap();
    harness.runtime.refuse_to_list(Some(away()));
    // A health check that has not started yet counts as lost.
    let nothing_else = Swept { unlisted: Some(away().reason), ..Swept::default() };
    eventually("nothing else is missing", || async { (harness.sweep().await == nothing_else).then_some(()) }).await;
    harness.client.cancel_instance(&lost, "by hand").await.unwrap();
    eventually("the health check is replaced", || async { (harness.sweep().await.health_checks == 1).then_some(()) }).await;
    harness.runtime.refuse_to_list(None);
    assert_eq!(harness.sweep().await.unlisted, None);
    harness.finish().await;
}

/// A finished monitor and a lost one are replaced, and the new one works.
async fn monitors(harness: Harness) {
    for loss in ["ended", "vanished"] {
        let new = harness.new_instance();
        harness.runtime.hold(new.id);
        let operation = harness.create(&new).await;
        eventually("the workflow waits", || async { (harness.hooks.count(new.id, "get-instance-status") > 1).then_some(()) }).await;
        let monitor = operation.monitor_id();
        assert_eq!(harness.sweep().await, Swept::default(), "{loss}: nothing is missing yet");
        if loss == "ended" {
            harness.client.cancel_instance(&monitor, "by hand").await.unwrap();
            eventually("the monitor ended", || async { (!harness.live(new.id).await.contains(&monitor)).then_some(()) }).await;
        } else {
            harness.forget(&monitor).await;
        }
        // A recent start may still be in the queue, so the first sweeps ignore it.
        eventually("the sweeper started one", || async {
            let (one, other) = futures::join!(harness.sweep(), harness.sweep());
            (one.monitors + other.monitors >= 1).then_some(())
        })
        .await;
        eventually("there is a monitor", || async { harness.live(new.id).await.contains(&monitor).then_some(()) }).await;
        // The new monitor works: it detects a lost workflow.
        harness.client.cancel_instance(&operation.engine_id(1), "by hand").await.unwrap();
        eventually("there is a next run", || async { (harness.operation(&operation).await.run > 1).then_some(()) }).await;
        harness.runtime.release(new.id);
        harness.assert_settled(loss, &operation).await;
        assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded, "{loss}");
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_monitor_is_replaced() {
    monitors(Harness::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_lost_monitor_is_replaced() {
    monitors(Harness::start_on_postgres().await).await;
}

/// The engine only has the end of a monitor, so it can be neither started nor deleted, as if the database had failed during its
/// first turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_can_have_no_monitor_is_followed_by_the_sweeper() {
    let harness = Harness::start_on_postgres().await;
    let new = harness.new_instance();
    harness.runtime.hold(new.id);
    let operation = harness.create(&new).await;
    eventually("the workflow waits", || async { (harness.hooks.count(new.id, "get-instance-status") > 1).then_some(()) }).await;
    let monitor = operation.monitor_id();
    harness.client.cancel_instance(&monitor, "by hand").await.unwrap();
    eventually("the monitor ended", || async { (!harness.live(new.id).await.contains(&monitor)).then_some(()) }).await;
    harness.database.run(&format!("DELETE FROM {}.instances WHERE instance_id = '{monitor}'", toygres_workflows::engine::SCHEMA)).await;
    harness.client.cancel_instance(&operation.engine_id(1), "by hand").await.unwrap();
    eventually("there is a next run", || async {
        harness.sweep().await;
        (harness.operation(&operation).await.run > 1).then_some(())
    })
    .await;
    harness.runtime.release(new.id);
    harness.assert_settled("without a monitor", &operation).await;
    assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded);
    harness.finish().await;
}

/// The sweeper itself ends an operation without workflow and monitor long after its deadline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_nobody_follows_ends() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    harness.hooks.set(new.id, |call| async move {
        // The monitor is stuck in its activity.
        if call.label == "settle-operation" { std::future::pending().await } else { call.run().await }
    });
    harness.runtime.hold(new.id);
    let operation = harness.create(&new).await;
    eventually("the workflow waits", || async { (harness.hooks.count(new.id, "get-instance-status") > 1).then_some(()) }).await;
    eventually("the monitor is stuck", || async { (harness.hooks.count(new.id, "settle-operation") > 0).then_some(()) }).await;
    harness.forget(&operation.engine_id(1)).await;
    harness.database.run("UPDATE toygres.operations SET deadline = now() - interval '1 hour'").await;
    eventually("the sweeper ended it", || async {
        harness.sweep().await;
        harness.operation(&operation).await.status.is_terminal().then_some(())
    })
    .await;
    let done = harness.operation(&operation).await;
    assert_eq!((done.status, done.error.unwrap().code), (OperationStatus::Failed, ReasonCode::Internal));
    assert_eq!(harness.instance(new.id).await.state, InstanceState::Failed);
    harness.finish().await;
}

/// A manual change ends the operation but not the transitional state of the instance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transitional_state_without_an_operation_ends() {
    let harness = Harness::start().await;
    let mut examples = Vec::new();
    for kind in OperationKind::ALL.iter().filter(|kind| kind.policy().during.is_some()) {
        examples.push(Example::prepare(&harness, *kind).await);
    }
    let fine = harness.new_instance();
    harness.stop_dispatching();
    harness.create(&fine).await;
    for example in &examples {
        let id = example.accept(&harness).await;
        harness
            .database
            .run(&format!(
                "UPDATE toygres.operations SET status = 'failed', finished_at = now(), error_code = 'internal', error_message = 'x' WHERE id = '{id}'"
            ))
            .await;
    }
    let mut orphans = harness.sweep().await.orphans;
    let mut expected: Vec<_> = examples.iter().map(|example| example.instance).collect();
    orphans.sort_unstable();
    expected.sort_unstable();
    assert_eq!(orphans, expected);
    for example in &examples {
        let policy = example.kind.policy();
        let state = match policy.failure {
            OnFailure::End(InstanceAfter::State(state)) => state,
            OnFailure::End(InstanceAfter::Former) => policy.from[0],
            OnFailure::KeepTrying => InstanceState::Failed,
        };
        let now = harness.instance(example.instance).await;
        assert_eq!((now.state, now.reason.map(|reason| reason.code)), (state, Some(ReasonCode::Internal)), "{}", example.kind);
        harness.store.retry_operation(&example.id(), &request(DEADLINE)).await.expect("there is a way out");
    }
    assert_eq!(harness.instance(fine.id).await.state, InstanceState::Creating);
    harness.finish().await;
}

/// A running instance has exactly one loop: a lost one is started, and an additional one is cancelled.
async fn health_checks(harness: Harness) {
    let id = harness.running().await;
    let named = harness.instance(id).await.health_check_orchestration_id.unwrap();
    harness.assert_workflows("at first", id).await;
    assert_eq!(harness.sweep().await, Swept::default());
    // The start was lost.
    harness.forget(&named).await;
    assert_eq!(harness.sweep().await.health_checks, 1);
    harness.assert_workflows("started again", id).await;
    assert_eq!(harness.instance(id).await.health_check_orchestration_id, Some(named.clone()), "under the id that the row names");
    // The loop has ended.
    harness.client.cancel_instance(&named, "by hand").await.unwrap();
    eventually("it ended", || async { harness.live(id).await.is_empty().then_some(()) }).await;
    assert_eq!(harness.sweep().await.health_checks, 1);
    harness.assert_workflows("replaced", id).await;
    // A second loop, which does not read the row for an hour.
    let mut stray = HealthCheckLoop::new(id, format!("health-{id}-99"));
    stray.wait_ms = 3_600_000;
    harness.engine.start_health_check(&stray).await.unwrap();
    eventually("there are two", || async { (harness.live(id).await.len() == 2).then_some(()) }).await;
    assert_eq!(harness.sweep().await, Swept { strays: 1, ..Swept::default() });
    harness.assert_workflows("the stray is ended", id).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_instance_has_exactly_one_health_check() {
    health_checks(Harness::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_running_instance_has_exactly_one_health_check() {
    health_checks(Harness::start_on_postgres().await).await;
}

/// The engine cancels an activity whose lock it could not renew and deletes it from its queue, so the loop waits forever. There is
/// no timer for a check, so the sweeper replaces the loop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_check_whose_activity_the_engine_lost_is_replaced_once() {
    let harness = Harness::start_on_postgres().await;
    let new = harness.new_instance();
    // The first check: later ones have a timer, which outlives the nudge that came before it.
    harness.hooks.set(new.id, |call| async move { if call.label == "health-check" { std::future::pending().await } else { call.run().await } });
    let id = harness.run(new).await;
    let named = harness.instance(id).await.health_check_orchestration_id.unwrap();
    eventually("a check hangs", || async { (harness.hooks.count(id, "health-check") > 0).then_some(()) }).await;
    assert_eq!(harness.sweep().await, Swept::default(), "it may be slow");
    harness.database.run(&format!("DELETE FROM {}.worker_queue WHERE instance_id = '{named}'", toygres_workflows::engine::SCHEMA)).await;
    harness.hooks.clear(id);
    assert_eq!(harness.sweep().await, Swept { health_checks: 1, strays: 1, ..Swept::default() });
    harness.assert_workflows("replaced", id).await;
    let next = harness.instance(id).await.health_check_orchestration_id.unwrap();
    assert_ne!(next, named, "the engine ignores a start under an id that it knows");
    let after = harness.hooks.count(id, "health-check");
    eventually("the next one checks", || async { (harness.hooks.count(id, "health-check") > after).then_some(()) }).await;
    assert_eq!(harness.sweep().await, Swept::default());
    harness.finish().await;
}

/// Objects of deleted instances are removed. Objects of other instances, and objects without a row, are not changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_of_a_deleted_instance_is_removed_and_nothing_else() {
    let harness = Harness::start().await;
    let running = harness.running().await;
    let deleted = harness.running().await;
    let deletion = harness.delete(deleted).await;
    harness.assert_settled("deleted", &deletion).await;
    let failed = harness.new_instance();
    harness.runtime.script(failed.id, |script| {
        script.observation = Some(Ok(Observation::Failed(Reason::new(ReasonCode::OutOfMemory, "no memory"))));
        script.removal = Some(Err(RuntimeError::permanent(ReasonCode::Forbidden, "not allowed")));
    });
    let failure = harness.create(&failed).await;
    harness.finished(&failure).await;
    harness.runtime.script(failed.id, |script| script.removal = None);
    let unknown = InstanceId::generate();
    harness.runtime.add(unknown);
    // A deployment that had lost its lock ran after the removal.
    harness.runtime.add(deleted);
    harness.runtime.script(deleted, |script| script.removing = 1);
    let first = harness.sweep().await;
    assert_eq!(first, Swept { unknown: vec![unknown], ..Swept::default() }, "it is still being removed");
    let second = harness.sweep().await;
    assert_eq!(second, Swept { unknown: vec![unknown], removed: vec![deleted], ..Swept::default() });
    assert!(!harness.runtime.exists(deleted));
    for kept in [running, failed.id, unknown] {
        assert!(harness.runtime.exists(kept));
    }
    tokio::time::timeout(Duration::from_secs(30), harness.finish()).await.unwrap();
}
