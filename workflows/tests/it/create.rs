//! CreateInstance.

use std::sync::{Arc, Mutex};

use toygres_domain::{
    instance::{InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, StepName, StepStatus},
    runtime::{Observation, Progress, RuntimeError},
};

use crate::harness::{Call, Harness, Outcome, delete, eventually, failure};

/// The activities of a creation that works, in order.
pub const STEPS: [&str; 4] = ["deploy-postgres", "get-instance-status", "generate-connection-string", "update-metadata/running"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_ends_running_with_one_health_check() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    let operation = harness.create(&new).await;
    harness.assert_settled("plain", &operation).await;
    let done = harness.operation(&operation).await;
    assert_eq!(done.status, OperationStatus::Succeeded);
    assert!(done.steps.iter().all(|step| step.status == StepStatus::Succeeded && step.attempt == 1), "{:?}", done.steps);
    let instance = harness.instance(new.id).await;
    assert_eq!(instance.endpoint, Some(harness.runtime.endpoint()));
    assert!(!instance.connection_string.unwrap().contains("right-password"));
    harness.finish().await;
}

/// Every activity runs twice in a row, and again behind the one that came after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_run_twice_and_late() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    for late in [false, true] {
        for step in STEPS.into_iter().chain(["all"]) {
            let new = harness.new_instance();
            let earlier: Arc<Mutex<Vec<Call>>> = Arc::default();
            harness.hooks.set(new.id, move |call| {
                let earlier = earlier.clone();
                async move {
                    if call.label == "update-metadata/settle" || call.label == "health-check" {
                        return call.run().await;
                    }
                    let outcome = call.run().await;
                    let meant = step == "all" || call.label == step;
                    if late {
                        // Everything that came before comes again, after its successor.
                        let before = std::mem::take(&mut *earlier.lock().unwrap());
                        for call in before {
                            let _ = call.run().await;
                        }
                        if meant {
                            earlier.lock().unwrap().push(call);
                        }
                        outcome
                    } else if meant {
                        let again = call.run().await;
                        assert_eq!(again.is_ok(), outcome.is_ok(), "{}: {again:?} after {outcome:?}", call.label);
                        again
                    } else {
                        outcome
                    }
                }
            });
            cases.push((format!("{step} {}", if late { "late" } else { "twice" }), harness.create(&new).await, new.id));
        }
    }
    for (case, operation, id) in cases {
        harness.assert_settled(&case, &operation).await;
        assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded, "{case}");
        harness.hooks.clear(id);
    }
    harness.finish().await;
}

/// What is done to one activity.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// It reports a failure of this kind instead of doing anything.
    Fails(&'static str),
    /// It does its work, and the report is lost.
    Lost,
    /// It panics before its work, within the hook: the engine itself has to cope.
    Panics,
    /// It panics after its work.
    PanicsAfter,
}

async fn suffer(fault: Fault, call: &Call) -> Outcome {
    match fault {
        Fault::Fails(kind) => failure(kind),
        Fault::Lost => {
            let _ = call.run().await;
            Err("the worker fell over".to_owned())
        }
        Fault::Panics => panic!("injected"),
        Fault::PanicsAfter => {
            let _ = call.run().await;
            panic!("injected")
        }
    }
}

const FAULTS: [Fault; 6] = [Fault::Fails("retry"), Fault::Fails("broken"), Fault::Fails("failed"), Fault::Lost, Fault::Panics, Fault::PanicsAfter];

/// Every activity fails once, in every way. A passing failure ends well, a lasting one with a clean slate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_fail_once() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    for step in STEPS {
        for fault in FAULTS {
            let new = harness.new_instance();
            harness.hooks.set(new.id, move |call| async move {
                if call.label == step && call.nth == 0 { suffer(fault, &call).await } else { call.run().await }
            });
            cases.push((step, fault, harness.create(&new).await));
        }
    }
    for (step, fault, operation) in cases {
        let case = format!("{step} {fault:?} once");
        harness.assert_settled(&case, &operation).await;
        let over = harness.operation(&operation).await;
        let expected = if fault == Fault::Fails("failed") { OperationStatus::Failed } else { OperationStatus::Succeeded };
        assert_eq!(over.status, expected, "{case}: {over:?}");
        if expected == OperationStatus::Failed {
            assert_eq!(over.error, Some(Reason::new(ReasonCode::DiskFull, "injected")), "{case}");
        }
    }
    harness.finish().await;
}

