//! Tests specific to DeleteInstance. Those for all operations are in [`crate::saga`].

use std::time::Duration;

use toygres_domain::{
    Error, InstanceId, UserErrorCode,
    instance::{InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, Params, StepName, StepStatus, create, delete},
    runtime::{Observation, Progress, RuntimeError},
};
use toygres_store::{NewInstance, Subject};
use toygres_workflows::Timing;

use crate::support::{DEADLINE, Harness, away, concurrently, eventually, timing, with_retry};

fn no_memory() -> Observation {
    Observation::Failed(Reason::new(ReasonCode::OutOfMemory, "no memory"))
}

/// The error of a deletion is reported in its step and on the instance until the deletion succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_goes_on_visibly_until_everything_is_gone() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let still = Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, "a volume hangs"));
    harness.runtime.script(id, |script| script.removal = Some(Ok(still)));
    let operation = harness.delete(id).await;
    harness.shows(&operation, "a volume hangs").await;
    let now = harness.operation(&operation).await;
    assert_eq!((now.deadline, now.status.is_terminal()), (None, false));
    let instance = eventually("the instance shows it", || async { Some(harness.instance(id).await).filter(|now| now.reason.is_some()) }).await;
    assert_eq!((instance.state, instance.reason.unwrap().code), (InstanceState::Deleting, ReasonCode::RemovalIncomplete));
    harness.runtime.script(id, |script| script.removal = None);
    assert_eq!(harness.assert_settled("a volume hangs", &operation).await.status, OperationStatus::Succeeded);
    harness.finish().await;
}

/// Whether the runtime is waited for or refuses: a run that takes too long is followed by the next, and the last one succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_outlives_its_runs() {
    let quick = Timing { run: Duration::from_secs(1), stuck: Duration::from_secs(1), ..timing() };
    let harness = Harness::start_with(quick).await;
    let still = Reason::new(ReasonCode::RemovalIncomplete, "a volume hangs");
    let refused = RuntimeError::permanent(ReasonCode::AdmissionRefused, "a webhook refuses");
    let obstacles = [Ok(Progress::InProgress(still.clone())), Err(away()), Err(refused.clone())];
    concurrently(obstacles.into_iter().zip([still, away().reason, refused.reason]), async |(obstacle, reason)| {
        let id = harness.running().await;
        harness.runtime.script(id, |script| script.removal = Some(obstacle));
        let operation = harness.delete(id).await;
        eventually("there are several runs", || async { (harness.operation(&operation).await.run > 2).then_some(()) }).await;
        let (now, instance) = (harness.operation(&operation).await, harness.instance(id).await);
        assert!(!now.status.is_terminal(), "{}: {now:?}", reason.message);
        assert_eq!((instance.state, instance.reason.as_ref()), (InstanceState::Deleting, Some(&reason)));
        harness.shows(&operation, &reason.message).await;
        harness.runtime.script(id, |script| script.removal = None);
        let done = harness.assert_settled(&reason.message, &operation).await;
        assert_eq!((done.status, harness.instance(id).await.state), (OperationStatus::Succeeded, InstanceState::Deleted));
        assert!(!harness.runtime.exists(id));
    })
    .await;
    harness.finish().await;
}

/// The name is held until the deletion has finished, and whoever asks for it is told by what.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_held_by_the_deletion_in_progress() {
    let harness = Harness::start().await;
    let first = harness.new_instance();
    let id = harness.run(first.clone()).await;
    let refusal = async || {
        let again = NewInstance { id: InstanceId::generate(), ..first.clone() };
        let refused = harness.try_accept(Subject::New(&again), &Params::Create(create::Params {}), DEADLINE).await;
        let Err(Error::User(errors)) = refused else { panic!("{refused:?}") };
        assert_eq!((errors[0].code, errors[0].field.as_slice()), (UserErrorCode::NameTaken, &["name".to_owned()][..]));
        errors[0].message.clone()
    };
    assert!(refusal().await.contains("choose another name or delete it first"));
    let still = Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, "a volume hangs"));
    harness.runtime.script(id, |script| script.removal = Some(Ok(still)));
    let operation = harness.delete(id).await;
    harness.shows(&operation, "a volume hangs").await;
    eventually("the refusal says what it waits for", || async { refusal().await.contains("a volume hangs").then_some(()) }).await;
    assert!(refusal().await.contains(operation.as_str()));
    harness.runtime.script(id, |script| script.removal = None);
    harness.assert_settled("a volume hangs", &operation).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polling_a_removal_is_no_new_attempt() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.runtime.script(id, |script| script.removing = 10);
    let operation = harness.delete(id).await;
    let done = harness.assert_settled("slow", &operation).await;
    let step = done.step(StepName::DeletePostgres).unwrap();
    assert_eq!((step.status, step.attempt), (StepStatus::Succeeded, 1));
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_instance_can_be_deleted_and_a_deleted_one_cannot() {
    let harness = Harness::start().await;
    let failed = harness.new_instance();
    harness.runtime.script(failed.id, |script| script.observation = Some(Ok(no_memory())));
    let creation = harness.create(&failed).await;
    harness.assert_settled("failed", &creation).await;
    let first = harness.delete(failed.id).await;
    assert_eq!(first, harness.delete(failed.id).await, "a second request is the first");
    harness.assert_settled("failed", &first).await;
    let params = Params::Delete(delete::Params::default());
    let refused = harness.try_accept(Subject::Existing(failed.id), &params, DEADLINE).await;
    assert!(matches!(refused, Err(Error::User(errors)) if errors[0].code == UserErrorCode::Conflict));
    harness.finish().await;
}

/// If the deletion of a failed instance is cancelled before it had an effect, the instance is failed with its former reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_deletion_gives_a_failed_instance_its_reason_back() {
    let harness = Harness::start().await;
    let failed = harness.new_instance();
    harness.runtime.script(failed.id, |script| script.observation = Some(Ok(no_memory())));
    let creation = harness.create(&failed).await;
    let reason = harness.finished(&creation).await.error;
    harness.stop_dispatching();
    let params = delete::Params { backup_retention_days: Some(0), ..delete::Params::default() };
    let deletion = harness.accept(Subject::Existing(failed.id), Params::Delete(params)).await;
    with_retry(|| harness.store.cancel_operation(&deletion)).await.expect("it has not begun");
    assert_eq!(harness.assert_settled("cancelled", &deletion).await.status, OperationStatus::Cancelled);
    let now = harness.instance(failed.id).await;
    assert_eq!((now.reason, now.backups.retention_days), (reason, None), "and its backups are kept for as long as before");
    harness.finish().await;
}
