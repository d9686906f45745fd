//! The operations for the suite in [`crate::saga`]: an example of every kind.

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use toygres_domain::{
    InstanceId, OperationId, Result,
    backup::{ArchiveId, BackupId, BackupStatus, Closing},
    database_user::DatabaseAccess,
    instance::{InstanceState, PostgresVersion},
    name::SqlName,
    operation::{
        InstanceAfter, OnFailure, OperationKind, OperationStatus, Params, create, create_backup, create_database, create_database_user, delete,
        drop_database, drop_database_user, repair, resize, restart, resume, rotate_password, set_parameters, suspend, upgrade,
    },
    recovery::CompleteBackup,
    restoration::{DataSource, Restoration, RestoreTarget},
    scram,
    secret::Secret,
    wal::{Lsn, Timeline},
};
use toygres_store::{Accepted, ArchiveReport, NewInstance, Request, Subject};

use super::{DEADLINE, FailureKind, Fault, Harness, eventually, fails, request, with_retry};

/// The state of the instance before an operation.
enum Before {
    /// There is no instance: the operation creates it.
    Absent,
    Running,
    /// The health check has ended.
    Suspended,
    /// It has a user besides its owner.
    WithUser,
    /// It has another database.
    WithDatabase,
    /// It has an archive, which a worker owns that takes base backups at once.
    Archived,
    /// It has a base backup too, so that its archive is closed before it is removed.
    BackedUp,
}

/// An example of an operation of this kind, with names of its own. A new kind only needs an arm here.
fn sample(kind: OperationKind, new: &NewInstance) -> (Before, Params) {
    let owner = &new.spec.username;
    let name: SqlName = format!("{owner}_more").try_into().expect("it is a name");
    match kind {
        OperationKind::CreateDatabaseUser => {
            let (access, database) = (DatabaseAccess::ReadOnly, Some(new.spec.database.clone()));
            (Before::Running, Params::CreateDatabaseUser(create_database_user::Params { name, access, database }))
        }
        OperationKind::DropDatabaseUser => {
            (Before::WithUser, Params::DropDatabaseUser(drop_database_user::Params { name, reassign_to: owner.clone() }))
        }
        OperationKind::CreateDatabase => (Before::Running, Params::CreateDatabase(create_database::Params { name, owner: owner.clone() })),
        OperationKind::DropDatabase => (Before::WithDatabase, Params::DropDatabase(drop_database::Params { name, force: true })),
        OperationKind::CreateBackup => (Before::Archived, Params::CreateBackup(create_backup::Params { backup: BackupId::generate() })),
        OperationKind::Restore => {
            let (source, archive) = (InstanceId::generate(), ArchiveId::generate());
            let restoration = Restoration { source, archive, target: RestoreTarget::Latest, known: None, avoid: Vec::new() };
            (Before::Absent, Params::Restore(DataSource::Archive(restoration)))
        }
        OperationKind::Upgrade => {
            let version = PostgresVersion(new.spec.postgres_version.0 + 1);
            (Before::Running, Params::Upgrade(upgrade::Params { version, check_only: false, minor: false, drop_logical_slots: false }))
        }
        OperationKind::Create => (Before::Absent, Params::Create(create::Params {})),
        OperationKind::Delete => (Before::BackedUp, Params::Delete(delete::Params { close_archive: true, ..delete::Params::default() })),
        OperationKind::Repair => (Before::Running, Params::Repair(repair::Params {})),
        OperationKind::Suspend => (Before::Running, suspension()),
        OperationKind::Resume => (Before::Suspended, Params::Resume(resume::Params {})),
        OperationKind::Resize => {
            (Before::Running, Params::Resize(resize::Params { cpu_millis: Some(200), memory_mb: Some(256), storage_gb: Some(2), automatic: false }))
        }
        // One that the server reads, and one that it has to be restarted for.
        OperationKind::SetParameters => {
            let changes = [("work_mem", "8MB"), ("max_connections", "50")].map(|(name, value)| (name.to_owned(), Some(value.to_owned())));
            (Before::Running, Params::SetParameters(set_parameters::Params { changes: changes.into(), allow_restart: true }))
        }
        OperationKind::Restart => (Before::Running, Params::Restart(restart::Params { timeout_seconds: 60 })),
        OperationKind::RotatePassword => (Before::Running, Params::RotatePassword(rotate_password::Params { terminate_sessions: true })),
    }
}

