//! Probers, which check healthy instances while their workflows sleep.

use std::time::{Duration, Instant};

use chrono::Utc;
use futures::future::join_all;
use toygres_domain::{
    InstanceId,
    instance::{HealthStatus, Instance, ReasonCode},
    runtime::Observation,
};
use toygres_store::{HealthSample, NewInstance, SuccessfulCheck};
use toygres_workflows::sweeper::wake_unobserved;

use crate::support::{Harness, Proxy, eventually};

const HOUR: Duration = Duration::from_secs(3600);

async fn becomes(harness: &Harness, id: InstanceId, health: HealthStatus) -> Instance {
    eventually(&format!("it is {health}"), || async { Some(harness.instance(id).await).filter(|now| now.health == health) }).await
}

/// Waits for this many further samples, and returns them, the newest first.
async fn further_samples(harness: &Harness, id: InstanceId, count: usize) -> Vec<toygres_domain::health::HealthCheck> {
    let last = harness.samples(id).await.first().map_or(0, |sample| sample.id);
    eventually("there are further samples", || async {
        let further: Vec<_> = harness.samples(id).await.into_iter().take_while(|sample| sample.id > last).collect();
        (further.len() >= count).then_some(further)
    })
    .await
}

/// A probed instance whose workflow sleeps.
async fn asleep(harness: &Harness) -> InstanceId {
    let id = harness.running().await;
    becomes(harness, id, HealthStatus::Healthy).await;
    // A start is followed by two checks of the workflow.
    eventually("its workflow sleeps", || async {
        let before = harness.hooks.count(id, "health-check");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        (harness.hooks.count(id, "health-check") == before).then_some(())
    })
    .await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_come_on_the_interval_while_the_workflow_sleeps() {
    let harness = Harness::start_for_probers(HOUR).await;
    harness.probe();
    let id = asleep(&harness).await;
    let before = harness.hooks.count(id, "health-check");
    let samples = further_samples(&harness, id, 5).await;
    assert_eq!(harness.hooks.count(id, "health-check"), before, "no check of the workflow");
    assert!(samples.iter().all(|sample| sample.status == HealthStatus::Healthy && sample.latency_us.is_some()), "{samples:?}");
    for pair in samples.windows(2) {
        let apart = (pair[0].at - pair[1].at).as_seconds_f64();
        assert!((0.5..1.5).contains(&apart), "{apart} s, with an interval of 1 s");
    }
    let revision = harness.instance(id).await.revision;
    further_samples(&harness, id, 2).await;
    assert_eq!(harness.instance(id).await.revision, revision, "probes write nothing else");
    harness.finish().await;
}

/// No runtime reports it, so only a probe can find it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_a_probe_finds_is_confirmed_by_the_workflow() {
    let harness = Harness::start_for_probers(HOUR).await;
    harness.probe();
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let new = harness.new_instance();
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
    let id = harness.run(new).await;
    becomes(&harness, id, HealthStatus::Healthy).await;
    further_samples(&harness, id, 3).await;
    proxy.close().await;
    let closed = Instant::now();
    let down = becomes(&harness, id, HealthStatus::Unhealthy).await;
    assert!(closed.elapsed() < Duration::from_secs(1 + 5), "{:?}", closed.elapsed());
    assert_eq!(down.reason.unwrap().code, ReasonCode::ConnectionRefused);
    let failed = harness.samples(id).await.iter().take_while(|sample| sample.status == HealthStatus::Unhealthy).count();
    assert!(failed >= 3, "one failed check is no outage: {failed}");
    proxy.open().await;
    becomes(&harness, id, HealthStatus::Healthy).await;
    let checks = harness.hooks.count(id, "health-check");
    further_samples(&harness, id, 5).await;
    assert!(harness.hooks.count(id, "health-check") <= checks + 3, "the workflow sleeps again");
    harness.finish().await;
}

