//! Retries from every failed state, while late activities of the former operation may still run.

use std::sync::{Arc, Mutex};

use toygres_domain::{
    instance::{InstanceState, Reason, ReasonCode},
    operation::OperationStatus,
    runtime::{Observation, RuntimeError},
};

use toygres_store::{Outcome, Reached};

use crate::support::{Call, DEADLINE, Harness, request, with_retry};

/// A creation that failed, was cancelled, or could not clean up is retried. Every activity of the first operation is repeated after
/// the second has created the instance.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_activities_of_a_failed_creation_do_not_harm_its_retry() {
    let harness = Harness::start().await;
    for end in ["failed", "cancelled", "not cleaned up"] {
        let new = harness.new_instance();
        harness.runtime.script(new.id, |script| {
            script.observation = Some(Ok(Observation::Failed(Reason::new(ReasonCode::ImagePullFailed, "no such image"))));
            if end == "cancelled" {
                script.pending = u32::MAX;
            }
            if end == "not cleaned up" {
                script.removal = Some(Err(RuntimeError::permanent(ReasonCode::Forbidden, "not allowed")));
            }
        });
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let kept = calls.clone();
        harness.hooks.set(new.id, move |call| {
            kept.lock().unwrap().push(call.clone());
            async move { call.run().await }
        });
        let first = harness.create(&new).await;
        if end == "cancelled" {
            with_retry(|| harness.store.cancel_operation(&first)).await.unwrap();
        }
        let done = harness.finished(&first).await;
        assert_eq!(done.status, if end == "cancelled" { OperationStatus::Cancelled } else { OperationStatus::Failed }, "{end}");
        harness.runtime.script(new.id, |script| *script = Default::default());
        harness.hooks.clear(new.id);
        let second = harness.store.retry_operation(&first, &request(DEADLINE)).await.expect("a failed creation can be retried").operation.id;
        harness.assert_settled(end, &second).await;
        let before = harness.instance(new.id).await;
        let late = std::mem::take(&mut *calls.lock().unwrap());
        assert!(late.iter().any(|call| call.label == "delete-postgres/clean-up"), "{end}");
        for call in late {
            let _ = call.run().await;
        }
        let after = harness.instance(new.id).await;
        assert_eq!((after.state, harness.runtime.exists(new.id)), (InstanceState::Running, true), "{end}");
        assert_eq!(after.endpoint, before.endpoint, "{end}");
        assert_eq!(harness.operation(&first).await.steps, done.steps, "{end}: the record of the first is closed");
        harness.assert_settled(end, &second).await;
        // Neither a successful operation nor an earlier one can be retried.
        for operation in [&first, &second] {
            assert!(harness.store.retry_operation(operation, &request(DEADLINE)).await.is_err(), "{end}");
        }
    }
    harness.finish().await;
}

/// Workflows and callers write the same rows concurrently. They lock the rows in the same order, so there are no deadlocks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workflows_and_callers_do_not_deadlock() {
    let harness = Harness::start().await;
    harness.stop_dispatching();
    let why = Reason::new(ReasonCode::StartingUp, "waiting");
    for round in 0..30 {
        let new = harness.new_instance();
        let creation = harness.create(&new).await;
        let id = new.id;
        let noting = async {
            for _ in 0..4 {
                match harness.store.note_waiting(&creation, 1, &why).await {
                    Ok(()) | Err(toygres_domain::Error::Superseded) => {}
                    Err(error) => panic!("round {round}: {error:?}"),
                }
            }
        };
        let cancelling = async {
            match harness.store.cancel_operation(&creation).await {
                Ok(_) | Err(toygres_domain::Error::User(_)) => {}
                Err(error) => panic!("round {round}: {error:?}"),
            }
        };
        let reached = Reached { endpoint: harness.runtime.endpoint(), connection_string: "postgresql://x".to_owned() };
        let finishing = async {
            match harness.store.finish(&creation, 1, &Outcome::Succeeded(Some(reached))).await {
                Ok(_) | Err(toygres_domain::Error::Superseded) => {}
                Err(error) => panic!("round {round}: {error:?}"),
            }
        };
        let failing = async {
            match harness.store.finish(&creation, 1, &Outcome::Failed(why.clone())).await {
                Ok(_) | Err(toygres_domain::Error::Superseded) => {}
                Err(error) => panic!("round {round}: {error:?}"),
            }
        };
        futures::join!(noting, harness.delete(id), cancelling, finishing, failing);
        assert_eq!(harness.instance(id).await.state, InstanceState::Deleting);
    }
    harness.finish().await;
}
