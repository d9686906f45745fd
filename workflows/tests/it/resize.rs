//! Tests specific to ResizeInstance. Those for all operations are in [`crate::saga`].

use std::sync::Arc;

use tokio::sync::Notify;
use toygres_domain::{
    Error, InstanceId, UserErrorCode,
    instance::{InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, Params, StepName, StepStatus, resize},
    runtime::Observation,
};
use toygres_store::Subject;

use crate::support::{DEADLINE, Harness, eventually, fake_runtime::size_of};

fn params(cpu_millis: Option<i32>, memory_mb: Option<i32>, storage_gb: Option<i32>) -> Params {
    Params::Resize(resize::Params { cpu_millis, memory_mb, storage_gb, automatic: false })
}

/// What the request is refused with: the code and the field.
async fn refused(harness: &Harness, id: InstanceId, params: &Params) -> (UserErrorCode, String) {
    match harness.try_accept(Subject::Existing(id), params, DEADLINE).await {
        Err(Error::User(errors)) => (errors[0].code, errors[0].field.join(".")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_row_has_the_new_size_when_the_resize_has_succeeded() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    harness.runtime.hold(id);
    let operation = harness.accept(Subject::Existing(id), params(Some(300), None, Some(3))).await;
    harness.shows(&operation, "the volume is growing").await;
    assert_eq!(size_of(&harness.instance(id).await.spec), (100, 128, 1), "it has not succeeded yet");
    harness.runtime.release(id);
    assert_eq!(harness.assert_settled("resize", &operation).await.status, OperationStatus::Succeeded);
    assert_eq!(size_of(&harness.instance(id).await.spec), (300, 128, 3));
    assert_eq!(harness.runtime.size(id), Some((300, 128, 3)));

    assert_eq!(refused(&harness, id, &params(Some(400), None, Some(2))).await, (UserErrorCode::Invalid, "storageGb".to_owned()));
    assert_eq!(refused(&harness, id, &params(Some(300), None, None)).await, (UserErrorCode::Invalid, "id".to_owned()));
    harness.finish().await;
}

/// An autoscaler may add a node, so it waits for a while; then the former size is put back, and the volume stays as it has grown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_finds_no_node_is_rolled_back() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    let waits = Reason::new(ReasonCode::Unschedulable, "0/3 nodes are available: 3 Insufficient cpu");
    harness.runtime.script(id, |script| script.unschedulable_above = Some((1000, waits.clone())));
    let operation = harness.accept(Subject::Existing(id), params(Some(64_000), Some(256), Some(2))).await;
    let failed = harness.assert_settled("resize", &operation).await;
    assert_eq!((failed.status, failed.error.as_ref()), (OperationStatus::Failed, Some(&waits)));
    let steps: Vec<_> = failed.steps.iter().map(|step| (step.name, step.status)).collect();
    assert!(steps.contains(&(StepName::RollBack, StepStatus::Succeeded)), "{steps:?}");
    let instance = harness.instance(id).await;
    assert_eq!((instance.state, size_of(&instance.spec)), (InstanceState::Running, (100, 128, 2)));
    // The same again, for what is left to do.
    harness.runtime.script(id, |script| script.unschedulable_above = None);
    let again = harness.store.retry_operation(&operation, &crate::support::request(DEADLINE)).await.unwrap().operation.id;
    assert_eq!(harness.assert_settled("again", &again).await.status, OperationStatus::Succeeded);
    assert_eq!(size_of(&harness.instance(id).await.spec), (64_000, 256, 2));
    harness.finish().await;
}

/// A server that was down before is down after a rollback: the operation does not wait for what does not come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_does_not_wait_for_a_crash_loop_to_end() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    let crashes = Reason::new(ReasonCode::CrashLoop, "it exits repeatedly");
    harness.runtime.script(id, |script| script.observation = Some(Ok(Observation::Failed(crashes.clone()))));
    let operation = harness.accept(Subject::Existing(id), params(None, Some(256), None)).await;
    let failed = harness.assert_settled("resize", &operation).await;
    assert_eq!((failed.status, failed.error), (OperationStatus::Failed, Some(crashes)));
    harness.runtime.script(id, |script| script.observation = None);
    harness.finish().await;
}

/// The workflow is lost while it rolls back. The next run continues with that, although by now the new size would have room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_workflow_continues_its_rollback() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    let waits = Reason::new(ReasonCode::Unschedulable, "no node has room");
    harness.runtime.script(id, |script| script.unschedulable_above = Some((1000, waits.clone())));
    let lost = Arc::new(Notify::new());
    let waiter = lost.clone();
    harness.hooks.set(id, move |call| {
        let waiter = waiter.clone();
        async move {
            let answer = call.run().await;
            if call.label == "roll-back" && call.nth == 0 {
                waiter.notified().await;
            }
            answer
        }
    });
    let operation = harness.accept(Subject::Existing(id), params(Some(64_000), None, None)).await;
    eventually("the rollback has begun", || async { harness.operation(&operation).await.step(StepName::RollBack).map(|_| ()) }).await;
    harness.runtime.script(id, |script| script.unschedulable_above = None);
    harness.client.cancel_instance(&operation.engine_id(1), "by hand").await.unwrap();
    eventually("there is a next run", || async { (harness.operation(&operation).await.run > 1).then_some(()) }).await;
    lost.notify_one();
    let failed = harness.assert_settled("resize", &operation).await;
    assert_eq!((failed.status, failed.error), (OperationStatus::Failed, Some(waits)));
    assert_eq!(harness.runtime.size(id), Some((100, 128, 1)));
    harness.finish().await;
}
