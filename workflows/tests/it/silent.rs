//! Instances that accept connections and say nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use toygres_domain::{
    instance::{HealthCheckPolicy, HealthStatus, ReasonCode},
    operation::OperationStatus,
    runtime::Observation,
};
use toygres_workflows::Timing;

use crate::support::{Harness, Proxy, concurrently, eventually, timing};

const SILENT: usize = 14;

/// They take half of the slots for as long as their time-out, a quarter for as long as a prompt answer takes, and leave the rest: see the
/// tests of `SlowChecks`. So no operation waits for their time-outs, and neither does the confirmation of an outage,
/// except for the few instances that hold the patient permits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_instances_delay_no_creation_and_each_becomes_unhealthy() {
    let times = Timing {
        check: Duration::from_secs(60),
        prompt: Duration::from_millis(100),
        recheck_timeout: Duration::from_millis(75),
        postponed: Duration::from_millis(50),
        recovery: Duration::from_secs(2),
        ..timing()
    };
    let harness = Harness::start_with(times).await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let silent: Vec<_> = (0..SILENT)
        .map(|_| {
            let mut new = harness.new_instance();
            new.spec.health_check = HealthCheckPolicy { interval_seconds: 5, timeout_seconds: 20 };
            harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
            new
        })
        .collect();
    // The checks that were made of each, and those that took as long as their time-out.
    let (checks, exhausted) = (Arc::<Vec<AtomicUsize>>::new((0..SILENT).map(|_| AtomicUsize::new(0)).collect()), Arc::new(AtomicUsize::new(0)));
    for (nth, new) in silent.iter().enumerate() {
        let (checks, exhausted) = (checks.clone(), exhausted.clone());
        harness.hooks.set(new.id, move |call| {
            let (checks, exhausted) = (checks.clone(), exhausted.clone());
            async move {
                let started = std::time::Instant::now();
                let answer = call.run().await;
                if call.label == "health-check" {
                    checks[nth].fetch_add(1, Ordering::SeqCst);
                    exhausted.fetch_add(usize::from(started.elapsed() >= Duration::from_secs(20)), Ordering::SeqCst);
                }
                answer
            }
        });
    }
    concurrently(silent.iter(), async |new| {
        let operation = harness.create(new).await;
        assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded);
        eventually("it is healthy", || async { Some(harness.instance(new.id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
    })
    .await;

    proxy.stall();
    let before: Vec<_> = checks.iter().map(|checks| checks.load(Ordering::SeqCst)).collect();
    join_all(silent.iter().map(async |new| {
        let workflow = harness.instance(new.id).await.health_check_orchestration_id.unwrap();
        harness.engine.nudge(&workflow, "").await.unwrap();
    }))
    .await;
    // All but those that are waited for.
    let quick = || checks.iter().zip(&before).filter(|(checks, before)| checks.load(Ordering::SeqCst) > **before).count();
    eventually("they are silent", || async { (quick() >= SILENT - 5).then_some(()) }).await;

    let id = harness.running().await;
    assert_eq!(exhausted.load(Ordering::SeqCst), 0, "the creation waited for none of them");
    eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;

    let unhealthy = async || {
        let instances = join_all(silent.iter().map(|new| harness.instance(new.id))).await;
        instances.into_iter().filter(|now| now.health == HealthStatus::Unhealthy).collect::<Vec<_>>()
    };
    let confirmed = eventually("each is unhealthy", || async { Some(unhealthy().await).filter(|all| all.len() == SILENT) }).await;
    for instance in confirmed {
        assert_eq!(instance.reason.unwrap().code, ReasonCode::ConnectionTimeout);
    }
    assert_eq!(harness.instance(id).await.health, HealthStatus::Healthy);
    harness.finish().await;
}
