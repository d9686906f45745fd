//! Activities fail, are lost and panic: once, and permanently.

use toygres_domain::{instance::ReasonCode, operation::OperationStatus};

use super::assert_saga;
use crate::support::{
    Example, FailureKind, Fault, Harness, Plan, Sample, Ways, by_shape, concurrently, crashes, each_shape, eventually, injected, is_exhaustive,
    reported,
};

/// More calls than one run makes before it fails.
const MANY: usize = 8;

/// The combinations of these steps and these faults.
fn cases<'a>(plan: &'a Plan, steps: &'a [String], ways: Ways) -> impl Iterator<Item = (&'a Plan, &'a str, Fault)> {
    steps.iter().flat_map(move |step| ways(step).into_iter().map(move |fault| (plan, step.as_str(), fault)))
}

/// After a temporary failure the operation succeeds; after a permanent one it fails with the reason, and nothing is left.
async fn once(harness: &Harness, plans: &[Plan], ways: Ways) {
    concurrently(plans.iter().flat_map(|plan| cases(plan, &plan.steps, ways)), async |(plan, step, fault)| {
        let case = format!("{plan}: {fault}");
        let example = plan.prepare(harness).await;
        harness.hooks.inject(example.instance, [fault.clone()]);
        example.accept(harness).await;
        let operation = assert_saga(harness, &case, &example).await;
        // If only the write of the success fails, the next run writes it.
        if fault.reports(FailureKind::Failed) && plan.can_fail() && step != plan.last() {
            assert_eq!((operation.status, operation.error), (OperationStatus::Failed, Some(injected())), "{case}");
        } else {
            assert_eq!(operation.status, OperationStatus::Succeeded, "{case}: {operation:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_report_a_failure_once() {
    let harness = Harness::start().await;
    once(&harness, &Plan::of(&harness, Sample::all()).await, reported).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_crash_once() {
    let harness = Harness::start().await;
    once(&harness, &Plan::of(&harness, Sample::all()).await, crashes).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_every_activity_may_report_a_failure_once() {
    let harness = Harness::start_on_postgres().await;
    once(&harness, &Plan::of(&harness, each_shape()).await, reported).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_every_activity_may_crash_once() {
    let harness = Harness::start_on_postgres().await;
    once(&harness, &Plan::of(&harness, each_shape()).await, crashes).await;
    harness.finish().await;
}

/// Waits for the end of an operation with a permanent fault. One that is retried ends at its deadline or, if it has none, when the
/// fault is removed.
async fn end(harness: &Harness, case: &str, example: &Example, step: &str) {
    let id = example.id();
    eventually(&format!("{case}: it ends or goes on"), || async {
        let now = harness.operation(&id).await;
        let goes_on = now.run > 2 || harness.hooks.count(example.instance, step) >= MANY;
        (now.status.is_terminal() || goes_on).then_some(())
    })
    .await;
    harness.expire(&id).await;
    harness.hooks.clear(example.instance);
    harness.finished(&id).await;
    // A health check whose start was lost with the report is started by the sweeper.
    harness.sweep().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_report_failures_for_good() {
    for_good(reported).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_crash_for_good() {
    for_good(crashes).await;
}

/// What each kind does after a failure of each activity, [`once`] shows; that a fault is repeated until the deadline is the same for all kinds
/// of one shape.
async fn for_good(ways: Ways) {
    let harness = Harness::start().await;
    let plans = Plan::of(&harness, by_shape()).await;
    concurrently(plans.iter().flat_map(|plan| cases(plan, &plan.steps, ways)), async |(plan, step, fault)| {
        let fault = fault.for_good();
        let case = format!("{plan}: {fault}");
        let example = plan.prepare(&harness).await;
        harness.hooks.inject(example.instance, [fault.clone()]);
        example.accept(&harness).await;
        end(&harness, &case, &example, step).await;
        let operation = assert_saga(&harness, &case, &example).await;
        let expected = match step == plan.last() {
            // The write has taken effect even if its report is lost.
            true if fault.does_its_work() => OperationStatus::Succeeded,
            // The fault may be removed in time for the run that writes the success, or only for the next one, which is after the
            // deadline.
            true if plan.can_fail() && operation.status == OperationStatus::Failed => {
                assert_eq!(operation.error.map(|error| error.code), Some(ReasonCode::DeadlineExceeded), "{case}");
                return;
            }
            false if plan.can_fail() => OperationStatus::Failed,
            _ => OperationStatus::Succeeded,
        };
        assert_eq!(operation.status, expected, "{case}: {operation:?}");
    })
    .await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_compensation_may_report_failures_too() {
    let harness = Harness::start().await;
    compensation(&harness, &Plan::of(&harness, by_shape()).await, reported).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_compensation_may_crash_too() {
    let harness = Harness::start().await;
    compensation(&harness, &Plan::of(&harness, by_shape()).await, crashes).await;
    harness.finish().await;
}

/// What is possible on a suspended instance fails there too, and leaves it suspended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_activity_may_fail_on_a_suspended_instance() {
    let harness = Harness::start().await;
    let plans = Plan::suspended(&harness).await;
    let ways: &[Ways] = if is_exhaustive() { &[reported, crashes] } else { &[reported] };
    for ways in ways.iter().copied() {
        once(&harness, &plans, ways).await;
        compensation(&harness, &plans, ways).await;
    }
    harness.finish().await;
}

/// The activities of the compensation fail too, once and permanently.
async fn compensation(harness: &Harness, plans: &[Plan], ways: Ways) {
    let faults = plans.iter().flat_map(|plan| cases(plan, &plan.compensation, ways));
    let faults = faults.flat_map(|(plan, step, fault)| [(plan, step, fault.clone()), (plan, step, fault.for_good())]);
    concurrently(faults, async |(plan, step, fault)| {
        let case = format!("{plan}: {fault}");
        let example = plan.prepare(harness).await;
        harness.hooks.inject(example.instance, [plan.failure(), fault.clone()]);
        example.accept(harness).await;
        end(harness, &case, &example, step).await;
        let operation = harness.assert_settled(&case, &example.id()).await;
        assert_eq!(operation.status, OperationStatus::Failed, "{case}");
        // The instance can still be deleted.
        let deletion = harness.delete(example.instance).await;
        let deleted = harness.assert_settled(&case, &deletion).await;
        assert_eq!(deleted.status, OperationStatus::Succeeded, "{case}");
        harness.assert_late_calls_change_nothing(&case, example.instance, &deletion).await;
    })
    .await;
}
