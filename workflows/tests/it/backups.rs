//! Tests specific to backups: who owns an archive, and what CreateBackup waits for. Those for all operations are in [`crate::saga`], and those
//! with real servers in the tests of the server.

use std::{collections::HashMap, time::Duration};

use toygres_domain::{
    Error, InstanceId, UserErrorCode,
    backup::{BackupId, BackupStatus, BackupVerification, Coverage, VerificationStatus},
    instance::{Reason, ReasonCode},
    operation::{OperationStatus, Params, create_backup},
    recovery::CompleteBackup,
    wal::{Lsn, Timeline},
};
use toygres_store::{ArchiveReport, BackupUpdate, PageRequest, Subject};
use uuid::Uuid;

use crate::support::{DEADLINE, Harness};

const LEASE: Duration = Duration::from_secs(60);

fn params() -> (BackupId, Params) {
    let backup = BackupId::generate();
    (backup, Params::CreateBackup(create_backup::Params { backup }))
}

async fn owned(harness: &Harness, worker: Uuid) -> usize {
    harness.store.owned_archives(worker).await.unwrap().len()
}

fn complete(harness: &Harness) -> CompleteBackup {
    let wal = (Timeline(1), Lsn(1), Lsn(2));
    CompleteBackup { bytes: 10, stored_bytes: 5, wal, server_version: 170_006, finished_at: harness.store.now() }
}

