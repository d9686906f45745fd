//! Tests specific to RestoreInstance from another instance. Those for all operations are in [`crate::saga`].

use toygres_domain::{
    InstanceId, OperationId,
    instance::{InstanceState, ReasonCode},
    operation::{OperationStatus, Params, StepName, delete},
    restoration::{DataSource, RestoreMethod},
    runtime::RuntimeError,
};
use toygres_store::Subject;

use crate::support::Harness;

/// Requests a clone, after the runtime was told what to answer.
async fn clone(harness: &Harness, source: InstanceId, error: Option<(u32, RuntimeError)>) -> (InstanceId, OperationId) {
    let new = harness.new_instance();
    harness.runtime.script(new.id, |script| script.error = error);
    let operation = harness.accept(Subject::New(&new), Params::Restore(DataSource::Instance { source, method: None })).await;
    (new.id, operation)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_of_another_instance_is_copied_and_it_is_said_how() {
    let harness = Harness::start().await;
    let source = harness.running().await;
    let stopped = RuntimeError::temporary(ReasonCode::ConnectionLost, "the server of the source has stopped while it was copied");
    let (copy, operation) = clone(&harness, source, Some((2, stopped))).await;
    let done = harness.assert_settled("clone", &operation).await;
    assert_eq!(done.status, OperationStatus::Succeeded, "{:?}", done.error);
    assert_eq!(done.params, Params::Restore(DataSource::Instance { source, method: Some(RestoreMethod::Reflink) }));
    assert_eq!(done.step(StepName::RestoreData).unwrap().attempt, 3, "{:?}", done.steps);
    assert!(harness.runtime.is_restored(copy));
    assert_eq!(harness.instance(source).await.state, InstanceState::Running);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_a_clone_that_has_no_source_or_no_room() {
    let harness = Harness::start().await;
    let source = harness.running().await;
    let full = RuntimeError::permanent(ReasonCode::DiskFull, "the disk has too little space");
    let (copy, operation) = clone(&harness, source, Some((1, full))).await;
    let failed = harness.assert_settled("without room", &operation).await;
    assert_eq!((failed.status, failed.error.unwrap().code), (OperationStatus::Failed, ReasonCode::DiskFull));
    assert!(!harness.runtime.is_restored(copy));

    let deletion = harness.accept(Subject::Existing(source), Params::Delete(delete::Params::default())).await;
    harness.finished(&deletion).await;
    let (copy, operation) = clone(&harness, source, None).await;
    let failed = harness.assert_settled("without a source", &operation).await;
    let error = failed.error.unwrap();
    assert_eq!((failed.status, error.code), (OperationStatus::Failed, ReasonCode::NotRestorable));
    assert!(error.message.contains("was deleted"), "{error:?}");
    assert!(!harness.runtime.is_restored(copy));
    harness.finish().await;
}