/// Every activity fails for good, in every way; passing failures until the deadline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_fail_for_good() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    for step in STEPS {
        for fault in FAULTS {
            let new = harness.new_instance();
            // A passing failure is repeated until the real activity, asked again, sees the deadline; so the fault is in the
            // runtime then, and has a test of its own.
            if fault == Fault::Fails("retry") {
                continue;
            }
            harness.hooks.set(new.id, move |call| async move { if call.label == step { suffer(fault, &call).await } else { call.run().await } });
            cases.push((step, fault, harness.create(&new).await));
        }
    }
    for (step, fault, operation) in cases {
        let case = format!("{step} {fault:?} for good");
        // An instance whose last write was made is running, whatever became of the reports; only its health check has to be
        // started by the sweeper then.
        let written = step == "update-metadata/running" && matches!(fault, Fault::Lost | Fault::PanicsAfter);
        if written {
            harness.over(&operation).await;
            harness.sweep().await;
        }
        harness.assert_settled(&case, &operation).await;
        let over = harness.operation(&operation).await;
        assert_eq!(over.status, if written { OperationStatus::Succeeded } else { OperationStatus::Failed }, "{case}: {over:?}");
    }
    harness.finish().await;
}

/// The clean-up and the write of the failure are activities too, and fail, once and for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_undoing_may_fail_too() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    for step in ["delete-postgres/clean-up", "update-metadata/failed"] {
        for fault in FAULTS {
            for once in [true, false] {
                if !once && fault == Fault::Fails("retry") {
                    continue;
                }
                let new = harness.new_instance();
                harness
                    .runtime
                    .behave(new.id, |it| it.observation = Some(Ok(Observation::Failed(Reason::new(ReasonCode::ImagePullFailed, "no such image")))));
                harness.hooks.set(new.id, move |call| async move {
                    if call.label == step && (!once || call.nth == 0) { suffer(fault, &call).await } else { call.run().await }
                });
                cases.push((step, fault, once, harness.create(&new).await));
            }
        }
    }
    // Writing the failure in vain for good is ended by the monitor, behind the deadline.
    for (step, _, once, operation) in &cases {
        if *step == "update-metadata/failed" && !once {
            let id = harness.operation(operation).await.instance;
            eventually("the failure was to be written", || async { (harness.hooks.count(id, step) > 0).then_some(()) }).await;
            harness.expire(operation).await;
        }
    }
    for (step, fault, once, operation) in cases {
        let case = format!("{step} {fault:?} {}", if once { "once" } else { "for good" });
        let over = harness.over(&operation).await;
        let instance = harness.instance(over.instance).await;
        assert_eq!((over.status, instance.state), (OperationStatus::Failed, InstanceState::Failed), "{case}");
        assert_eq!(instance.reason, over.error, "{case}");
        let message = over.error.unwrap().message;
        assert!(message.contains("no such image"), "{case}: the reason is kept: {message}");
        let removed =
            step != "delete-postgres/clean-up" || (once && fault != Fault::Fails("failed")) || matches!(fault, Fault::Lost | Fault::PanicsAfter);
        assert_eq!(!harness.runtime.stands(instance.id), removed, "{case}");
        assert!(removed || message.contains("cleaning up failed too"), "{case}: {message}");
        harness.assert_workflows(&case, instance.id).await;
        // And there is a way out.
        harness.hooks.clear(instance.id);
        let deletion = harness.delete(instance.id).await;
        harness.assert_settled(&case, &deletion).await;
    }
    harness.finish().await;
}

