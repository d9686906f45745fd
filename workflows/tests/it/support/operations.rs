//! The operations for the suite in [`crate::saga`]: an example of every kind.

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use toygres_domain::{
    InstanceId, OperationId, Result,
    backup::{ArchiveId, BackupStatus, Closing},
    instance::InstanceState,
    operation::{InstanceAfter, OnFailure, OperationKind, OperationStatus, Params, StepName},
    recovery::CompleteBackup,
    scram,
    secret::Secret,
    wal::{Lsn, Timeline},
};
use toygres_store::{Accepted, ArchiveReport, NewInstance, Request, Subject};

use super::{
    DEADLINE, FailureKind, Fault, Harness, Sample, Variant, eventually, fails, request,
    samples::{Before, suspension},
    with_retry,
};

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
        Self::prepare_as(harness, Sample::from(&kind)).await
    }

    pub async fn prepare_as(harness: &Harness, sample: Sample) -> Self {
        let kind = sample.kind;
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
        let (before, params) = sample.on(&new);
        if let Before::Absent = before {
            return Self { kind, instance: new.id, params, new: Some(new), operations: 0 };
        }
        let first = match before {
            Before::WithUser => Some(Sample::from(&OperationKind::CreateDatabaseUser).on(&new).1),
            Before::WithDatabase => Some(Sample::from(&OperationKind::CreateDatabase).on(&new).1),
            Before::Suspended => Some(suspension()),
            Before::Absent | Before::Running | Before::Archived | Before::BackedUp | Before::Outdated => None,
        };
        let (is_archived, is_backed_up) = (matches!(before, Before::Archived | Before::BackedUp), matches!(before, Before::BackedUp));
        let is_outdated = matches!(before, Before::Outdated);
        let instance = harness.run(new).await;
        if is_outdated {
            harness.offer_update(instance).await;
        }
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
        Sample::from(&kind).on(&harness.new_instance()).1
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

/// Whether all kinds go through the faults that are handled in the same way for all of one shape, which takes long: in `scripts/chaos`.
pub fn is_exhaustive() -> bool {
    std::env::var_os("TOYGRES_CHAOS_SCALE").is_some()
}

/// The kinds for such faults.
pub fn by_shape() -> Vec<Sample> {
    if is_exhaustive() { Sample::all() } else { each_shape() }
}

/// See [`EACH_SHAPE`].
pub fn each_shape() -> Vec<Sample> {
    EACH_SHAPE.iter().map(Sample::from).collect()
}

/// The recorded calls of the workflow of a kind of operation.
#[derive(Clone, Debug)]
pub struct Plan {
    pub sample: Sample,
    /// The activities of a success, in order. The last one writes the outcome.
    pub steps: Vec<String>,
    /// The activities of the compensation; empty if the operation must not fail.
    pub compensation: Vec<String>,
}

impl Plan {
    /// Records what the suite runs, and [`Self::suspended`].
    pub async fn all(harness: &Harness) -> Vec<Self> {
        let (mut plans, suspended) = futures::future::join(Self::of(harness, Sample::all()), Self::suspended(harness)).await;
        plans.extend(suspended);
        plans
    }

    /// Records the kinds that are possible while an instance runs and while it is suspended, on suspended instances.
    pub async fn suspended(harness: &Harness) -> Vec<Self> {
        let keeps = |kind: &&OperationKind| {
            let policy = kind.policy();
            policy.success == InstanceAfter::Former && policy.from.contains(&InstanceState::Suspended)
        };
        let samples = OperationKind::ALL.iter().filter(keeps).map(|kind| Sample { kind: *kind, variant: Variant::Suspended });
        Self::of(harness, samples).await
    }

    /// Records these operations.
    pub async fn of(harness: &Harness, samples: impl IntoIterator<Item = Sample>) -> Vec<Self> {
        futures::future::join_all(samples.into_iter().map(|sample| Self::record(harness, sample))).await
    }

    /// An example on an instance of its own.
    pub async fn prepare(&self, harness: &Harness) -> Example {
        Example::prepare_as(harness, self.sample).await
    }

    async fn record(harness: &Harness, sample: Sample) -> Self {
        let example = Example::prepare_as(harness, sample).await;
        let operation = example.accept(harness).await;
        assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded, "{sample}");
        let mut plan = Self { sample, steps: called(harness, example.instance), compensation: Vec::new() };
        if plan.can_fail() {
            let example = plan.prepare(harness).await;
            harness.hooks.inject(example.instance, [plan.failure()]);
            let operation = example.accept(harness).await;
            assert_eq!(harness.finished(&operation).await.status, OperationStatus::Failed, "{sample}");
            plan.compensation = called(harness, example.instance);
            plan.compensation.retain(|step| !plan.steps.contains(step));
        }
        plan
    }

    pub fn can_fail(&self) -> bool {
        self.sample.kind.policy().failure != OnFailure::KeepTrying
    }

    /// Whether a success does not need this step.
    pub fn skips(&self, step: StepName) -> bool {
        let Sample { kind, variant } = self.sample;
        match step {
            // A final backup is on request.
            StepName::TakeBackup => true,
            StepName::StartPostgres | StepName::StopPostgres if kind == OperationKind::Upgrade => variant != Variant::Suspended,
            StepName::ConfirmUpgrade | StepName::AnalyzeDatabases => variant == Variant::Minor,
            // Those of a server that stays stopped, or is stopped again, are fewer.
            _ => variant == Variant::Suspended,
        }
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
        self.sample.fmt(f)
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
