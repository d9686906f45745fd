//! Hints of the prober have a back-off.

use std::time::Duration;

use futures::StreamExt;
use toygres_domain::instance::HealthStatus;

use crate::support::{Harness, eventually};

/// The owner may end sessions of other roles (`pg_signal_backend`), and so that of the checks. The first end causes a check at once; further ones
/// do not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_who_ends_the_session_of_checks_does_not_cause_a_check_each_time() {
    const MANY: usize = 6;
    let harness = Harness::start().await;
    tokio::spawn({
        let (prober, shutdown) = (harness.context.prober.clone(), harness.context.shutdown.clone());
        async move { prober.run(shutdown).await }
    });
    let mut losses = harness.context.prober.losses();
    let mut new = harness.new_instance();
    new.spec.health_check.interval_seconds = 3600;
    let id = harness.run(new).await;
    eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'toygres_monitor' AND application_name = 'toygres-health-check'";
    let mut seen = 0;
    let ending = async {
        while seen < MANY {
            harness.database.run(end).await;
            if tokio::time::timeout(Duration::from_millis(50), losses.next()).await.is_ok() {
                seen += 1;
            }
        }
    };
    // Without a back-off it takes a few seconds, also on a busy machine. With it, a hint is soon not passed on, and no check follows that
    // would keep another session.
    let _ = tokio::time::timeout(Duration::from_secs(12), ending).await;
    assert!((1..MANY).contains(&seen), "{seen} sessions");
    harness.finish().await;
}
