//! Tests specific to UpgradeInstance. Those for all operations are in [`crate::saga`].

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use toygres_domain::{
    Error, InstanceId, UserErrorCode,
    backup::{Coverage, CoveredInterval},
    instance::{InstanceState, PostgresVersion, Reason, ReasonCode},
    maintenance::{MaintenanceWindow, Weekday},
    operation::{Operation, OperationKind, OperationStatus, Params, StepName, StepStatus, suspend, upgrade},
    runtime::{Observation, RuntimeError},
    wal::Lsn,
};
use toygres_store::{InstanceUpdate, OperationFilter, PageRequest, Subject};

use crate::support::{DEADLINE, Harness, eventually, request};

const TO: PostgresVersion = PostgresVersion(18);

fn params(check_only: bool, drop_logical_slots: bool) -> Params {
    Params::Upgrade(upgrade::Params { version: TO, check_only, minor: false, drop_logical_slots })
}

/// An instance without backups.
async fn instance(harness: &Harness) -> InstanceId {
    let mut new = harness.new_instance();
    new.backups.enabled = Some(false);
    harness.run(new).await
}

async fn upgraded(harness: &Harness, id: InstanceId, params: &Params) -> Operation {
    let accepted = harness.store.accept(Subject::Existing(id), params, &request(DEADLINE)).await.unwrap();
    harness.assert_settled("the upgrade", &accepted.operation.id).await
}

#[tokio::test]
async fn the_row_has_the_new_version_once_it_is_confirmed() {
    let harness = Harness::start().await;
    let id = instance(&harness).await;
    let operation = upgraded(&harness, id, &params(false, false)).await;
    assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
    assert_eq!((harness.instance(id).await.spec.postgres_version, harness.runtime.version(id)), (TO, Some((TO, true))));
    let steps: Vec<_> = operation.steps.iter().map(|step| (step.name, step.status)).collect();
    // Those of a suspended instance alone.
    let expected = |name| if matches!(name, StepName::StartPostgres | StepName::StopPostgres) { StepStatus::Skipped } else { StepStatus::Succeeded };
    assert!(steps.iter().all(|(name, status)| *status == expected(*name)), "{steps:?}");
    harness.finish().await;
}

/// An instance of which the host has an update.
async fn outdated(harness: &Harness) -> (InstanceId, Params) {
    let id = instance(harness).await;
    harness.offer_update(id).await;
    let version = harness.instance(id).await.spec.postgres_version;
    (id, Params::Upgrade(upgrade::Params { version, check_only: false, minor: true, drop_logical_slots: false }))
}

#[tokio::test]
async fn an_update_is_a_restart_and_nothing_else() {
    let harness = Harness::start().await;
    let (id, params) = outdated(&harness).await;
    let before = harness.instance(id).await;
    harness.runtime.script(id, |script| script.update = None);
    let operation = upgraded(&harness, id, &params).await;
    assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
    let now = harness.instance(id).await;
    assert_eq!((now.spec, now.update_available, now.state), (before.spec.clone(), None, InstanceState::Running));
    assert_eq!(harness.runtime.version(id), Some((before.spec.postgres_version, true)));
    assert!(!harness.runtime.restarts(id).is_empty());
    for name in [StepName::ConfirmUpgrade, StepName::AnalyzeDatabases] {
        assert_eq!(operation.step(name).map(|step| step.status), Some(StepStatus::Skipped), "{name}");
    }
    let again = harness.store.accept(Subject::Existing(id), &params, &request(DEADLINE)).await;
    assert!(matches!(&again, Err(Error::User(errors)) if errors[0].message.contains("has no update of it")), "{again:?}");
    harness.finish().await;
}