/// The check that its workflow makes then may succeed, and so counts no failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_probe_begins_the_idle_time_anew() {
    let harness = Harness::start_for_probers(HOUR).await;
    harness.probe();
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let mut new = NewInstance { idle_suspend_minutes: Some(60), ..harness.new_instance() };
    // After a sample there is time enough until the next probe.
    new.spec.health_check.interval_seconds = 5;
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
    let id = harness.run(new).await;
    becomes(&harness, id, HealthStatus::Healthy).await;
    further_samples(&harness, id, 2).await;
    proxy.close().await;
    harness.database.run("UPDATE toygres.instance_activity SET active_at = now() - interval '50 minutes'").await;
    // No check succeeds any more, so only the probe that has woken the workflow can have begun it anew.
    becomes(&harness, id, HealthStatus::Unhealthy).await;
    harness.database.run("SELECT 1 / count(*) FROM toygres.instance_activity WHERE active_at > now() - interval '10 minutes'").await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_prober_an_instance_is_checked_by_its_workflow() {
    let look = Duration::from_secs(4);
    let harness = Harness::start_for_probers(look).await;
    let prober = harness.probe();
    let id = harness.running().await;
    becomes(&harness, id, HealthStatus::Healthy).await;
    further_samples(&harness, id, 3).await;
    prober.abort();
    let (stopped, before) = (Instant::now(), harness.hooks.count(id, "health-check"));
    eventually("the workflow looks by itself", || async { (harness.hooks.count(id, "health-check") > before).then_some(()) }).await;
    // It may have checked just before.
    assert!(stopped.elapsed() < look * 2 + Duration::from_secs(2), "{:?}", stopped.elapsed());
    // After a while it is clear that nobody probes.
    eventually("it checks on its interval", || async {
        let newest: Vec<_> = harness.samples(id).await.into_iter().take(3).collect();
        newest.windows(2).all(|pair| (pair[0].at - pair[1].at).as_seconds_f64() < 1.5).then_some(()).filter(|()| stopped.elapsed() > look * 4)
    })
    .await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_sleeps_unprobed_is_woken_by_the_sweeper() {
    let harness = Harness::start_for_probers(HOUR).await;
    let prober = harness.probe();
    let id = asleep(&harness).await;
    assert_eq!(wake_unobserved(&harness.context, &harness.engine, Duration::ZERO).await.unwrap(), 0);
    prober.abort();
    let before = harness.hooks.count(id, "health-check");
    for update in ["health_checks SET at = at - interval '1 hour'", "instances SET updated_at = updated_at - interval '1 hour'"] {
        harness.database.run(&format!("SET session_replication_role = replica; UPDATE toygres.{update}; RESET session_replication_role")).await;
    }
    assert_eq!(wake_unobserved(&harness.context, &harness.engine, Duration::ZERO).await.unwrap(), 1);
    eventually("it is checked", || async { (harness.hooks.count(id, "health-check") > before).then_some(()) }).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_share_of_a_prober_that_dies_moves_within_fifteen_seconds() {
    // So many that it hardly happens that one of two has no share.
    const MANY: usize = 16;
    let harness = Harness::start_for_probers(HOUR).await;
    let first = harness.probe();
    let ids = join_all((0..MANY).map(|_| harness.running())).await;
    join_all(ids.iter().map(|id| becomes(&harness, *id, HealthStatus::Healthy))).await;
    let (second, _running) = harness.probe_too();
    eventually("both have a share", || async {
        let of_second = ids.iter().filter(|id| second.probes(**id)).count();
        let of_first = ids.iter().filter(|id| harness.context.probing.probes(**id)).count();
        (of_second > 0 && of_first + of_second == MANY).then_some(())
    })
    .await;
    join_all(ids.iter().map(|id| further_samples(&harness, *id, 2))).await;
    first.abort();
    let died = Instant::now();
    eventually("the other probes all", || async { ids.iter().all(|id| second.probes(*id)).then_some(()) }).await;
    join_all(ids.iter().map(|id| further_samples(&harness, *id, 1))).await;
    assert!(died.elapsed() < Duration::from_secs(15), "{:?}", died.elapsed());
    for id in ids {
        harness.assert_no_outage("a prober died", id).await;
    }
    harness.finish().await;
}

/// As while shares move.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_probe_one_instance_do_no_harm() {
    let harness = Harness::start_for_probers(HOUR).await;
    harness.probe();
    let id = asleep(&harness).await;
    let instance = harness.instance(id).await;
    let success = SuccessfulCheck { latency: Duration::from_millis(2), logged_in: false };
    let sample = HealthSample { instance: id, operation_count: instance.operation_count, at: Utc::now(), success };
    let before = harness.samples(id).await.len();
    let outdated = HealthSample { operation_count: instance.operation_count - 1, ..sample };
    harness.store.record_health_checks(&[sample, sample, outdated]).await.unwrap();
    assert!(harness.samples(id).await.len() >= before + 2);
    let summary = harness.store.health_summaries(&[id]).await.unwrap().remove(&id).unwrap();
    assert_eq!((summary.uptime, summary.last_failure_at), (Some(1.0), None));
    let same = harness.samples(id).await.into_iter().filter(|other| (other.at - sample.at).num_milliseconds().abs() < 1).count();
    assert_eq!(same, 2, "the outdated one is left out");
    // Both have found it unreachable, and tell its workflow at the same time.
    let workflow = instance.health_check_orchestration_id.clone().unwrap();
    futures::future::try_join(harness.engine.nudge(&workflow, ""), harness.engine.nudge(&workflow, "")).await.unwrap();
    further_samples(&harness, id, 3).await;
    let after = harness.instance(id).await;
    assert_eq!((after.health, after.revision), (HealthStatus::Healthy, instance.revision));
    harness.finish().await;
}

/// The times between the samples of one instance, the newest first.
fn pauses(samples: &[toygres_domain::health::HealthCheck]) -> Vec<f64> {
    samples.windows(2).map(|pair| (pair[0].at - pair[1].at).as_seconds_f64()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_probers_found_outlasts_statements_that_fail() {
    let harness = Harness::start_for_probers(HOUR).await;
    harness.runtime.limit_volumes();
    harness.probe();
    let ids = join_all((0..3).map(|_| asleep(&harness))).await;
    let measured = async || harness.store.storage_usages(&ids).await.unwrap();
    eventually("the volumes are measured", || async { (measured().await.len() == 3).then_some(()) }).await;
    let last = join_all(ids.iter().map(|id| further_samples(&harness, *id, 1))).await.into_iter().map(|samples| samples[0].id).collect::<Vec<_>>();

    // Another size has all of them measured anew, while nothing can be stored.
    harness.database.run("ALTER TABLE toygres.health_checks RENAME TO gone; ALTER TABLE toygres.instance_storage RENAME TO gone_too").await;
    harness.runtime.limit_volumes_to(1 << 51);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let back = Utc::now();
    harness.database.run("ALTER TABLE toygres.gone RENAME TO health_checks; ALTER TABLE toygres.gone_too RENAME TO instance_storage").await;
    eventually("they are stored", || async { measured().await.values().all(|usage| usage.usage.capacity_bytes == 1 << 51).then_some(()) }).await;
    assert!(measured().await.values().all(|usage| usage.measured_at < back), "when they were measured, and not when they were stored");
    for (id, last) in ids.iter().zip(last) {
        further_samples(&harness, *id, 1).await;
        let samples: Vec<_> = harness.samples(*id).await.into_iter().take_while(|sample| sample.id >= last).collect();
        assert!(samples.len() >= 5 && pauses(&samples).iter().all(|pause| (0.5..1.5).contains(pause)), "{:?}", pauses(&samples));
    }
    harness.finish().await;
}