async fn status(harness: &Harness, backup: BackupId) -> BackupStatus {
    harness.store.backup(backup).await.unwrap().expect("it is listed").status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_has_one_owner() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    harness.store.claim_archives(first, false, LEASE, 10).await.unwrap();
    assert_eq!(owned(&harness, first).await, 0, "backups are off, and nothing was chosen for the instance");
    harness.store.claim_archives(first, true, LEASE, 10).await.unwrap();
    harness.store.claim_archives(second, true, LEASE, 10).await.unwrap();
    assert_eq!((owned(&harness, first).await, owned(&harness, second).await), (1, 0));
    let archive = harness.store.archives_of(&[id]).await.unwrap().remove(&id).unwrap();
    let report = |lsn: u64, failure: Option<ReasonCode>| ArchiveReport {
        id: archive.id,
        followed: failure.is_none(),
        durable: Some(Lsn(lsn)),
        flushed: Some(Lsn(lsn)),
        durable_at: None,
        lag_seconds: None,
        failure: failure.map(|code| Reason::new(code, "why")),
    };
    harness.store.report_archives(first, &[report(7, None)]).await.unwrap();
    harness.store.report_archives(second, &[report(9, None)]).await.unwrap();
    let known = async || harness.store.archives_of(&[id]).await.unwrap().remove(&id).unwrap();
    for (worker, stored) in [(first, 7), (second, 9)] {
        harness.store.record_coverage(worker, archive.id, &Coverage::default(), stored).await.unwrap();
    }
    let reported = known().await;
    assert_eq!((reported.durable, reported.followed, reported.stored_bytes), (Some(Lsn(7)), true, 7), "who does not own it reports nothing");

    harness.store.release_archives(first).await.unwrap();
    assert!(!known().await.followed, "nobody does now");
    harness.store.claim_archives(second, true, LEASE, 10).await.unwrap();
    assert_eq!((owned(&harness, first).await, owned(&harness, second).await), (0, 1), "at once after a release");
    harness.store.report_archives(second, &[report(9, Some(ReasonCode::StoreUnavailable))]).await.unwrap();
    let since = known().await.failure.unwrap().1;
    harness.store.report_archives(second, &[report(9, Some(ReasonCode::StoreRefused))]).await.unwrap();
    assert_eq!(known().await.failure.map(|(reason, at)| (reason.code, at)), Some((ReasonCode::StoreRefused, since)), "since the first failure");

    harness.store.claim_archives(second, true, Duration::ZERO, 10).await.unwrap();
    harness.store.claim_archives(first, true, LEASE, 10).await.unwrap();
    assert_eq!((owned(&harness, first).await, owned(&harness, second).await), (1, 0), "the time of the other is over");
    let password = harness.store.replication_password(id).await.unwrap();
    assert_eq!(harness.store.replication_password(id).await.unwrap(), password, "it is made once");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_requested_taken_and_deleted() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let refused = async |params: &Params| match harness.try_accept(Subject::Existing(id), params, DEADLINE).await {
        Err(Error::User(errors)) => (errors[0].code, errors[0].message.clone()),
        other => panic!("{other:?}"),
    };
    let (_, too_early) = params();
    assert!(refused(&too_early).await.1.contains("no archive yet"));
    let worker = Uuid::now_v7();
    harness.store.claim_archives(worker, true, LEASE, 10).await.unwrap();

    // Every attempt has a directory of its own, and one that is not the latest changes nothing.
    let (backup, request) = params();
    let operation = harness.accept(Subject::Existing(id), request).await;
    assert!(refused(&params().1).await.1.contains("in progress"), "one at a time");
    let (first, second) = (backup, BackupId::generate());
    assert!(harness.store.begin_backup(backup, first).await.unwrap());
    let lost = Reason::new(ReasonCode::BackupFailed, "the server restarts");
    harness.store.fail_backup(backup, Some(first), &lost, true).await.unwrap();
    harness.shows(&operation, "another one follows").await;
    assert!(harness.store.begin_backup(backup, second).await.unwrap());
    assert!(!harness.store.report_backup(backup, first, 1, None).await.unwrap());
    assert!(!harness.store.complete_backup(backup, first, &complete(&harness)).await.unwrap());
    harness.store.fail_backup(backup, Some(first), &lost, true).await.unwrap();
    let now = harness.store.backup(backup).await.unwrap().unwrap();
    assert_eq!(
        (now.status, now.object),
        (BackupStatus::Running, Some(second)),
        "a worker that has lost the archive ends no attempt of its new owner"
    );
    assert!(harness.store.report_backup(backup, second, 3 << 20, Some(6 << 20)).await.unwrap());
    harness.shows(&operation, "3 of about 6 MiB").await;
    assert!(harness.store.complete_backup(backup, second, &complete(&harness)).await.unwrap());
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded);

    // A cancellation ends it, and its operation.
    let (cancelled, request) = params();
    let operation = harness.accept(Subject::Existing(id), request).await;
    assert!(harness.store.begin_backup(cancelled, cancelled).await.unwrap());
    harness.store.cancel_operation(&operation).await.unwrap();
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Cancelled);
    assert_eq!(status(&harness, cancelled).await, BackupStatus::Failed);
    assert!(!harness.store.report_backup(cancelled, cancelled, 1, None).await.unwrap(), "whoever takes it is told");

    // What fails for good fails the operation, whose retry takes the same backup.
    let (failed, request) = params();
    let operation = harness.accept(Subject::Existing(id), request).await;
    let why = Reason::new(ReasonCode::StoreRefused, "the store refuses");
    harness.store.fail_backup(failed, None, &why, false).await.unwrap();
    let ended = harness.finished(&operation).await;
    assert_eq!((ended.status, ended.error), (OperationStatus::Failed, Some(why)));
    let again = harness.store.retry_operation(&operation, &crate::support::request(DEADLINE)).await.unwrap().operation.id;
    assert!(harness.store.begin_backup(failed, failed).await.unwrap());
    assert!(harness.store.complete_backup(failed, failed, &complete(&harness)).await.unwrap());
    assert_eq!(harness.finished(&again).await.status, OperationStatus::Succeeded);

    // The next one counts if it can be relied on.
    let next = async |status, code: Option<ReasonCode>| {
        let reason = code.map(|code| Reason::new(code, "why"));
        let verification = BackupVerification { status, ended_at: None, restore_seconds: None, reason };
        harness.store.record_verification(failed, &verification).await.unwrap();
        harness.store.next_backups(&[backup, failed]).await.unwrap()
    };
    let newest = harness.store.backup(failed).await.unwrap().unwrap().finished_at.unwrap();
    let is_next = HashMap::from([(backup, newest)]);
    assert_eq!(next(VerificationStatus::Failed, Some(ReasonCode::StoreDamaged)).await, HashMap::new());
    assert_eq!(next(VerificationStatus::Failed, Some(ReasonCode::DataCorrupted)).await, is_next, "its server probably has the same data");
    assert_eq!(next(VerificationStatus::Pending, None).await, is_next);

    // The newest one stays while the instance is backed up, and a locked one until it is unlocked.
    let refused = async |backup, required| match harness.store.delete_backup(backup, required).await {
        Err(Error::User(errors)) => errors[0].code,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(failed, true).await, UserErrorCode::Conflict);
    harness.store.update_backup(backup, &BackupUpdate { locked: Some(true), keep_until: None }).await.unwrap();
    assert_eq!(refused(backup, true).await, UserErrorCode::Conflict);
    let archive = harness.store.archives_of(&[id]).await.unwrap().remove(&id).unwrap();
    let expire = async |object| harness.store.expire_backups(archive.id, &[object]).await.unwrap();
    assert!(!expire(second).await, "it was locked after retention has looked");
    assert_eq!(status(&harness, backup).await, BackupStatus::Available);
    harness.store.update_backup(backup, &BackupUpdate { locked: Some(false), keep_until: None }).await.unwrap();
    assert!(expire(first).await, "what another attempt has left is nobody's");
    assert_eq!(status(&harness, backup).await, BackupStatus::Available);
    let (expired, request) = params();
    let operation = harness.accept(Subject::Existing(id), request).await;
    assert!(harness.store.begin_backup(expired, expired).await.unwrap());
    assert!(harness.store.complete_backup(expired, expired, &complete(&harness)).await.unwrap());
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded);
    assert!(expire(expired).await);
    let locked = harness.store.update_backup(expired, &BackupUpdate { locked: Some(true), keep_until: None }).await;
    assert!(matches!(locked, Err(Error::User(errors)) if errors[0].code == UserErrorCode::Conflict), "it is on its way out");
    harness.store.forget_backup(expired).await.unwrap();
    assert_eq!(harness.store.delete_backup(backup, true).await.unwrap().status, BackupStatus::Deleting);
    assert_eq!(refused(BackupId::generate(), true).await, UserErrorCode::NotFound);
    let open = harness.store.open_backups(worker).await.unwrap();
    assert_eq!(open.iter().map(|open| open.id).collect::<Vec<_>>(), [backup], "its owner sees that it is to be deleted");
    harness.store.forget_backup(backup).await.unwrap();
    let listed = harness.store.backups_of(&[id], &PageRequest::first(10)).await.unwrap().remove(&id).unwrap();
    assert_eq!(listed.items.iter().map(|listed| listed.id).collect::<Vec<_>>(), [failed, cancelled], "the newest first");

    // One that is due waits for no operation, and one is enough.
    for _ in 0..2 {
        harness.store.schedule_backup(archive.id).await.unwrap();
    }
    assert_eq!(harness.store.open_backups(worker).await.unwrap().len(), 1);
    let latest = harness.store.latest_backups(worker).await.unwrap();
    assert!(latest[0].in_progress && latest[0].available_at.is_some() && latest[0].failed_at.is_some(), "{latest:?}");

    // What is deleted keeps its backups for the days that were asked for.
    let deletion = toygres_domain::operation::delete::Params { backup_retention_days: Some(30), ..Default::default() };
    let deletion = harness.accept(Subject::Existing(id), Params::Delete(deletion)).await;
    assert_eq!(harness.finished(&deletion).await.status, OperationStatus::Succeeded);
    assert_eq!(retention(&harness, id).await, Some(30));
    assert_eq!(owned(&harness, worker).await, 1, "the archive lives on");
    harness.store.forget_archive(archive.id).await.unwrap();
    assert!(harness.store.backup(failed).await.unwrap().is_none());
    harness.finish().await;
}

