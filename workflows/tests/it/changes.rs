//! What the runtime reports decides how a health check asks: anew, through the address that clients use, and at once.

use std::time::{Duration, Instant};

use toygres_domain::{
    InstanceId,
    instance::{HealthCheckPolicy, HealthStatus, Instance, Reason, ReasonCode},
    runtime::Observation,
};

use crate::support::{Harness, Proxy, eventually, fake_runtime};
use toygres_postgres::Measure;

/// The interval of every instance here: no check comes by itself.
const INTERVAL: i32 = 3600;
/// The time-out of every instance here: much longer than anything may take.
const TIMEOUT: i32 = 60;
/// How long a change may take to show.
const SOON: Duration = Duration::from_secs(20);

/// A control plane whose checks keep connections.
async fn start() -> Harness {
    let harness = Harness::start().await;
    tokio::spawn({
        let (prober, shutdown) = (harness.context.prober.clone(), harness.context.shutdown.clone());
        async move { prober.run(shutdown).await }
    });
    harness
}

/// A healthy instance behind a proxy.
async fn behind(harness: &Harness, proxy: &Proxy) -> InstanceId {
    let mut new = harness.new_instance();
    new.spec.health_check = HealthCheckPolicy { interval_seconds: INTERVAL, timeout_seconds: TIMEOUT };
    let endpoint = proxy.endpoint();
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(endpoint))));
    let id = harness.run(new).await;
    becomes(harness, id, HealthStatus::Healthy).await;
    id
}

/// Waits for a health, which must come soon.
async fn becomes(harness: &Harness, id: InstanceId, health: HealthStatus) -> Instance {
    let started = Instant::now();
    let now =
        eventually(&format!("it is {}", health.as_str()), || async { Some(harness.instance(id).await).filter(|now| now.health == health) }).await;
    assert!(started.elapsed() < SOON, "it took {:?}", started.elapsed());
    now
}

fn observes(harness: &Harness, id: InstanceId, observation: Observation) {
    harness.runtime.script(id, |script| script.observation = Some(Ok(observation)));
    harness.runtime.report_change(id);
}

/// Waits until a check is in progress, which the address does not answer.
async fn is_waiting(harness: &Harness, id: InstanceId) {
    let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
    let before = harness.hooks.count(id, "health-check");
    harness.engine.nudge(&workflow, "").await.unwrap();
    eventually("a check begins", || async { (harness.hooks.count(id, "health-check") > before).then_some(()) }).await;
}

async fn shows(harness: &Harness, id: InstanceId, death: &Reason) {
    let started = Instant::now();
    eventually(&format!("there is a sample of {}", death.message), || async {
        harness.samples(id).await.into_iter().find(|sample| sample.error.as_ref() == Some(death))
    })
    .await;
    assert!(started.elapsed() < SOON, "it took {:?}", started.elapsed());
}

/// Connection tracking lets an established connection live on when no client can connect any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_change_a_kept_connection_proves_nothing() {
    let harness = start().await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy).await;
    proxy.outlive();
    observes(&harness, id, Observation::Pending(Reason::new(ReasonCode::RuntimeUnavailable, "the node is away")));
    let unhealthy = becomes(&harness, id, HealthStatus::Unhealthy).await;
    assert_eq!(unhealthy.reason.unwrap().code, ReasonCode::RuntimeUnavailable);
    harness.finish().await;
}

/// The network follows a change with a delay, in which a login can still come through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_gone_is_an_outage_whatever_a_login_says() {
    let harness = start().await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy).await;
    let gone = Reason::new(ReasonCode::EndpointMissing, "the Service is gone");
    observes(&harness, id, Observation::Pending(gone.clone()));
    assert_eq!(becomes(&harness, id, HealthStatus::Unhealthy).await.reason, Some(gone));
    observes(&harness, id, Observation::Ready(proxy.endpoint()));
    becomes(&harness, id, HealthStatus::Healthy).await;
    harness.finish().await;
}

/// A login that comes through after a change is confirmed by a second one, because no other change may be reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_after_a_change_is_confirmed() {
    let harness = start().await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy).await;
    let before = harness.samples(id).await.len();
    harness.runtime.report_change(id);
    eventually("there are two more samples", || async { (harness.samples(id).await.len() == before + 2).then_some(()) }).await;
    harness.assert_no_outage("a change", id).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_not_ready_and_answers_is_healthy() {
    let harness = start().await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy).await;
    let before = harness.samples(id).await.len();
    observes(&harness, id, Observation::Pending(fake_runtime::pending()));
    eventually("it is checked until it is ready", || async { (harness.samples(id).await.len() > before + 5).then_some(()) }).await;
    observes(&harness, id, Observation::Ready(proxy.endpoint()));
    let endpoint = proxy.endpoint();
    eventually("a connection is kept again", || harness.context.prober.ask(id, &endpoint, SOON, Measure::NONE)).await.unwrap();
    harness.assert_no_outage("it answers", id).await;
    harness.finish().await;
}

/// A check of an address that is dead would take the whole time-out of the instance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_in_progress_hears_that_its_target_is_gone_and_that_it_is_back() {
    let harness = start().await;
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy).await;
    proxy.stall();
    is_waiting(&harness, id).await;
    observes(&harness, id, Observation::Pending(Reason::new(ReasonCode::RuntimeUnavailable, "the node is away")));
    becomes(&harness, id, HealthStatus::Unhealthy).await;
    proxy.open().await;
    observes(&harness, id, Observation::Ready(proxy.endpoint()));
    becomes(&harness, id, HealthStatus::Healthy).await;

    // Here the runtime has not noticed that the address was dead.
    proxy.outlive();
    is_waiting(&harness, id).await;
    proxy.open().await;
    harness.runtime.report_change(id);
    let started = Instant::now();
    let answered = |samples: Vec<toygres_domain::health::HealthCheck>| samples.iter().filter(|sample| sample.error.is_none()).count();
    let before = answered(harness.samples(id).await);
    eventually("there is an answer", || async { (answered(harness.samples(id).await) > before).then_some(()) }).await;
    assert!(started.elapsed() < SOON, "it took {:?}", started.elapsed());
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_ends_the_check_that_waits_for_the_dead() {
    let harness = start().await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let id = behind(&harness, &proxy).await;
    proxy.stall();
    let [first, second] = ["the first", "the second"].map(|message| Reason::new(ReasonCode::ProcessExited, message));
    let checks = || harness.hooks.count(id, "health-check");
    is_waiting(&harness, id).await;
    let waiting = checks();
    harness.runtime.report_death(id, first.clone());
    shows(&harness, id, &first).await;
    becomes(&harness, id, HealthStatus::Unhealthy).await;
    // One check has recorded the death, and the next one waits. Of an outage that is confirmed another death says nothing new, but it ends
    // that check.
    eventually("the next check waits", || async { (checks() >= waiting + 2).then_some(()) }).await;
    let (waiting, started) = (checks(), Instant::now());
    harness.runtime.report_death(id, second);
    eventually("the check has ended", || async { (checks() > waiting).then_some(()) }).await;
    assert!(started.elapsed() < SOON, "it took {:?}", started.elapsed());
    harness.finish().await;
}
