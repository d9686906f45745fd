//! Time in which no worker was alive, and clocks that are wrong.

use toygres_domain::operation::{OperationKind, OperationStatus};
use toygres_workflows::{engine::SCHEMA, heartbeat};

use crate::support::{Example, Harness, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_waited_while_no_worker_was_alive_is_not_late() {
    let mut harness = Harness::start().await;
    for kind in OperationKind::ALL {
        let example = Example::prepare(&harness, *kind).await;
        harness.stop().await;
        let operation = example.accept(&harness).await;
        // Everything was 20 minutes ago, which is much longer than a deadline.
        let ago = "- interval '20 min'";
        let operations = format!(
            "UPDATE toygres.operations SET created_at = created_at {ago}, dispatched_at = dispatched_at {ago}, deadline = deadline {ago}
             WHERE id = '{operation}'"
        );
        let heartbeat = format!("UPDATE toygres.worker_heartbeat SET at = at {ago}");
        harness.database.run(&format!("BEGIN; {operations}; {heartbeat}; COMMIT")).await;
        harness.work().await;
        let settled = harness.assert_settled(kind.as_str(), &operation).await;
        assert_eq!(settled.status, OperationStatus::Succeeded, "{kind}: {settled:?}");
        assert!(settled.deadline.is_none_or(|deadline| deadline > chrono::Utc::now()), "{kind}: {settled:?}");
    }
    harness.finish().await;
}

/// The timers were written by a clock that was an hour ahead of the present one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_checks_go_on_after_the_clock_was_set_back_during_a_downtime() {
    let mut harness = Harness::start_on_postgres().await;
    let id = harness.running().await;
    eventually("it is checked", || async { (!harness.samples(id).await.is_empty()).then_some(()) }).await;
    harness.stop().await;
    let queue = format!("UPDATE {SCHEMA}.orchestrator_queue SET visible_at = visible_at + interval '1 hour'");
    let machine = "UPDATE toygres.worker_heartbeat SET machine_at = clock_timestamp() + interval '1 hour'";
    harness.database.run(&format!("BEGIN; {queue}; {machine}; COMMIT")).await;
    let before = harness.samples(id).await.len();
    heartbeat::first(&harness.store).await.unwrap();
    harness.work().await;
    eventually("it is checked again", || async { (harness.samples(id).await.len() > before + 1).then_some(()) }).await;
    harness.finish().await;
}
