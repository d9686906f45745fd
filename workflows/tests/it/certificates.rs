//! Which certificate is renewed when. What servers present is in the tests of the server.

use std::time::{Duration, Instant};

use toygres_domain::{
    instance::{HealthCheckPolicy, HealthStatus},
    runtime::Observation,
};
use toygres_store::changes::Changes;
use toygres_workflows::certificates;

use crate::support::{Harness, Proxy, concurrently, eventually};

/// As many as are renewed at a time.
const SILENT: usize = 8;
/// An attempt asks what is presented, has the server read its files, and asks again.
const CONNECTIONS: usize = 3;
/// Much less than an attempt takes with an instance that says nothing.
const SOON: Duration = Duration::from_secs(8);

/// After their first attempt, they wait for their pauses and share a few permits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_that_say_nothing_delay_the_certificate_of_no_other() {
    let harness = Harness::start().await;
    let proxy = Proxy::to(harness.database.endpoint()).await;
    let behind_proxy: Vec<_> = (0..SILENT)
        .map(|_| {
            let mut new = harness.new_instance();
            new.spec.health_check = HealthCheckPolicy { interval_seconds: 3600, timeout_seconds: 60 };
            harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
            new
        })
        .collect();
    let other = harness.new_instance();
    let silent: Vec<_> = behind_proxy.iter().map(|new| new.id).collect();
    concurrently(behind_proxy.into_iter().chain([other.clone()]), async |new| {
        let id = harness.run(new).await;
        eventually("it is healthy", || async { (harness.instance(id).await.health == HealthStatus::Healthy).then_some(()) }).await;
    })
    .await;

    proxy.stall();
    let before = proxy.accepted();
    harness.runtime.speak_tls();
    let changes = Changes::start(&harness.store, harness.context.shutdown.clone());
    tokio::spawn(certificates::run(harness.context.clone(), changes));
    let retried = before + SILENT * CONNECTIONS + 1;
    eventually("the first attempts have failed", || async { (proxy.accepted() >= retried).then_some(()) }).await;
    assert!(silent.iter().all(|id| harness.runtime.installed(*id) == 1), "each was tried");

    let before = harness.runtime.installed(other.id);
    let due = "not_before = now() - interval '80 days', not_after = now() + interval '10 days'";
    harness.database.run(&format!("UPDATE toygres.instance_certificates SET {due} WHERE instance_id = '{}'", other.id)).await;
    let began = Instant::now();
    eventually("it has another certificate", || async { (harness.runtime.installed(other.id) > before).then_some(()) }).await;
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    harness.finish().await;
}
