//! HealthCheck.

use std::{sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};
use toygres_domain::{
    InstanceId,
    health::HealthCheck,
    instance::{Endpoint, HealthStatus, Instance, InstanceState, Reason, ReasonCode},
    operation::OperationStatus,
    runtime::Observation,
};
use toygres_store::PageRequest;
use toygres_workflows::engine::Stand;

use crate::{
    double::Double,
    harness::{Harness, eventually, failure},
};

async fn samples(harness: &Harness, id: InstanceId) -> Vec<HealthCheck> {
    harness.store.health_checks(id, &PageRequest::first(100)).await.unwrap().items
}

async fn becomes(harness: &Harness, id: InstanceId, what: &str, is: impl Fn(&Instance) -> bool) -> Instance {
    eventually(what, || async { Some(harness.instance(id).await).filter(|now| is(now)) }).await
}

/// Makes the loop look now, and waits for the sample.
async fn look(harness: &Harness, id: InstanceId) {
    let before = samples(harness, id).await.first().map_or(0, |sample| sample.id);
    let workflow = harness.instance(id).await.health_check_orchestration_id.unwrap();
    harness.engine.nudge(&workflow, "").await.unwrap();
    eventually("there is another sample", || async { samples(harness, id).await.first().filter(|sample| sample.id > before).map(|_| ()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_confirmed_and_its_end_seen() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    becomes(&harness, id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    // Nobody may log in any more; the runtime sees nothing.
    harness.database.run(&format!("ALTER ROLE {}_app NOLOGIN", harness.database.name())).await;
    look(&harness, id).await;
    let sick = becomes(&harness, id, "it is unhealthy", |now| now.health == HealthStatus::Unhealthy).await;
    assert_eq!((sick.state, sick.reason.unwrap().code), (InstanceState::Running, ReasonCode::AuthenticationFailed));
    let failed = samples(&harness, id).await.iter().take_while(|sample| sample.status == HealthStatus::Unhealthy).count();
    assert!(failed >= 3, "one failed check is no outage: {failed}");
    harness.database.run(&format!("ALTER ROLE {}_app LOGIN", harness.database.name())).await;
    let well = becomes(&harness, id, "it is healthy again", |now| now.health == HealthStatus::Healthy).await;
    assert_eq!(well.reason, None);
    harness.finish().await;
}

/// The address for clients need not be one at which the control plane is let in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_checked_where_the_control_plane_reaches_it() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    let restricted = Double::restricted_endpoint();
    harness.runtime.behave(new.id, |it| it.observation = Some(Ok(Observation::Ready(restricted.clone()))));
    let operation = harness.create(&new).await;
    harness.assert_settled("restricted", &operation).await;
    let well = becomes(&harness, new.id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    assert_eq!((well.state, well.endpoint), (InstanceState::Running, Some(restricted)));
    assert!(well.connection_string.unwrap().contains("restricted.invalid"));
    harness.finish().await;
}

/// A death that the runtime saw shows at once, although the server answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_is_its_own_confirmation() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    becomes(&harness, id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    let death = Reason::new(ReasonCode::OutOfMemory, "killed");
    // A nudge may get lost, so it is said again; events tell whether it was seen.
    harness.runtime.die(id, death.clone());
    eventually("the death is in the samples", || async {
        samples(&harness, id).await.into_iter().find(|sample| sample.error == Some(death.clone()))
    })
    .await;
    becomes(&harness, id, "it is healthy again", |now| now.health == HealthStatus::Healthy).await;
    harness.finish().await;
}

/// More checks than fit into one execution, by one workflow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loop_goes_on_over_executions() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let workflow = harness.instance(id).await.health_check_orchestration_id;
    for _ in 0..12 {
        look(&harness, id).await;
    }
    assert_eq!(harness.instance(id).await.health_check_orchestration_id, workflow);
    assert!(harness.client.list_executions(&workflow.unwrap()).await.unwrap().len() > 1);
    harness.assert_workflows("over executions", id).await;
    harness.finish().await;
}

/// Both activities of the loop repeated, late, failing and panicking, once each way; the loop goes on and tells the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_fail_once_run_twice_and_late() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    for step in ["health-check", "update-metadata/health"] {
        for fault in ["twice", "late", "retry", "broken", "lost", "panic"] {
            let new = harness.new_instance();
            let earlier: std::sync::Arc<std::sync::Mutex<Option<crate::harness::Call>>> = Default::default();
            harness.hooks.set(new.id, move |call| {
                let earlier = earlier.clone();
                async move {
                    if fault == "late" {
                        let outcome = call.run().await;
                        let before = earlier.lock().unwrap().take();
                        if let Some(before) = before {
                            let _ = before.run().await;
                        }
                        if call.label == step {
                            *earlier.lock().unwrap() = Some(call);
                        }
                        return outcome;
                    }
                    if call.label != step || call.nth > 0 {
                        return call.run().await;
                    }
                    match fault {
                        "twice" => {
                            let _ = call.run().await;
                            call.run().await
                        }
                        "lost" => {
                            let _ = call.run().await;
                            Err("the worker fell over".to_owned())
                        }
                        "panic" => panic!("injected"),
                        kind => failure(kind),
                    }
                }
            });
            let operation = harness.create(&new).await;
            cases.push((format!("{step} {fault}"), new.id, operation));
        }
    }
    for (case, id, operation) in cases {
        assert_eq!(harness.over(&operation).await.status, OperationStatus::Succeeded, "{case}");
        let workflow = harness.instance(id).await.health_check_orchestration_id;
        becomes(&harness, id, &format!("{case}: it is healthy"), |now| now.health == HealthStatus::Healthy).await;
        look(&harness, id).await;
        assert_eq!(harness.instance(id).await.health_check_orchestration_id, workflow, "{case}: the same loop goes on");
        harness.assert_workflows(&case, id).await;
    }
    harness.finish().await;
}