/// Takes a base backup that is requested by an operation.
async fn taken(harness: &Harness, id: InstanceId) -> BackupId {
    let (backup, request) = params();
    let operation = harness.accept(Subject::Existing(id), request).await;
    assert!(harness.store.begin_backup(backup, backup).await.unwrap());
    assert!(harness.store.complete_backup(backup, backup, &complete(harness)).await.unwrap());
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded);
    backup
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_only_backup_that_can_be_restored_is_not_deleted() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.store.claim_archives(Uuid::now_v7(), true, LEASE, 10).await.unwrap();
    let (good, newer) = (taken(&harness, id).await, taken(&harness, id).await);
    let verified = async |code| {
        let reason = Some(Reason::new(code, "why"));
        let failed = BackupVerification { status: VerificationStatus::Failed, ended_at: None, restore_seconds: None, reason };
        harness.store.record_verification(newer, &failed).await.unwrap();
    };
    let deleted = async |backup, required| match harness.store.delete_backup(backup, required).await {
        Ok(backup) => Ok(backup.status),
        Err(Error::User(errors)) => Err(errors[0].code),
        Err(error) => panic!("{error:?}"),
    };
    for code in [ReasonCode::NotRestorable, ReasonCode::StoreDamaged] {
        verified(code).await;
        assert_eq!(deleted(good, true).await, Err(UserErrorCode::Conflict), "{code:?}: nothing else can be restored");
    }
    // Damage in the data is probably in the instance too, and the backup can be restored.
    verified(ReasonCode::DataCorrupted).await;
    assert_eq!(deleted(newer, true).await, Err(UserErrorCode::Conflict));
    verified(ReasonCode::NotRestorable).await;
    assert_eq!(deleted(newer, true).await, Ok(BackupStatus::Deleting), "nobody needs it");
    assert_eq!(deleted(good, false).await, Ok(BackupStatus::Deleting), "backups are off");
    harness.finish().await;
}

async fn retention(harness: &Harness, id: InstanceId) -> Option<i32> {
    harness.store.instance(id).await.unwrap().unwrap().backups.retention_days
}