/// The window of now, and one that is not.
#[tokio::test]
async fn an_update_is_applied_once_in_the_maintenance_window() {
    let harness = Harness::start().await;
    let (id, _) = outdated(&harness).await;
    let now = chrono::Utc::now();
    let window = |from: chrono::TimeDelta| {
        let start = now + from;
        let weekday = Weekday::ALL[chrono::Datelike::weekday(&start).num_days_from_monday() as usize];
        MaintenanceWindow { weekday, start: start.time(), duration_minutes: 60 }
    };
    let choose = async |window: MaintenanceWindow| {
        let update = InstanceUpdate { maintenance_window: Some(Some(window)), ..InstanceUpdate::default() };
        harness.store.update_instance(id, &update).await.unwrap();
        harness.runtime.report_change(id);
    };
    let updates = async || {
        let filter = OperationFilter { instance: Some(id), kinds: Some(vec![OperationKind::Upgrade]), statuses: None };
        harness.store.operations(&filter, &PageRequest::first(10)).await.unwrap().items
    };
    choose(window(chrono::TimeDelta::hours(2))).await;
    let restarts = harness.runtime.restarts(id).len();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((updates().await.len(), harness.runtime.restarts(id).len()), (0, restarts), "it is not time yet");
    choose(window(chrono::TimeDelta::minutes(-10))).await;
    let first = eventually("it is updated", || async { updates().await.pop() }).await;
    assert_eq!(first.requested_by.as_deref(), Some("the control plane, in the maintenance window"));
    assert_eq!(harness.finished(&first.id).await.status, OperationStatus::Succeeded);
    // The host says again that there is one, but it was tried in this window.
    eventually("the update is found again", || async { harness.instance(id).await.update_available }).await;
    harness.runtime.report_change(id);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(updates().await.len(), 1);
    harness.finish().await;
}

#[tokio::test]
async fn a_server_that_does_not_come_back_from_an_update_is_no_rollback() {
    let harness = Harness::start().await;
    let (id, params) = outdated(&harness).await;
    let gone = Reason::new(ReasonCode::CrashLoop, "the server keeps exiting");
    harness.runtime.script(id, |script| script.observation = Some(Ok(Observation::Failed(gone.clone()))));
    let accepted = harness.store.accept(Subject::Existing(id), &params, &request(DEADLINE)).await.unwrap();
    let failed = harness.finished(&accepted.operation.id).await;
    assert_eq!((failed.status, failed.error.clone()), (OperationStatus::Failed, Some(gone)));
    assert!(failed.step(StepName::RollBack).is_none_or(|step| step.findings.is_empty()), "nothing is put back: {failed:?}");
    assert_eq!(harness.instance(id).await.state, InstanceState::Running);
    harness.runtime.script(id, |script| script.observation = None);
    harness.finish().await;
}

#[tokio::test]
async fn a_check_changes_nothing_and_the_other_steps_are_skipped() {
    let harness = Harness::start().await;
    let id = instance(&harness).await;
    let former = harness.instance(id).await.spec.postgres_version;
    let operation = upgraded(&harness, id, &params(true, false)).await;
    assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
    assert_eq!((harness.instance(id).await.spec.postgres_version, harness.runtime.version(id)), (former, Some((former, true))));
    for name in [StepName::UpgradePostgres, StepName::ConfirmUpgrade, StepName::AnalyzeDatabases] {
        assert_eq!(operation.step(name).map(|step| step.status), Some(StepStatus::Skipped), "{name}");
    }
    harness.finish().await;
}

#[tokio::test]
async fn what_the_runtime_refuses_is_the_reason_and_the_former_version_runs() {
    let harness = Harness::start().await;
    let id = instance(&harness).await;
    let former = harness.instance(id).await.spec.postgres_version;
    harness.runtime.script(id, |script| {
        script.not_upgradable = Some(RuntimeError::permanent(ReasonCode::NotUpgradable, "pg_upgrade refuses the upgrade: a library is missing"));
    });
    for check_only in [true, false] {
        let operation = upgraded(&harness, id, &params(check_only, false)).await;
        let error = operation.error.expect("it says why");
        assert_eq!((operation.status, error.code), (OperationStatus::Failed, ReasonCode::NotUpgradable));
        assert!(error.message.contains("a library is missing"), "{error:?}");
        assert_eq!((harness.instance(id).await.state, harness.runtime.version(id)), (InstanceState::Running, Some((former, true))));
    }
    harness.finish().await;
}

#[tokio::test]
async fn a_new_server_that_does_not_start_is_rolled_back() {
    let harness = Harness::start().await;
    let id = instance(&harness).await;
    let former = harness.instance(id).await.spec.postgres_version;
    let runtime = harness.runtime.clone();
    harness.hooks.set(id, move |call| {
        let runtime = runtime.clone();
        async move {
            // Only the server of the new version exits.
            let is_new = runtime.version(id).is_some_and(|(version, _)| version == TO);
            let exits = Observation::Pending(Reason::new(ReasonCode::ProcessExited, "FATAL: it does not start"));
            runtime.script(id, |script| script.observation = is_new.then_some(Ok(exits)));
            call.run().await
        }
    });
    let operation = upgraded(&harness, id, &params(false, false)).await;
    let error = operation.error.clone().expect("it says why");
    assert_eq!((operation.status, error.code), (OperationStatus::Failed, ReasonCode::ProcessExited), "{operation:?}");
    assert_eq!((harness.instance(id).await.spec.postgres_version, harness.runtime.version(id)), (former, Some((former, true))));
    harness.finish().await;
}