/// A loop whose activities fail for good ends, and the sweeper starts the next, exactly one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_that_broke_is_replaced() {
    let harness = Harness::start().await;
    for fault in ["failed", "broken", "panic"] {
        let id = harness.running().await;
        let broken = harness.instance(id).await.health_check_orchestration_id.unwrap();
        harness.hooks.set(id, move |call| async move {
            match (call.label.as_str(), fault) {
                ("health-check", "panic") => panic!("injected"),
                ("health-check", kind) => failure(kind),
                _ => call.run().await,
            }
        });
        harness.engine.nudge(&broken, "").await.unwrap();
        // Not merely none that lives: its start may still be under way.
        eventually("the loop ended", || async { harness.engine.stand(&broken).await.ok().filter(|stand| *stand == Stand::Over) }).await;
        harness.hooks.clear(id);
        let (one, other) = futures::join!(harness.sweep(), harness.sweep());
        // The second may start what the first has started and the engine not yet taken up: the same id, so the same loop.
        assert!(one.health_checks + other.health_checks >= 1, "{fault}");
        harness.assert_workflows(fault, id).await;
        assert_ne!(harness.instance(id).await.health_check_orchestration_id, Some(broken));
        look(&harness, id).await;
    }
    harness.finish().await;
}

/// A check that comes late neither revives a deleted instance nor says anything about it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_check_changes_nothing() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let (calls, seen) = (std::sync::Arc::new(std::sync::Mutex::new(Vec::<crate::harness::Call>::new())), harness.runtime.clone());
    let kept = calls.clone();
    harness.hooks.set(id, move |call| {
        let kept = kept.clone();
        async move {
            kept.lock().unwrap().push(call.clone());
            call.run().await
        }
    });
    seen.die(id, Reason::new(ReasonCode::ProcessExited, "gone"));
    eventually("a change of health was written", || async {
        calls.lock().unwrap().iter().any(|call| call.label == "update-metadata/health").then_some(())
    })
    .await;
    harness.runtime.behave(id, |it| it.observation = Some(Ok(Observation::Pending(crate::double::pending()))));
    let deletion = harness.delete(id).await;
    harness.assert_settled("deleted", &deletion).await;
    harness.hooks.clear(id);
    let before = (harness.instance(id).await, samples(&harness, id).await.len());
    let late = std::mem::take(&mut *calls.lock().unwrap());
    for call in late {
        let _ = call.run().await;
    }
    let after = (harness.instance(id).await, samples(&harness, id).await.len());
    assert_eq!((after.0.state, after.0.revision, after.1), (InstanceState::Deleted, before.0.revision, before.1));
    tokio::time::timeout(Duration::from_secs(30), harness.finish()).await.unwrap();
}