/// What the runtime can answer, and what has to come of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runtime_may_fail_in_every_way() {
    let harness = Harness::start().await;
    let passing = || RuntimeError::temporary(ReasonCode::RuntimeUnavailable, "the host is away");

    // A host that is away for a while holds a creation up, and shows why, but does not end it.
    let away = harness.new_instance();
    harness.runtime.behave(away.id, |it| it.deployments = vec![passing(); 8]);
    let away = harness.create(&away).await;
    // A host that stays away ends it at the deadline.
    let gone = harness.new_instance();
    harness.runtime.behave(gone.id, |it| it.deployments = vec![passing(); 100_000]);
    let gone = harness.create(&gone).await;
    // So does an instance that never comes up,
    let slow = harness.new_instance();
    harness.runtime.behave(slow.id, |it| it.pending = u32::MAX);
    let slow = harness.create(&slow).await;
    // or cannot be looked at.
    let hidden = harness.new_instance();
    harness.runtime.behave(hidden.id, |it| it.observation = Some(Err(passing())));
    let hidden = harness.create(&hidden).await;
    // What cannot work ends at once.
    let refused = harness.new_instance();
    harness.runtime.behave(refused.id, |it| it.deployments = vec![RuntimeError::permanent(ReasonCode::QuotaExceeded, "no more room")]);
    let refused = harness.create(&refused).await;
    // A clean-up that never ends is given up, and the reason says so.
    let sticky = harness.new_instance();
    harness.runtime.behave(sticky.id, |it| {
        it.observation = Some(Ok(Observation::Failed(Reason::new(ReasonCode::ImagePullFailed, "no such image"))));
        it.removal = Some(Ok(Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, "a volume hangs"))));
    });
    let sticky_id = sticky.id;
    let sticky = harness.create(&sticky).await;
    // A wrong password cannot work either.
    let mut stranger = harness.new_instance();
    stranger.password = toygres_domain::secret::Secret::new("wrong-password".to_owned());
    let stranger = harness.create(&stranger).await;

    // Each shows what it waits for; then its deadline passes.
    for (operation, attempts, sign) in
        [(&gone, 6, "the host is away"), (&slow, 1, "the double is starting"), (&hidden, 2, "the host is away"), (&sticky, 1, "a volume hangs")]
    {
        eventually(&format!("{sign} is shown"), || async {
            let steps = harness.operation(operation).await.steps;
            steps.into_iter().find(|step| step.attempt >= attempts && step.error.as_ref().is_some_and(|error| error.message == sign))
        })
        .await;
        if operation == &sticky {
            let reason = harness.instance(sticky_id).await.reason;
            assert_eq!(reason.map(|reason| reason.message).as_deref(), Some("no such image"), "why it failed is told while it is cleaned up after");
        }
        harness.expire(operation).await;
    }

    harness.assert_settled("away", &away).await;
    let away = harness.operation(&away).await;
    assert_eq!((away.status, away.steps[0].attempt), (OperationStatus::Succeeded, 9));
    for (case, operation, code) in [
        ("gone", &gone, ReasonCode::DeadlineExceeded),
        ("slow", &slow, ReasonCode::DeadlineExceeded),
        ("hidden", &hidden, ReasonCode::DeadlineExceeded),
        ("refused", &refused, ReasonCode::QuotaExceeded),
        ("stranger", &stranger, ReasonCode::AuthenticationFailed),
    ] {
        harness.assert_settled(case, operation).await;
        assert_eq!(harness.operation(operation).await.error.map(|error| error.code), Some(code), "{case}");
    }
    let slow = harness.operation(&slow).await;
    assert!(slow.error.unwrap().message.contains("the double is starting"), "what it waited for is part of the reason");
    let gone = harness.operation(&gone).await;
    assert_eq!(gone.steps[0].error.as_ref().map(|error| error.message.as_str()), Some("the host is away"));
    assert!(gone.steps[0].attempt > 5, "{:?}", gone.steps[0]);

    let sticky = harness.over(&sticky).await;
    let error = sticky.error.unwrap();
    assert_eq!((sticky.status, error.code), (OperationStatus::Failed, ReasonCode::ImagePullFailed));
    assert!(error.message.contains("no such image") && error.message.contains("a volume hangs"), "{}", error.message);
    harness.assert_workflows("sticky", sticky_id).await;
    harness.finish().await;
}

