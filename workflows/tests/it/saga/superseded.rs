//! A deletion supersedes the operation before, during, after and long before every activity, including those of the compensation.

use std::sync::{Arc, Mutex};

use toygres_domain::{
    OperationId,
    operation::{OperationKind, OperationStatus, Params, delete},
    runtime::Runtime,
};
use toygres_store::{Store, Subject};

use super::assert_saga;
use crate::support::{DEADLINE, Example, Harness, Plan, Sample, by_shape, concurrently, each_shape, eventually, request, with_retry};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Point {
    Before,
    During,
    Behind,
    /// The activity starts its work after the deletion has removed everything.
    LongBefore,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_may_be_superseded_by_a_deletion_at_every_point() {
    let harness = Harness::start().await;
    deletions_at_every_point(&harness, by_shape()).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_every_operation_may_be_superseded_by_a_deletion_at_every_point() {
    let harness = Harness::start_on_postgres().await;
    deletions_at_every_point(&harness, each_shape()).await;
    harness.finish().await;
}

async fn deletions_at_every_point(harness: &Harness, samples: Vec<Sample>) {
    let plans = Plan::of(harness, samples).await;
    let points = [Point::Before, Point::During, Point::Behind, Point::LongBefore];
    let steps = plans.iter().flat_map(|plan| plan.steps.iter().chain(&plan.compensation).map(move |step| (plan, step)));
    let cases = steps.flat_map(|(plan, step)| points.map(|point| (plan, step, point)));
    concurrently(cases, async |(plan, step, point)| {
        let same = plan.sample.kind == OperationKind::Delete;
        if same && point == Point::LongBefore {
            return;
        }
        let case = format!("{plan} deleted {point:?} {step}");
        let example = plan.prepare(harness).await;
        let accepted = delete_at(harness, &example, plan, step, point);
        example.accept(harness).await;
        let accepted = eventually(&format!("{case}: a deletion is requested"), || async { accepted.lock().unwrap().clone() }).await;
        let Some(deletion) = accepted else {
            let may_be_deleted = same && matches!(point, Point::During | Point::Behind) && step == plan.last();
            assert!(may_be_deleted, "{case}: only what is deleted cannot be deleted");
            return;
        };
        assert_eq!(deletion == example.id(), same, "{case}: a deletion in progress is the one that is asked for");
        let deleted = harness.assert_settled(&case, &deletion).await;
        assert_eq!(deleted.status, OperationStatus::Succeeded, "{case}");
        assert!(harness.operation(&example.id()).await.status.is_terminal(), "{case}");
        harness.assert_no_outage(&case, example.instance).await;
        harness.assert_late_calls_change_nothing(&case, example.instance, &deletion).await;
        if same {
            assert_saga(harness, &case, &example).await;
        }
    })
    .await;
    let left = harness.runtime.list().await.unwrap().into_iter();
    let left: Vec<_> = futures::future::join_all(left.map(|id| async move { harness.instance(id).await })).await;
    assert!(left.iter().all(|instance| instance.deleted_at.is_none()), "nothing is left of what was deleted");
}

/// Requests a deletion at the first call of this activity. The result is the operation, or `None` if the request was rejected.
fn delete_at(harness: &Harness, example: &Example, plan: &Plan, step: &str, point: Point) -> Arc<Mutex<Option<Option<OperationId>>>> {
    let accepted = Arc::<Mutex<Option<Option<OperationId>>>>::default();
    let (store, id, step, answer) = (harness.store.clone(), example.instance, step.to_owned(), accepted.clone());
    let failure = plan.compensation.contains(&step).then(|| plan.failure());
    let hooks = harness.hooks.clone();
    harness.hooks.set(id, move |call| {
        let (store, answer, failure, hooks) = (store.clone(), answer.clone(), failure.clone(), hooks.clone());
        let meant = call.label == step && call.nth == 0;
        async move {
            if !meant {
                return match failure.filter(|fault| fault.concerns(&call)) {
                    Some(fault) => fault.apply(&call, &hooks).await,
                    None => call.run().await,
                };
            }
            let request = async {
                let deletion = delete(&store, id).await;
                *answer.lock().unwrap() = Some(deletion.clone());
                deletion
            };
            match point {
                Point::Before => {
                    request.await;
                    call.run().await
                }
                Point::During => futures::join!(call.run(), request).0,
                Point::Behind => {
                    let answer = call.run().await;
                    request.await;
                    answer
                }
                Point::LongBefore => {
                    let deletion = request.await.expect("it is accepted");
                    eventually("the deletion is finished", || async {
                        store.operation(&deletion).await.ok().flatten().filter(|operation| operation.status.is_terminal())
                    })
                    .await;
                    call.run().await
                }
            }
        }
    });
    accepted
}

async fn delete(store: &Store, id: toygres_domain::InstanceId) -> Option<OperationId> {
    let (params, request) = (Params::Delete(delete::Params::default()), request(DEADLINE));
    with_retry(|| store.accept(Subject::Existing(id), &params, &request)).await.ok().map(|accepted| accepted.operation.id)
}