/// Nobody listens at the instance's address for just one check: it is recorded, and nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_refused_connection_is_no_outage() {
    let harness = Harness::start().await;
    let way = Way::to(harness.database.endpoint()).await;
    let mut new = harness.new_instance();
    new.spec.health_check.interval_seconds = 3600;
    harness.runtime.behave(new.id, |it| it.observation = Some(Ok(Observation::Ready(way.endpoint.clone()))));
    // Each check waits for leave.
    let leave = Arc::new(Semaphore::new(1));
    let waits = leave.clone();
    harness.hooks.set(new.id, move |call| {
        let leave = waits.clone();
        async move {
            if call.label == "health-check" {
                leave.acquire().await.unwrap().forget();
            }
            call.run().await
        }
    });
    let operation = harness.create(&new).await;
    harness.over(&operation).await;
    let before = becomes(&harness, new.id, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
    let way = way.closed().await;
    leave.add_permits(1);
    harness.engine.nudge(&before.health_check_orchestration_id.clone().unwrap(), "").await.unwrap();
    let refused = eventually("a failed check", || async { samples(&harness, new.id).await.into_iter().find(|it| it.error.is_some()) }).await;
    assert_eq!(refused.error.unwrap().code, ReasonCode::ConnectionRefused);
    let _way = way.open().await;
    leave.add_permits(1);
    eventually("a check that went well", || async { Some(samples(&harness, new.id).await).filter(|all| all[0].status == HealthStatus::Healthy) })
        .await;
    let after = harness.instance(new.id).await;
    assert_eq!((after.health, after.revision), (HealthStatus::Healthy, before.revision), "nobody heard of it");
    harness.finish().await;
}

/// A way to an instance that can be closed and opened again: a port that passes connections on.
struct Way {
    endpoint: Endpoint,
    to: Endpoint,
    at_work: JoinHandle<()>,
}

struct Closed {
    endpoint: Endpoint,
    to: Endpoint,
}

impl Way {
    async fn to(to: Endpoint) -> Self {
        Closed { endpoint: Endpoint { host: "127.0.0.1".to_owned(), port: 0 }, to }.open().await
    }

    async fn closed(self) -> Closed {
        self.at_work.abort();
        let _ = self.at_work.await;
        Closed { endpoint: self.endpoint, to: self.to }
    }
}

impl Closed {
    async fn open(self) -> Way {
        let listener = TcpListener::bind((self.endpoint.host.as_str(), self.endpoint.port)).await.unwrap();
        let endpoint = Endpoint { port: listener.local_addr().unwrap().port(), ..self.endpoint };
        let to = self.to.clone();
        let at_work = tokio::spawn(async move {
            let mut passing = tokio::task::JoinSet::new();
            while let Ok((mut here, _)) = listener.accept().await {
                let mut there = TcpStream::connect((to.host.as_str(), to.port)).await.unwrap();
                passing.spawn(async move { tokio::io::copy_bidirectional(&mut here, &mut there).await });
            }
        });
        Way { endpoint, to: self.to, at_work }
    }
}
