//! Activities run at least once: they are repeated immediately, and after their successors.

use toygres_domain::operation::{OperationStatus, StepName, StepStatus};

use super::assert_saga;
use crate::support::{EVERY, Harness, Plan, concurrently, late, twice};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_succeeds_at_the_first_attempt() {
    let harness = Harness::start().await;
    for plan in Plan::all(&harness).await {
        let case = plan.to_string();
        let example = plan.prepare(&harness).await;
        example.accept(&harness).await;
        let done = assert_saga(&harness, &case, &example).await;
        assert_eq!(done.status, OperationStatus::Succeeded, "{case}");
        // The plan in the API has the steps that are called.
        for step in &done.steps {
            if step.status == StepStatus::Skipped && plan.skips(step.name) {
                continue;
            }
            assert!(step.status == StepStatus::Succeeded && step.attempt == 1, "{case}: {step:?}");
            // The activity that removes closes the archive first.
            let activity = if step.name == StepName::CloseArchive { StepName::DeletePostgres } else { step.name }.as_str().replace('_', "-");
            assert!(plan.steps.iter().any(|label| label.starts_with(&activity)), "{case}: {activity} is not among {:?}", plan.steps);
        }
        assert_eq!(plan.last(), "update-metadata/succeeded", "{case}");
        assert_eq!(plan.compensation.last().map(String::as_str), plan.can_fail().then_some("update-metadata/failed"), "{case}");
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_run_twice_and_late() {
    let harness = Harness::start().await;
    let plans = Plan::all(&harness).await;
    let steps = plans.iter().flat_map(|plan| plan.steps.iter().map(String::as_str).chain([EVERY]).map(move |step| (plan, step)));
    let cases = steps.flat_map(|(plan, step)| [(plan, twice(step)), (plan, late(step))]);
    concurrently(cases, async |(plan, fault)| {
        let case = format!("{plan}: {fault}");
        let example = plan.prepare(&harness).await;
        harness.hooks.inject(example.instance, [fault]);
        example.accept(&harness).await;
        let operation = assert_saga(&harness, &case, &example).await;
        assert_eq!((operation.status, operation.run), (OperationStatus::Succeeded, 1), "{case}");
    })
    .await;
    harness.finish().await;
}