#[tokio::test]
async fn logical_slots_are_lost_only_if_that_is_allowed() {
    let harness = Harness::start().await;
    let mut new = harness.new_instance();
    (new.backups.enabled, new.spec.postgres_version) = (Some(false), PostgresVersion(16));
    let id = harness.run(new).await;
    harness.runtime.script(id, |script| script.logical_slots = vec!["of_debezium".to_owned()]);
    let refused = upgraded(&harness, id, &params(false, false)).await;
    let error = refused.error.expect("it says why");
    assert_eq!((refused.status, error.code), (OperationStatus::Failed, ReasonCode::NotUpgradable));
    assert!(error.message.contains("of_debezium") && error.message.contains("dropLogicalSlots"), "{error:?}");
    assert_eq!(refused.steps.iter().find(|step| step.name == StepName::UpgradePostgres).map(|step| step.status), Some(StepStatus::Skipped));
    let operation = upgraded(&harness, id, &params(false, true)).await;
    assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
    let findings = &operation.step(StepName::CheckUpgrade).expect("it has the step").findings;
    assert!(findings.iter().any(|finding| finding.contains("of_debezium")), "{findings:?}");
    harness.finish().await;
}

/// The archive of the former version goes no further, and one that is not up to date stops the upgrade before anything happens.
#[tokio::test]
async fn an_upgrade_needs_backups_that_are_up_to_date_and_begins_a_new_archive() {
    let harness = Harness::start().await;
    let id = harness.run(harness.new_instance()).await;
    let worker = harness.backup_worker;
    let claim = async || harness.store.claim_archives(worker, true, Duration::from_secs(3600), 1000).await.unwrap();
    claim().await;
    let refused = upgraded(&harness, id, &params(false, false)).await;
    let error = refused.error.expect("it says why");
    assert_eq!((refused.status, error.code), (OperationStatus::Failed, ReasonCode::BackupFailed), "{error:?}");

    let archive = harness.store.archives_of(&[id]).await.unwrap().remove(&id).unwrap();
    let now = harness.store.now();
    let covered = CoveredInterval { from: now, to: now, from_lsn: Lsn(1), to_lsn: Lsn(2) };
    let coverage = Coverage { intervals: vec![covered], ..Coverage::default() };
    harness.store.record_coverage(worker, archive.id, &coverage, 1).await.unwrap();
    let operation = upgraded(&harness, id, &params(false, false)).await;
    assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
    assert!(harness.store.archives_of(&[id]).await.unwrap().is_empty());
    let retired = harness.store.retired_archives_of(&[id]).await.unwrap().remove(&id).unwrap();
    assert_eq!(retired.iter().map(|archive| (archive.id, archive.retired.unwrap().version)).collect::<Vec<_>>(), [(archive.id, PostgresVersion(17))]);
    eventually("it is running", || async { (harness.instance(id).await.state == InstanceState::Running).then_some(()) }).await;
    claim().await;
    let next = harness.store.archives_of(&[id]).await.unwrap().remove(&id).expect("there is a new archive");
    assert!(next.id != archive.id && next.retired.is_none());
    harness.finish().await;
}

/// A suspended instance without backups, or with those that the harness follows.
async fn suspended(harness: &Harness, backups: bool) -> InstanceId {
    let mut new = harness.new_instance();
    new.backups.enabled = Some(backups);
    let id = harness.run(new).await;
    if backups {
        harness.store.claim_archives(harness.backup_worker, true, Duration::from_secs(3600), 1000).await.unwrap();
    }
    let suspend = Params::Suspend(suspend::Params { timeout_seconds: 60, idle_minutes: None });
    let operation = harness.accept(Subject::Existing(id), suspend).await;
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded);
    id
}