/// Attempts and errors can be seen while the operation still tries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_attempt_is_visible_while_it_is_repeated() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    harness.runtime.behave(new.id, |it| it.deployments = vec![RuntimeError::temporary(ReasonCode::RuntimeUnavailable, "the host is away"); 100_000]);
    let operation = harness.create(&new).await;
    let step = eventually("a second attempt shows the error of the first", || async {
        let now = harness.operation(&operation).await;
        now.steps.into_iter().find(|step| step.name == StepName::DeployPostgres && step.attempt > 1 && step.error.is_some())
    })
    .await;
    assert_eq!(step.status, StepStatus::Running);
    assert_eq!(step.error.unwrap().message, "the host is away");
    harness.runtime.behave(new.id, |it| it.deployments.clear());
    harness.assert_settled("visible", &operation).await;
    assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded);
    harness.finish().await;
}

/// A panic of the runtime is an attempt like any other, and its text, which could hold anything, stays out of the history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_an_attempt_and_tells_nothing() {
    let harness = Harness::start().await;
    let (once, always) = (harness.new_instance(), harness.new_instance());
    harness.runtime.behave(once.id, |it| it.panics = Some((1, "hunter22")));
    harness.runtime.behave(always.id, |it| it.panics = Some((u32::MAX, "hunter22")));
    let (once, always) = (harness.create(&once).await, harness.create(&always).await);
    for (operation, status, attempts) in [(once, OperationStatus::Succeeded, 2), (always, OperationStatus::Failed, 3)] {
        harness.assert_settled("panic", &operation).await;
        let over = harness.operation(&operation).await;
        assert_eq!((over.status, over.steps[0].attempt), (status, attempts), "{over:?}");
        let history = harness.client.read_execution_history(&operation.engine_id(1), 1).await.unwrap();
        assert!(!format!("{history:?}{over:?}").contains("hunter22"), "{history:?}");
    }
    harness.finish().await;
}

/// What was deployed vanishes before it is ready: it is deployed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vanished_deployment_is_deployed_again() {
    let harness = Harness::start().await;
    for step in ["get-instance-status", "generate-connection-string"] {
        let new = harness.new_instance();
        let (runtime, id) = (harness.runtime.clone(), new.id);
        if step == "generate-connection-string" {
            // Nobody listens where it was.
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let elsewhere = toygres_domain::instance::Endpoint { host: "127.0.0.1".to_owned(), port };
            runtime.behave(id, |it| it.observation = Some(Ok(Observation::Ready(elsewhere))));
        }
        harness.hooks.set(new.id, move |call| {
            let runtime = runtime.clone();
            async move {
                if call.label == step && call.nth == 0 {
                    runtime.conjure(id, false);
                    runtime.behave(id, |it| it.observation = None);
                }
                call.run().await
            }
        });
        let operation = harness.create(&new).await;
        harness.assert_settled(step, &operation).await;
        assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded, "{step}");
        assert_eq!(harness.runtime.deployments(id), 2, "{step}");
    }
    harness.finish().await;
}

