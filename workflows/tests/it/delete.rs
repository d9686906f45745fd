//! DeleteInstance.

use toygres_domain::{
    UserErrorCode,
    instance::{InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, StepName},
    runtime::{Observation, Progress, RuntimeError},
};

use crate::harness::{DEADLINE, Harness, delete, eventually, failure, request};

const STEPS: [&str; 3] = ["update-metadata/deleting", "delete-postgres", "update-metadata/deleted"];

/// From every state, and every activity twice and late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_run_twice_and_late() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    let mut running = harness.running_many(2 * STEPS.len()).await.into_iter();
    for late in [false, true] {
        for step in STEPS {
            let id = running.next().unwrap();
            let earlier: std::sync::Arc<std::sync::Mutex<Option<crate::harness::Call>>> = Default::default();
            harness.hooks.set(id, move |call| {
                let earlier = earlier.clone();
                async move {
                    let outcome = call.run().await;
                    let before = earlier.lock().unwrap().take();
                    if let Some(before) = before {
                        let _ = before.run().await;
                    }
                    if call.label == step {
                        if !late {
                            return call.run().await;
                        }
                        *earlier.lock().unwrap() = Some(call);
                    }
                    outcome
                }
            });
            cases.push((format!("{step} {}", if late { "late" } else { "twice" }), harness.delete(id).await));
        }
    }
    for (case, operation) in cases {
        harness.assert_settled(&case, &operation).await;
        assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded, "{case}");
    }
    harness.finish().await;
}

/// Every activity fails, once and for good, and afterwards the deletion can be asked for again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_fail_and_the_deletion_be_repeated() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    let mut running = harness.running_many(9 * STEPS.len()).await.into_iter();
    for step in STEPS {
        for fault in ["retry", "broken", "failed", "lost", "panic"] {
            for once in [true, false] {
                if fault == "retry" && !once {
                    continue;
                }
                let id = running.next().unwrap();
                harness.hooks.set(id, move |call| async move {
                    if call.label != step || (once && call.nth > 0) {
                        return call.run().await;
                    }
                    match fault {
                        "lost" => {
                            let _ = call.run().await;
                            Err("the worker fell over".to_owned())
                        }
                        "panic" => panic!("injected"),
                        kind => failure(kind),
                    }
                });
                cases.push((step, fault, once, harness.delete(id).await));
            }
        }
    }
    for (step, fault, once, operation) in cases {
        let case = format!("{step} {fault} {}", if once { "once" } else { "for good" });
        harness.assert_settled(&case, &operation).await;
        let over = harness.operation(&operation).await;
        let fails = fault == "failed" || (!once && (step != "update-metadata/deleted" || fault != "lost"));
        assert_eq!(over.status, if fails { OperationStatus::Failed } else { OperationStatus::Succeeded }, "{case}: {over:?}");
        if fails {
            harness.hooks.clear(over.instance);
            let again = harness.store.retry_operation(&operation, &request(DEADLINE)).await.expect("a failed deletion can be retried").operation.id;
            harness.assert_settled(&case, &again).await;
            assert_eq!(harness.operation(&again).await.status, OperationStatus::Succeeded, "{case}");
        }
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runtime_may_fail_in_every_way() {
    let harness = Harness::start().await;
    let passing = || RuntimeError::temporary(ReasonCode::RuntimeUnavailable, "the host is away");
    let still = |message: &str| Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, message));

    let away = harness.running().await;
    harness.runtime.behave(away, |it| it.removal = Some(Err(passing())));
    let away_operation = harness.delete(away).await;
    let hangs = harness.running().await;
    harness.runtime.behave(hangs, |it| it.removal = Some(Ok(still("a volume hangs"))));
    let hangs = harness.delete(hangs).await;
    let refused = harness.running().await;
    harness.runtime.behave(refused, |it| it.removal = Some(Err(RuntimeError::permanent(ReasonCode::Forbidden, "not allowed"))));
    let refused = harness.delete(refused).await;
    let slow = harness.running().await;
    harness.runtime.behave(slow, |it| it.removing = 10);
    let slow = harness.delete(slow).await;

    let step = eventually("the second attempt is visible", || async {
        harness.operation(&away_operation).await.steps.into_iter().find(|step| step.name == StepName::DeletePostgres && step.attempt > 1)
    })
    .await;
    assert_eq!(step.error.unwrap().message, "the host is away");
    harness.runtime.behave(away, |it| it.removal = None);
    harness.assert_settled("away", &away_operation).await;
    assert_eq!(harness.operation(&away_operation).await.status, OperationStatus::Succeeded);

    harness.assert_settled("slow", &slow).await;
    let slow = harness.operation(&slow).await;
    let attempts = slow.steps.iter().find(|step| step.name == StepName::DeletePostgres).unwrap().attempt;
    assert_eq!((slow.status, attempts), (OperationStatus::Succeeded, 1), "looking again is no new attempt");
    eventually("what is left is shown", || async {
        let steps = harness.operation(&hangs).await.steps;
        steps.into_iter().find(|step| step.error.as_ref().is_some_and(|error| error.message == "a volume hangs"))
    })
    .await;
    harness.expire(&hangs).await;
    for (case, operation, code, said) in
        [("hangs", hangs, ReasonCode::DeadlineExceeded, "a volume hangs"), ("refused", refused, ReasonCode::Forbidden, "not allowed")]
    {
        harness.assert_settled(case, &operation).await;
        let over = harness.operation(&operation).await;
        let error = over.error.unwrap();
        assert_eq!((over.status, error.code), (OperationStatus::Failed, code), "{case}");
        assert!(error.message.contains(said), "{case}: {}", error.message);
        harness.runtime.behave(over.instance, |it| it.removal = None);
        let again = harness.delete(over.instance).await;
        harness.assert_settled(case, &again).await;
    }
    harness.finish().await;
}

