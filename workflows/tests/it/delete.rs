//! Tests specific to DeleteInstance. Those for all operations are in [`crate::saga`].

use std::time::Duration;

use toygres_domain::{
    Error, InstanceId, OperationId, UserErrorCode,
    backup::{BackupId, BackupStatus, Closing},
    instance::{InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, Params, StepName, StepStatus, create, delete},
    runtime::{Observation, Progress, RuntimeError},
};
use toygres_store::{NewInstance, Subject};
use toygres_workflows::Timing;

use crate::support::{DEADLINE, Harness, archive_instances, away, back_up, concurrently, eventually, timing, with_retry};

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

/// Creates an instance with a base backup, whose WAL is followed once it is being deleted.
async fn backed_up(harness: &Harness) -> InstanceId {
    let id = harness.running().await;
    archive_instances(harness).await;
    back_up(harness, id).await;
    id
}

async fn close(harness: &Harness, id: InstanceId, final_backup: Option<BackupId>) -> OperationId {
    let params = delete::Params { close_archive: true, final_backup, ..delete::Params::default() };
    harness.accept(Subject::Existing(id), Params::Delete(params)).await
}

/// What cannot be archived is left out after a while, which is told, or at once if waiting does not help.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_cannot_be_closed_does_not_hold_up_a_deletion() {
    let harness = Harness::start_with(Timing { close_archive: Duration::from_secs(2), ..timing() }).await;
    let refused = RuntimeError::permanent(ReasonCode::Forbidden, "it may not be stopped");
    let lost = Observation::Failed(Reason::new(ReasonCode::DataLost, "its volume is gone"));
    for (why, code) in [("it may not be stopped", ReasonCode::Forbidden), ("its volume is gone", ReasonCode::DataLost)] {
        let id = backed_up(&harness).await;
        harness.runtime.script(id, |script| match code {
            ReasonCode::Forbidden => script.suspension = Some(refused.clone()),
            // Nobody follows it.
            _ => script.observation = Some(Ok(lost.clone())),
        });
        if code == ReasonCode::DataLost {
            harness.database.run(&format!("UPDATE toygres.archives SET worker_id = gen_random_uuid() WHERE instance_id = '{id}'")).await;
        }
        let operation = close(&harness, id, None).await;
        let done = harness.assert_settled(why, &operation).await;
        let step = done.step(StepName::CloseArchive).unwrap();
        assert_eq!((done.status, step.status), (OperationStatus::Succeeded, StepStatus::Succeeded), "{why}");
        assert!(step.findings[0].contains(why), "{why}: {step:?}");
        let archive = harness.archive(id).await;
        assert_eq!((archive.closing, archive.incomplete.map(|reason| reason.code)), (Some(Closing::Incomplete), Some(code)), "{why}");
    }
    harness.finish().await;
}

/// What a suspended instance has committed last may not be archived, so its server is started once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_archive_of_a_suspended_instance_is_closed_too() {
    let harness = Harness::start().await;
    let id = backed_up(&harness).await;
    let suspension = Params::Suspend(toygres_domain::operation::suspend::Params { timeout_seconds: 60, idle_minutes: None });
    let suspension = harness.accept(Subject::Existing(id), suspension).await;
    harness.finished(&suspension).await;
    let operation = close(&harness, id, None).await;
    assert_eq!(harness.assert_settled("suspended", &operation).await.status, OperationStatus::Succeeded);
    assert_eq!(harness.archive(id).await.closing, Some(Closing::Closed));
    harness.finish().await;
}

/// A deletion waits for its final backup, visibly. It can be cancelled meanwhile, and can do without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_backup_is_taken_before_anything_is_removed() {
    let harness = Harness::start().await;
    let id = backed_up(&harness).await;
    // Its worker is away.
    let worker = async |id: InstanceId, worker: &str| {
        let change = format!("UPDATE toygres.archives SET worker_id = {worker} WHERE instance_id = '{id}'");
        harness.database.run(&change).await;
    };
    let away = "gen_random_uuid()";
    worker(id, away).await;
    let backup = BackupId::generate();
    let operation = close(&harness, id, Some(backup)).await;
    harness.shows(&operation, "finalBackup: false").await;
    assert!(harness.runtime.exists(id) && !harness.runtime.is_suspended(id), "it runs on");
    with_retry(|| harness.store.cancel_operation(&operation)).await.expect("nothing was removed");
    let status = async |backup| harness.store.backup(backup).await.unwrap().unwrap().status;
    assert_eq!(status(backup).await, BackupStatus::Failed, "nobody waits for it any more");
    assert_eq!((harness.archive(id).await.closing, harness.instance(id).await.state), (None, InstanceState::Running));

    let backup = BackupId::generate();
    let operation = close(&harness, id, Some(backup)).await;
    harness.shows(&operation, "finalBackup: false").await;
    harness.store.waive_final_backup(&operation).await.unwrap();
    worker(id, &format!("'{}'", harness.backup_worker)).await;
    let done = harness.assert_settled("without it", &operation).await;
    assert_eq!(done.step(StepName::TakeBackup).map(|step| step.status), Some(StepStatus::Skipped), "{done:?}");
    assert_eq!((status(backup).await, harness.archive(id).await.closing), (BackupStatus::Failed, Some(Closing::Closed)));

    // One that fails is taken again, and one that succeeds is in the archive.
    let (id, backup) = (backed_up(&harness).await, BackupId::generate());
    worker(id, away).await;
    let operation = close(&harness, id, Some(backup)).await;
    harness.store.fail_backup(backup, None, &Reason::new(ReasonCode::StoreRefused, "the store refuses"), false).await.unwrap();
    harness.shows(&operation, "the store refuses").await;
    let past = "UPDATE toygres.backups SET created_at = created_at - interval '1 minute'";
    harness.database.run(&format!("{past} WHERE id = '{backup}'")).await;
    worker(id, &format!("'{}'", harness.backup_worker)).await;
    let done = harness.assert_settled("with it", &operation).await;
    assert_eq!(done.step(StepName::TakeBackup).map(|step| step.status), Some(StepStatus::Succeeded), "{done:?}");
    assert_eq!((status(backup).await, harness.archive(id).await.closing), (BackupStatus::Available, Some(Closing::Closed)));
    harness.finish().await;
}
