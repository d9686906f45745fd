//! A caller cancels the operation, before and after every activity.

use std::sync::{Arc, Mutex};

use toygres_domain::{
    instance::ReasonCode,
    operation::{Cancellation, OperationStatus, StepName},
};

use super::assert_saga;
use crate::support::{Example, Harness, Plan, Variant, concurrently, eventually, with_retry};

/// Whether the policy allows a cancellation before (or after) the `index`th activity.
fn can_cancel(plan: &Plan, index: usize, behind: bool) -> bool {
    let at = |step: &str| plan.steps.iter().position(|label| label == step).expect("it is a step");
    let until = match plan.sample.kind.policy().cancellation {
        Cancellation::ByWorkflow => plan.steps.len() - 1,
        // It has nothing to confirm, so that a cancellation ends the waiting.
        _ if plan.sample.variant == Variant::Minor => plan.steps.len() - 1,
        // The activity that removes closes the archive first.
        Cancellation::Before(StepName::CloseArchive) => at("delete-postgres"),
        Cancellation::Before(step) | Cancellation::ByWorkflowBefore(step) => at(&step.as_str().replace('_', "-")),
    };
    if behind { index < until } else { index <= until }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_may_be_cancelled_at_every_point_that_its_policy_allows() {
    let harness = Harness::start().await;
    let plans = Plan::all(&harness).await;
    let cases = plans.iter().flat_map(|plan| (0..plan.steps.len()).flat_map(move |index| [(plan, index, false), (plan, index, true)]));
    concurrently(cases, async |(plan, index, behind)| {
        let step = plan.steps[index].clone();
        let case = format!("{plan} cancelled {} {step}", if behind { "behind" } else { "before" });
        let example = plan.prepare(&harness).await;
        let before = if example.is_creation() { None } else { Some(harness.instance(example.instance).await) };
        let accepted = cancel_at(&harness, &example, step, behind);
        example.accept(&harness).await;
        let accepted = eventually(&case, || async { *accepted.lock().unwrap() }).await;
        assert_eq!(accepted, can_cancel(plan, index, behind), "{case}");
        harness.finished(&example.id()).await;
        // A superseding operation has stopped the health check, and the sweeper starts the next one.
        harness.sweep().await;
        let operation = assert_saga(&harness, &case, &example).await;
        if !accepted {
            assert_eq!(operation.status, OperationStatus::Succeeded, "{case}");
            return;
        }
        assert_eq!((operation.status, operation.error.unwrap().code), (OperationStatus::Cancelled, ReasonCode::Cancelled), "{case}");
        if let Some(before) = before {
            let now = harness.instance(example.instance).await;
            assert_eq!((now.state, now.connection_string), (before.state, before.connection_string), "{case}: it is as it was");
            if !plan.sample.kind.policy().supersedes {
                let loops = (now.health_check_orchestration_id, before.health_check_orchestration_id);
                assert_eq!(loops.0, loops.1, "{case}: its health check goes on");
            }
        }
        // Afterwards the same operation can be requested again.
        if !example.is_creation() {
            let again = example.accept(&harness).await;
            assert_eq!(harness.assert_settled(&case, &again).await.status, OperationStatus::Succeeded, "{case}");
        }
    })
    .await;
    harness.finish().await;
}

/// Cancels the operation at its first call of this activity. The result is whether that was accepted.
fn cancel_at(harness: &Harness, example: &Example, step: String, behind: bool) -> Arc<Mutex<Option<bool>>> {
    let accepted = Arc::<Mutex<Option<bool>>>::default();
    let (store, operation, answer) = (harness.store.clone(), example.id(), accepted.clone());
    harness.hooks.set(example.instance, move |call| {
        let (store, operation, answer, meant) = (store.clone(), operation.clone(), answer.clone(), call.label == step && call.nth == 0);
        async move {
            let cancel = async || *answer.lock().unwrap() = Some(with_retry(|| store.cancel_operation(&operation)).await.is_ok());
            if meant && !behind {
                cancel().await;
            }
            let outcome = call.run().await;
            if meant && behind {
                cancel().await;
            }
            outcome
        }
    });
    accepted
}

/// An immediate cancellation may precede the dispatcher, or the workflow's first turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_may_be_cancelled_at_once() {
    let harness = Harness::start().await;
    let plans = Plan::all(&harness).await;
    concurrently(&plans, async |plan| {
        let example = plan.prepare(&harness).await;
        let id = example.accept(&harness).await;
        let cancelled = with_retry(|| harness.store.cancel_operation(&id)).await.is_ok();
        harness.finished(&id).await;
        harness.sweep().await;
        let operation = assert_saga(&harness, &format!("{plan} cancelled at once"), &example).await;
        assert_eq!(operation.status == OperationStatus::Cancelled, cancelled, "{operation:?}");
    })
    .await;
    harness.finish().await;
}
