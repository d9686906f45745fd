//! The runtime is temporarily or permanently unavailable, or returns permanent errors.

use toygres_domain::{
    instance::{InstanceState, ReasonCode},
    operation::OperationStatus,
    runtime::RuntimeError,
};

use super::assert_saga;
use crate::support::{Example, Harness, Plan, Sample, away, concurrently, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_is_away_for_a_while_delays_every_operation_visibly() {
    let harness = Harness::start().await;
    concurrently(Sample::all(), async |sample| {
        let example = Example::prepare_as(&harness, sample).await;
        harness.runtime.script(example.instance, |script| script.error = Some((u32::MAX, away())));
        let id = example.accept(&harness).await;
        harness.shows(&id, "the host is away").await;
        harness.runtime.script(example.instance, |script| script.error = Some((8, away())));
        let operation = assert_saga(&harness, &sample.to_string(), &example).await;
        assert_eq!((operation.status, operation.run), (OperationStatus::Succeeded, 1), "{sample}");
        assert!(operation.steps.iter().any(|step| step.attempt > 8), "{sample}: each attempt is counted: {:?}", operation.steps);
    })
    .await;
    harness.finish().await;
}

/// An operation with a deadline fails at the deadline; one without reports the error on its instance until the runtime is
/// available.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_stays_away_ends_an_operation_at_its_deadline() {
    let harness = Harness::start().await;
    let plans = Plan::all(&harness).await;
    concurrently(&plans, async |plan| {
        let example = plan.prepare(&harness).await;
        harness.runtime.script(example.instance, |script| script.error = Some((u32::MAX, away())));
        let id = example.accept(&harness).await;
        harness.shows(&id, "the host is away").await;
        harness.expire(&id).await;
        if !plan.can_fail() {
            let why = away().reason;
            eventually("the instance shows it", || async { (harness.instance(example.instance).await.reason.as_ref() == Some(&why)).then_some(()) })
                .await;
            harness.runtime.script(example.instance, |script| script.error = None);
        }
        let operation = harness.assert_settled(&plan.to_string(), &id).await;
        if plan.can_fail() {
            assert_eq!((operation.status, operation.error.unwrap().code), (OperationStatus::Failed, ReasonCode::DeadlineExceeded), "{plan}");
        } else {
            assert_eq!(operation.status, OperationStatus::Succeeded, "{plan}");
        }
    })
    .await;
    harness.finish().await;
}

/// A permanent error fails the operation immediately with the reason; an operation that must not fail continues until it succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_refuses_ends_an_operation_at_once() {
    let harness = Harness::start().await;
    let plans = Plan::all(&harness).await;
    let refusal = || RuntimeError::permanent(ReasonCode::Forbidden, "not allowed");
    concurrently(&plans, async |plan| {
        let example = plan.prepare(&harness).await;
        harness.runtime.script(example.instance, |script| script.error = Some((u32::MAX, refusal())));
        let id = example.accept(&harness).await;
        if !plan.can_fail() {
            harness.shows(&id, "not allowed").await;
            let now =
                eventually("the instance shows it", || async { Some(harness.instance(example.instance).await).filter(|now| now.reason.is_some()) })
                    .await;
            assert_eq!((Some(now.state), now.reason.map(|reason| reason.code)), (plan.sample.kind.policy().during, Some(ReasonCode::Forbidden)));
            harness.runtime.script(example.instance, |script| script.error = None);
        }
        let operation = harness.assert_settled(&plan.to_string(), &id).await;
        if plan.can_fail() {
            let error = operation.error.unwrap();
            assert_eq!((operation.status, error.code), (OperationStatus::Failed, ReasonCode::Forbidden), "{plan}");
            assert!(error.message.starts_with("not allowed"), "{}", error.message);
        } else {
            assert_eq!(operation.status, OperationStatus::Succeeded, "{plan}");
            assert_eq!(harness.instance(example.instance).await.state, InstanceState::Deleted);
        }
    })
    .await;
    harness.finish().await;
}