#[tokio::test]
async fn a_suspended_instance_is_started_for_the_upgrade_lets_nobody_in_and_is_suspended_again() {
    let harness = Harness::start().await;
    let id = suspended(&harness, false).await;
    let former = harness.instance(id).await.spec.postgres_version;
    let open = Arc::new(Mutex::new(Vec::new()));
    let (runtime, seen) = (harness.runtime.clone(), open.clone());
    harness.hooks.set(id, move |call| {
        let (runtime, seen) = (runtime.clone(), seen.clone());
        async move {
            let outcome = call.run().await;
            // While the server runs, clients are kept out.
            if !runtime.is_suspended(id) && runtime.version(id).is_some_and(|(_, is_open)| is_open) {
                seen.lock().unwrap().push(call.label.clone());
            }
            outcome
        }
    });
    for (check_only, expected) in [(true, former), (false, TO)] {
        let operation = upgraded(&harness, id, &params(check_only, false)).await;
        assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
        let now = harness.instance(id).await;
        assert_eq!((now.state, now.spec.postgres_version, harness.runtime.version(id)), (InstanceState::Suspended, expected, Some((expected, true))));
        assert_eq!(now.reason.map(|reason| reason.code), Some(ReasonCode::Suspended));
        assert!(harness.runtime.is_suspended(id));
        for name in [StepName::StartPostgres, StepName::CheckUpgrade, StepName::StopPostgres] {
            assert_eq!(operation.step(name).map(|step| step.status), Some(StepStatus::Succeeded), "{name}");
        }
    }
    assert_eq!(*open.lock().unwrap(), Vec::<String>::new());
    harness.finish().await;
}

#[tokio::test]
async fn a_suspended_instance_that_cannot_be_upgraded_is_suspended_again_with_the_reason() {
    let harness = Harness::start().await;
    let id = suspended(&harness, false).await;
    let former = harness.instance(id).await.spec.postgres_version;
    harness.runtime.script(id, |script| {
        script.not_upgradable = Some(RuntimeError::permanent(ReasonCode::NotUpgradable, "pg_upgrade refuses the upgrade: a library is missing"));
    });
    let operation = upgraded(&harness, id, &params(false, false)).await;
    assert_eq!((operation.status, operation.error.map(|error| error.code)), (OperationStatus::Failed, Some(ReasonCode::NotUpgradable)));
    let now = harness.instance(id).await;
    assert_eq!((now.state, now.reason.map(|reason| reason.code)), (InstanceState::Suspended, Some(ReasonCode::NotUpgradable)));
    assert_eq!((harness.runtime.is_suspended(id), harness.runtime.version(id)), (true, Some((former, true))));
    harness.finish().await;
}

/// What its backups lack at the time of its suspension they lack for good, until it is resumed. It may have been suspended long ago.
#[tokio::test]
async fn the_backups_of_a_suspended_instance_have_to_reach_to_its_suspension() {
    let harness = Harness::start().await;
    let id = suspended(&harness, true).await;
    let archive = harness.store.archives_of(&[id]).await.unwrap().remove(&id).unwrap();
    let suspended_at = harness.store.now();
    for (hours, expected) in [(1, OperationStatus::Failed), (0, OperationStatus::Succeeded)] {
        let to = suspended_at - chrono::TimeDelta::hours(hours);
        let covered = CoveredInterval { from: to, to, from_lsn: Lsn(1), to_lsn: Lsn(2) };
        let coverage = Coverage { intervals: vec![covered], ..Coverage::default() };
        harness.store.record_coverage(harness.backup_worker, archive.id, &coverage, 1).await.unwrap();
        let operation = upgraded(&harness, id, &params(false, false)).await;
        assert_eq!(operation.status, expected, "{operation:?}");
        if let Some(error) = operation.error {
            assert!(error.code == ReasonCode::BackupFailed && error.message.contains("resume the instance"), "{error:?}");
        }
        assert_eq!(harness.instance(id).await.state, InstanceState::Suspended);
    }
    harness.finish().await;
}

/// Its next start is with what the host has then.
#[tokio::test]
async fn a_suspended_instance_has_an_update_when_it_is_resumed() {
    let harness = Harness::start().await;
    let id = suspended(&harness, false).await;
    let version = harness.instance(id).await.spec.postgres_version;
    let params = Params::Upgrade(upgrade::Params { version, check_only: false, minor: true, drop_logical_slots: false });
    let refused = harness.store.accept(Subject::Existing(id), &params, &request(DEADLINE)).await;
    let Err(Error::User(errors)) = refused else { panic!("it is not refused: {refused:?}") };
    assert!(errors[0].code == UserErrorCode::Conflict && errors[0].message.contains("resume it first"), "{errors:?}");
    harness.finish().await;
}