/// A deletion works in every state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_works_in_every_state() {
    let harness = Harness::start().await;
    let failed = harness.new_instance();
    harness.runtime.behave(failed.id, |it| it.observation = Some(Ok(Observation::Failed(Reason::new(ReasonCode::OutOfMemory, "no memory")))));
    let operation = harness.create(&failed).await;
    harness.assert_settled("failed", &operation).await;
    let deletion = harness.delete(failed.id).await;
    harness.assert_settled("failed", &deletion).await;
    // A second request is the first; behind the end it is a conflict.
    let running = harness.running().await;
    let first = harness.delete(running).await;
    let second = delete(&harness.store, running, DEADLINE).await.operation.id;
    assert_eq!(first, second);
    harness.assert_settled("running", &first).await;
    let refused = harness.store.delete_instance(running, false, None, &request(DEADLINE)).await;
    assert!(matches!(refused, Err(toygres_domain::Error::User(errors)) if errors[0].code == UserErrorCode::Conflict));
    harness.finish().await;
}

/// Cancelled before anything was removed, the instance is what it was, and gets its health check again; afterwards it is a
/// conflict.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_may_be_cancelled_until_removal_has_begun() {
    let harness = Harness::start().await;
    for (step, behind) in
        [("update-metadata/deleting", false), ("update-metadata/deleting", true), ("delete-postgres", false), ("delete-postgres", true)]
    {
        let case = format!("{} {step}", if behind { "behind" } else { "before" });
        let id = harness.running().await;
        let before = harness.instance(id).await;
        let (store, sent) = (harness.store.clone(), std::sync::Arc::new(tokio::sync::Notify::new()));
        let answer: std::sync::Arc<std::sync::Mutex<Option<bool>>> = Default::default();
        let (answer_there, sent_there) = (answer.clone(), sent.clone());
        harness.hooks.set(id, move |call| {
            let (store, answer, sent) = (store.clone(), answer_there.clone(), sent_there.clone());
            async move {
                if call.label != step || call.nth > 0 {
                    return call.run().await;
                }
                let outcome = if behind { Some(call.run().await) } else { None };
                let operation = toygres_domain::OperationId::new(toygres_domain::operation::OperationKind::Delete, id, 2);
                *answer.lock().unwrap() = Some(store.request_cancel(&operation).await.is_ok());
                sent.notify_one();
                match outcome {
                    Some(outcome) => outcome,
                    None => call.run().await,
                }
            }
        });
        let operation = harness.delete(id).await;
        sent.notified().await;
        let accepted = answer.lock().unwrap().unwrap();
        assert_eq!(accepted, !(step == "delete-postgres" && behind), "{case}");
        let over = harness.over(&operation).await;
        if !accepted {
            harness.assert_settled(&case, &operation).await;
            continue;
        }
        assert_eq!((over.status, over.error.unwrap().code), (OperationStatus::Cancelled, ReasonCode::Cancelled), "{case}");
        let now = harness.instance(id).await;
        assert_eq!((now.state, now.reason, now.connection_string), (InstanceState::Running, None, before.connection_string), "{case}");
        harness.sweep().await;
        eventually("the workflows of the deletion are over", || async { (harness.live(id).await.len() == 1).then_some(()) }).await;
        harness.assert_workflows(&case, id).await;
        assert!(harness.runtime.stands(id), "{case}");
        let again = harness.delete(id).await;
        harness.assert_settled(&case, &again).await;
    }
    // An instance that had failed fails again, for the reason it had.
    let failed = harness.new_instance();
    let reason = Reason::new(ReasonCode::OutOfMemory, "no memory");
    harness.runtime.behave(failed.id, |it| it.observation = Some(Ok(Observation::Failed(reason.clone()))));
    let creation = harness.create(&failed).await;
    harness.over(&creation).await;
    harness.hooks.set(failed.id, {
        let store = harness.store.clone();
        move |call| {
            let store = store.clone();
            async move {
                if call.label == "update-metadata/deleting" {
                    let operation = toygres_domain::OperationId::new(toygres_domain::operation::OperationKind::Delete, failed.id, 2);
                    let _ = store.request_cancel(&operation).await;
                }
                call.run().await
            }
        }
    });
    let deletion = harness.delete(failed.id).await;
    assert_eq!(harness.over(&deletion).await.status, OperationStatus::Cancelled);
    let now = harness.instance(failed.id).await;
    assert_eq!((now.state, now.reason), (InstanceState::Failed, Some(reason)));
    harness.finish().await;
}