/// A caller cancels before, and behind, every activity.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_may_be_cancelled_at_every_point() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    for step in STEPS {
        for before in [true, false] {
            let new = harness.new_instance();
            let store = harness.store.clone();
            let operation = toygres_domain::OperationId::new(toygres_domain::operation::OperationKind::Create, new.id, 1);
            harness.hooks.set(new.id, {
                let operation = operation.clone();
                move |call| {
                    let (store, operation) = (store.clone(), operation.clone());
                    async move {
                        let meant = call.label == step && call.nth == 0;
                        if meant && before {
                            store.request_cancel(&operation).await.expect("a creation under way can be cancelled");
                        }
                        let outcome = call.run().await;
                        if meant && !before {
                            // Behind the last step there is nothing left to cancel.
                            let cancelled = store.request_cancel(&operation).await;
                            assert_eq!(cancelled.is_ok(), step != "update-metadata/running");
                        }
                        outcome
                    }
                }
            });
            assert_eq!(harness.create(&new).await, operation);
            cases.push((step, before, operation));
        }
    }
    // Before anybody took it up.
    let idle = harness.new_instance();
    let early = harness.create(&idle).await;
    let accepted = harness.store.request_cancel(&early).await.is_ok();
    for (step, before, operation) in cases {
        let case = format!("cancelled {} {step}", if before { "before" } else { "behind" });
        harness.assert_settled(&case, &operation).await;
        let over = harness.operation(&operation).await;
        if step == "update-metadata/running" && !before {
            assert_eq!(over.status, OperationStatus::Succeeded, "{case}");
        } else {
            assert_eq!((over.status, over.error.map(|error| error.code)), (OperationStatus::Cancelled, Some(ReasonCode::Cancelled)), "{case}");
        }
    }
    harness.assert_settled("early", &early).await;
    assert!(accepted && harness.operation(&early).await.status == OperationStatus::Cancelled);
    harness.finish().await;
}

/// A deletion comes before, during and behind every activity, those of the clean-up included.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_may_be_overtaken_by_a_deletion_at_every_point() {
    let harness = Harness::start().await;
    deletions_at_every_point(&harness).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_creation_may_be_overtaken_by_a_deletion_at_every_point() {
    let harness = Harness::start_on_postgres().await;
    deletions_at_every_point(&harness).await;
    harness.finish().await;
}

async fn deletions_at_every_point(harness: &Harness) {
    let mut cases = Vec::new();
    for step in STEPS.into_iter().chain(["delete-postgres/clean-up", "update-metadata/failed"]) {
        for when in ["before", "during", "behind", "long before"] {
            let new = harness.new_instance();
            let id = new.id;
            if step == "delete-postgres/clean-up" || step == "update-metadata/failed" {
                harness.runtime.behave(id, |it| it.observation = Some(Ok(Observation::Failed(Reason::new(ReasonCode::OutOfMemory, "no memory")))));
            }
            let deletion: Arc<Mutex<Option<toygres_domain::OperationId>>> = Arc::default();
            let store = harness.store.clone();
            harness.hooks.set(id, {
                let deletion = deletion.clone();
                move |call| {
                    let (store, deletion) = (store.clone(), deletion.clone());
                    async move {
                        if call.label != step || call.nth > 0 {
                            return call.run().await;
                        }
                        let begin = async {
                            let accepted = delete(&store, id, crate::harness::DEADLINE).await.operation.id;
                            *deletion.lock().unwrap() = Some(accepted.clone());
                            accepted
                        };
                        match when {
                            "before" => {
                                begin.await;
                                call.run().await
                            }
                            "during" => futures::join!(call.run(), begin).0,
                            "long before" => {
                                // It begins to work only when everything has been removed already.
                                let accepted = begin.await;
                                eventually("the deletion is over", || async {
                                    store.operation(&accepted).await.unwrap().filter(|it| it.status.is_terminal())
                                })
                                .await;
                                call.run().await
                            }
                            _ => {
                                let outcome = call.run().await;
                                begin.await;
                                outcome
                            }
                        }
                    }
                }
            });
            cases.push((format!("deleted {when} {step}"), harness.create(&new).await, deletion));
        }
    }
    for (case, creation, deletion) in cases {
        let id = eventually(&format!("{case}: the deletion is accepted"), || async { deletion.lock().unwrap().clone() }).await;
        harness.assert_settled(&case, &id).await;
        assert_eq!(harness.operation(&id).await.status, OperationStatus::Succeeded, "{case}");
        assert!(harness.operation(&creation).await.status.is_terminal(), "{case}");
    }
    // What came late came in vain.
    assert_eq!(toygres_domain::runtime::Runtime::list(&harness.runtime).await, Ok(Vec::new()), "nothing is left in the runtime");
}