/// Begins the archives of running instances. A worker of the harness, which is one for all examples, takes what is requested of them as fast
/// as it can, and follows those that are deleted until their servers are stopped.
pub async fn archive_instances(harness: &Harness) {
    let (store, worker, runtime, backed_up) = (harness.store.clone(), harness.backup_worker, harness.runtime.clone(), harness.backed_up.clone());
    with_retry(|| store.claim_archives(worker, true, Duration::from_secs(3600), 1000)).await.unwrap();
    if harness.takes_backups.swap(true, Ordering::Relaxed) {
        return;
    }
    tokio::spawn(async move {
        loop {
            // The database is away in some tests.
            for backup in store.open_backups(worker).await.unwrap_or_default() {
                let wal = (Timeline(1), Lsn(1), Lsn(2));
                let complete = CompleteBackup { bytes: 1, stored_bytes: 1, wal, server_version: 170_000, finished_at: store.now() };
                if let Ok(true) = store.begin_backup(backup.id, backup.id).await {
                    let _ = store.complete_backup(backup.id, backup.id, &complete).await;
                }
            }
            let ids = backed_up.lock().unwrap().clone();
            for archive in store.archives_of(&ids).await.unwrap_or_default().into_values() {
                let is_stopped = runtime.is_suspended(archive.instance) || !runtime.exists(archive.instance);
                match archive.closing {
                    Some(Closing::Stopping) if is_stopped && archive.followed => {
                        let closed = store.record_closed(archive.id, Lsn(2), None).await;
                        backed_up.lock().unwrap().retain(|id| closed.is_err() || *id != archive.instance);
                    }
                    Some(Closing::Following) if !is_stopped && !archive.followed => {
                        let _ = store.report_archives(worker, &[followed(archive.id)]).await;
                    }
                    _ => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

fn followed(id: ArchiveId) -> ArchiveReport {
    let all = Some(Lsn(2));
    ArchiveReport { id, followed: true, durable: all, flushed: all, durable_at: None, lag_seconds: Some(0.0), failure: None }
}

/// Waits for a base backup of an instance that has an archive.
pub async fn back_up(harness: &Harness, id: InstanceId) {
    let archive = eventually("it has an archive", || async { harness.store.archives_of(&[id]).await.ok()?.remove(&id) }).await;
    with_retry(|| harness.store.schedule_backup(archive.id)).await.unwrap();
    eventually("it has a base backup", || async {
        let backups = harness.store.backups_in(archive.id).await.ok()?;
        backups.iter().any(|backup| backup.status == BackupStatus::Available).then_some(())
    })
    .await;
    harness.backed_up.lock().unwrap().push(id);
}

fn suspension() -> Params {
    Params::Suspend(suspend::Params { timeout_seconds: 60, idle_minutes: None })
}

/// The verifier of a user, or the password of a rotation.
fn verifier() -> Secret {
    Secret::new(scram::verifier(&Secret::generate()))
}

/// An operation that can be accepted, on a separate instance.
pub struct Example {
    pub kind: OperationKind,
    pub instance: InstanceId,
    pub params: Params,
    new: Option<NewInstance>,
    /// The number of operations that the instance had before.
    operations: i64,
}

impl Example {
    pub async fn prepare(harness: &Harness, kind: OperationKind) -> Self {
        Self::prepare_in(harness, kind, false).await
    }

    /// `suspended`: on an instance that is, if the kind has an example for a running one.
    async fn prepare_in(harness: &Harness, kind: OperationKind, suspended: bool) -> Self {
        let mut new = harness.new_instance();
        // Of its own, because all instances are on the same server, and an operation may change its password.
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let role = format!("{}_owner_{}", harness.database.name(), NUMBER.fetch_add(1, Ordering::Relaxed));
        new.spec.username = role.try_into().expect("it is a name");
        // Long, because many instances run concurrently and their health is not tested.
        new.spec.health_check.interval_seconds = 30;
        if kind == OperationKind::Upgrade {
            // A worker that other examples have begins archives of all instances, of which none gets a backup by itself.
            new.backups.enabled = Some(false);
        }
        let (before, params) = sample(kind, &new);
        let before = if suspended { Before::Suspended } else { before };
        if let Before::Absent = before {
            return Self { kind, instance: new.id, params, new: Some(new), operations: 0 };
        }
        let first = match before {
            Before::WithUser => Some(sample(OperationKind::CreateDatabaseUser, &new).1),
            Before::WithDatabase => Some(sample(OperationKind::CreateDatabase, &new).1),
            Before::Suspended => Some(suspension()),
            Before::Absent | Before::Running | Before::Archived | Before::BackedUp => None,
        };
        let (is_archived, is_backed_up) = (matches!(before, Before::Archived | Before::BackedUp), matches!(before, Before::BackedUp));
        let instance = harness.run(new).await;
        if is_archived {
            archive_instances(harness).await;
        }
        if is_backed_up {
            back_up(harness, instance).await;
        }
        let operations = if first.is_some() { 2 } else { 1 };
        if let Some(params) = first {
            let request = Request { password: Some(verifier()), ..request(DEADLINE) };
            let operation = with_retry(|| harness.store.accept(Subject::Existing(instance), &params, &request)).await.expect("it is accepted");
            assert_eq!(harness.finished(&operation.operation.id).await.status, OperationStatus::Succeeded, "what {kind} needs");
        }
        harness.hooks.forget_calls(instance);
        Self { kind, instance, params, new: None, operations }
    }

    /// The parameters of another operation of this kind, on no particular instance.
    pub fn other_params(harness: &Harness, kind: OperationKind) -> Params {
        sample(kind, &harness.new_instance()).1
    }

    /// The id that the operation will have.
    pub fn id(&self) -> OperationId {
        OperationId::new(self.kind, self.instance, self.operations + 1)
    }

    pub fn is_creation(&self) -> bool {
        self.new.is_some()
    }

    pub async fn accept(&self, harness: &Harness) -> OperationId {
        self.try_accept(harness, DEADLINE).await.expect("the operation is accepted").operation.id
    }

    pub async fn try_accept(&self, harness: &Harness, deadline: Duration) -> Result<Accepted> {
        let subject = self.new.as_ref().map_or(Subject::Existing(self.instance), Subject::New);
        let request = Request { password: Some(verifier()), ..request(deadline) };
        with_retry(|| harness.store.accept(subject, &self.params, &request)).await
    }
}

/// One kind of operation for each shape of workflow: with a compensation, without one, repeated until it succeeds, and without a state of
/// its own. All kinds run on SQLite; the providers differ in what the engine does, not in what an operation does.
pub const EACH_SHAPE: &[OperationKind] = &[OperationKind::Create, OperationKind::Repair, OperationKind::Delete, OperationKind::RotatePassword];

/// The recorded calls of the workflow of a kind of operation.
#[derive(Clone, Debug)]
pub struct Plan {
    pub kind: OperationKind,
    /// Whether its instance is suspended, although the operation is also possible while it runs.
    pub suspended: bool,
    /// The activities of a success, in order. The last one writes the outcome.
    pub steps: Vec<String>,
    /// The activities of the compensation; empty if the operation must not fail.
    pub compensation: Vec<String>,
}

impl Plan {
    /// Records every kind of operation, and [`Self::suspended`].
    pub async fn all(harness: &Harness) -> Vec<Self> {
        let (mut plans, suspended) = futures::future::join(Self::of(harness, OperationKind::ALL), Self::suspended(harness)).await;
        plans.extend(suspended);
        plans
    }

    /// Records the kinds that are possible while an instance runs and while it is suspended, on suspended instances.
    pub async fn suspended(harness: &Harness) -> Vec<Self> {
        let keeps = |kind: &&OperationKind| {
            let policy = kind.policy();
            policy.success == InstanceAfter::Former && policy.from.contains(&InstanceState::Suspended)
        };
        futures::future::join_all(OperationKind::ALL.iter().filter(keeps).map(|kind| Self::record(harness, *kind, true))).await
    }

    /// Records these kinds of operations.
    pub async fn of(harness: &Harness, kinds: &[OperationKind]) -> Vec<Self> {
        futures::future::join_all(kinds.iter().map(|kind| Self::record(harness, *kind, false))).await
    }

    /// An example on an instance of its own.
    pub async fn prepare(&self, harness: &Harness) -> Example {
        Example::prepare_in(harness, self.kind, self.suspended).await
    }

    async fn record(harness: &Harness, kind: OperationKind, suspended: bool) -> Self {
        let example = Example::prepare_in(harness, kind, suspended).await;
        let operation = example.accept(harness).await;
        assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded, "{kind}");
        let mut plan = Self { kind, suspended, steps: called(harness, example.instance), compensation: Vec::new() };
        if plan.can_fail() {
            let example = plan.prepare(harness).await;
            harness.hooks.inject(example.instance, [plan.failure()]);
            let operation = example.accept(harness).await;
            assert_eq!(harness.finished(&operation).await.status, OperationStatus::Failed, "{kind}");
            plan.compensation = called(harness, example.instance);
            plan.compensation.retain(|step| !plan.steps.contains(step));
        }
        plan
    }

    pub fn can_fail(&self) -> bool {
        self.kind.policy().failure != OnFailure::KeepTrying
    }

    /// The activity that writes the success.
    pub fn last(&self) -> &str {
        self.steps.last().expect("an operation has steps")
    }

    /// The fault that makes the operation fail after all steps except the last.
    pub fn failure(&self) -> Fault {
        fails(&self.steps[self.steps.len() - 2], FailureKind::Failed).for_good()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, if self.suspended { " while suspended" } else { "" })
    }
}

/// The labels of the calls, each once, in the order of their first call.
fn called(harness: &Harness, id: InstanceId) -> Vec<String> {
    let mut labels = Vec::new();
    for call in harness.hooks.calls(id) {
        if !call.is_background() && !labels.contains(&call.label) {
            labels.push(call.label);
        }
    }
    labels
}
