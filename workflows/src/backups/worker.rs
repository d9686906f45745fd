//! What one worker does for the archives that it owns. It compares what is with what should be, as often as it is called.

mod presence;
mod report;
mod verify;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use metrics::counter;
use tokio::task::JoinHandle;
use toygres_domain::{
    InstanceId, Result,
    backup::{self, ArchiveId, Backup, BackupId, BackupPolicy, BackupStatus, Closing},
    instance::{Instance, InstanceState, Reason, ReasonCode},
    recovery::InstanceRecord,
};
use toygres_store::{ArchiveReport, OwnedArchive};
use uuid::Uuid;

use self::presence::Checking;
use super::{
    BackupOptions, BackupTiming,
    base::Taking,
    findings::Findings,
    follower::{Follower, State, drop_slot},
    maintenance::{Found, Subject, maintain},
    verification::Verifying,
};
use crate::ActivityContext;

/// Archives that are taken over at a time, so that several workers that start share them.
const CLAIMED: i64 = 100;
/// Base backups that this worker takes at the same time, and archives that it looks at.
const TAKING: usize = 2;
const MAINTAINED: usize = 4;
/// How often a base backup is begun.
const ATTEMPTS: i32 = 3;
/// The pause after looking at an archive has failed.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Worker {
    context: ActivityContext,
    options: BackupOptions,
    id: Uuid,
    archives: HashMap<ArchiveId, Archive>,
    takings: Vec<Taking>,
    verifying: Option<Verifying>,
    /// Since when the verification of a base backup pauses, because it could not be made.
    unverifiable: HashMap<BackupId, Instant>,
    reported_at: Option<Instant>,
    reported: HashMap<ArchiveId, ArchiveReport>,
}

/// What this worker knows of an archive.
#[derive(Default)]
struct Archive {
    follower: Option<Follower>,
    followed: Arc<State>,
    maintenance: Option<JoinHandle<std::result::Result<Found, Reason>>>,
    maintained_at: Option<Instant>,
    /// Whether it was looked at since its instance was deleted, which it then says.
    is_told_of_deletion: bool,
    /// When looking at it failed last.
    unmaintained_at: Option<Instant>,
    findings: Findings,
    checked_at: Option<Instant>,
    checking: Option<Checking>,
    dropping: Option<JoinHandle<()>>,
}

/// An archive, its instance, and its policy.
struct Owned {
    archive: OwnedArchive,
    instance: Instance,
    policy: BackupPolicy,
}

impl Owned {
    fn is_running(&self) -> bool {
        self.instance.state == InstanceState::Running
    }
}

impl Worker {
    pub(super) fn new(context: ActivityContext, options: BackupOptions) -> Self {
        let id = Uuid::now_v7();
        Self {
            context,
            options,
            id,
            archives: HashMap::new(),
            takings: Vec::new(),
            verifying: None,
            unverifiable: HashMap::new(),
            reported_at: None,
            reported: HashMap::new(),
        }
    }

    pub(super) fn timing(&self) -> BackupTiming {
        self.options.timing
    }

    /// Whether a follower is about to end that operations may wait for.
    pub(super) fn is_releasing(&self) -> bool {
        let is_stopping = |archive: &Archive| archive.follower.as_ref().is_some_and(Follower::is_stopping);
        !self.context.shutdown.is_cancelled() && self.archives.values().any(is_stopping)
    }

    /// Whether an instance was reported as followed that is not any more.
    fn has_released(&self) -> bool {
        let is_followed = |id: &ArchiveId| self.archives.get(id).is_some_and(|archive| archive.follower.is_some());
        self.reported.iter().any(|(id, report)| report.followed && !is_followed(id))
    }

    /// Looks at everything once.
    pub(super) async fn tick(&mut self) -> Result<()> {
        let is_due = self.reported_at.is_none_or(|at| at.elapsed() >= self.timing().report);
        let store = self.context.store.clone();
        if is_due {
            store.claim_archives(self.id, self.options.policy.enabled, self.timing().lease, CLAIMED).await?;
        }
        let owned = self.owned().await?;
        self.give_up(&owned);
        for owned in &owned {
            self.follow(owned);
        }
        let is_due = is_due || self.has_released();
        self.finish_maintenance().await;
        self.end_backups().await?;
        self.end_verification().await?;
        let open = store.open_backups(self.id).await?;
        self.take_backups(&owned, &open).await?;
        self.maintain(&owned, &open).await;
        self.check_presence(&owned).await;
        if is_due {
            self.schedule(&owned).await?;
            self.verify(&owned).await?;
            self.report(&owned).await?;
            self.reported_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Ends everything, so that another worker can take over at once.
    pub(super) async fn stop(mut self) {
        self.verifying = None;
        for taking in &self.takings {
            taking.abort();
        }
        let followers = self.archives.into_values().filter_map(|archive| archive.follower);
        futures::future::join_all(followers.map(Follower::stopped)).await;
        if let Err(error) = self.context.store.release_archives(self.id).await {
            tracing::debug!(%error, "the archives could not be given up; another worker takes them over a little later");
        }
    }

    async fn owned(&self) -> Result<Vec<Owned>> {
        let store = &self.context.store;
        let archives = store.owned_archives(self.id).await?;
        let ids: Vec<InstanceId> = archives.iter().map(|owned| owned.archive.instance).collect();
        let instances = store.instances_by_id(&ids).await?;
        let instances: HashMap<_, _> = instances.into_iter().map(|instance| (instance.id, instance)).collect();
        let policy = self.options.policy;
        let owned = archives.into_iter().filter_map(|archive| {
            // An instance that was upgraded has more than one archive.
            let instance = instances.get(&archive.archive.instance)?.clone();
            Some(Owned { policy: instance.backups.or(policy), archive, instance })
        });
        Ok(owned.collect())
    }

    /// Stops what belongs to archives that another worker owns now.
    fn give_up(&mut self, owned: &[Owned]) {
        let mine: BTreeSet<ArchiveId> = owned.iter().map(|owned| owned.archive.archive.id).collect();
        // No failure of the backup: its new owner has begun another attempt.
        for taking in self.takings.extract_if(.., |taking| !mine.contains(&taking.archive)) {
            taking.abort();
        }
        self.archives.retain(|id, archive| {
            if let Some(follower) = archive.follower.as_ref().filter(|_| !mine.contains(id)) {
                follower.stop();
            }
            mine.contains(id)
        });
        self.reported.retain(|id, _| mine.contains(id));
    }

    /// Follows an instance that runs, and that no operation works on, and one that is being deleted until its archive is closed.
    fn follow(&mut self, owned: &Owned) {
        let Owned { archive: OwnedArchive { archive, has_slot }, instance, policy } = owned;
        let known = self.archives.entry(archive.id).or_default();
        let is_running = owned.is_running() && archive.retired.is_none();
        let is_wanted = policy.enabled && (is_running || archive.closing.is_some_and(Closing::is_followed));
        let is_dropping = known.dropping.as_ref().is_some_and(|dropping| !dropping.is_finished());
        known.follower = match known.follower.take() {
            Some(follower) if follower.is_stopped() => {
                if archive.closing == Some(Closing::Closed) {
                    // What was archived last is not recorded as covered yet.
                    known.maintained_at = None;
                }
                None
            }
            Some(follower) if !is_wanted => {
                follower.stop();
                Some(follower)
            }
            None if is_wanted && !is_dropping => {
                Some(Follower::start(&self.context, &self.options, &known.followed, (instance.id, archive.id, !has_slot)))
            }
            follower => follower,
        };
        if is_running && !policy.enabled && *has_slot && known.follower.is_none() && !is_dropping {
            let (context, instance, archive) = (self.context.clone(), instance.id, archive.id);
            known.dropping = Some(tokio::spawn(async move {
                match drop_slot(&context, instance).await {
                    Ok(()) => drop(context.store.record_slot(archive, false).await),
                    Err(reason) => tracing::debug!(%instance, reason = reason.message, "the replication slot could not be dropped"),
                }
            }));
        }
    }

    /// Takes the base backups that are requested, and ends those that nobody wants any more.
    async fn take_backups(&mut self, owned: &[Owned], open: &[Backup]) -> Result<()> {
        let store = self.context.store.clone();
        for backup in open {
            if backup.status == BackupStatus::Deleting || self.takings.iter().any(|taking| taking.backup == backup.id) {
                continue;
            }
            let Some(owned) = owned.iter().find(|owned| owned.archive.archive.id == backup.archive) else { continue };
            if let Some(why) = refused(owned) {
                store.fail_backup(backup.id, None, &why, false).await?;
                continue;
            }
            let follower = self.archives.get(&backup.archive).and_then(|archive| archive.follower.as_ref());
            let Some(follower) = follower.filter(|follower| follower.status().is_some() && follower.failure().is_none()) else { continue };
            if self.takings.len() >= TAKING {
                continue;
            }
            // A directory of its own for each attempt: another worker may still write into that of the last.
            let object = if backup.object.is_none() { backup.id } else { BackupId::generate() };
            if store.begin_backup(backup.id, object).await? {
                self.takings.push(Taking::start(&self.context, &self.options, backup, object, follower.statuses()));
            }
        }
        for taking in self.takings.iter().filter(|taking| !taking.is_finished()) {
            let (bytes, total) = taking.progress();
            if !store.report_backup(taking.backup, taking.object, bytes, total).await? {
                taking.abort();
            }
        }
        Ok(())
    }

    /// Records what came of base backups.
    async fn end_backups(&mut self) -> Result<()> {
        while let Some(index) = self.takings.iter().position(Taking::is_finished) {
            let taking = self.takings.swap_remove(index);
            let (backup, object, archive, attempt) = (taking.backup, taking.object, taking.archive, taking.attempt);
            let outcome = taking.outcome().await;
            counter!("toygres_base_backups_total", "result" => if outcome.is_ok() { "available" } else { "failed" }).increment(1);
            match outcome {
                Ok(complete) => {
                    self.context.store.complete_backup(backup, object, &complete).await?;
                    if let Some(archive) = self.archives.get_mut(&archive) {
                        archive.maintained_at = None;
                        archive.findings.outdate();
                    }
                }
                Err(reason) => {
                    counter!("toygres_backup_failures_total", "what" => "base").increment(1);
                    tracing::warn!(%backup, attempt, reason = reason.message, "a base backup failed");
                    self.context.store.fail_backup(backup, Some(object), &reason, attempt < ATTEMPTS).await?;
                }
            }
        }
        Ok(())
    }

    /// Looks at archives whose follower has begun again, in which a base backup was completed or is to be deleted, and at each now and then.
    async fn maintain(&mut self, owned: &[Owned], open: &[Backup]) {
        let deleting = open.iter().filter(|backup| backup.status == BackupStatus::Deleting).map(|backup| backup.archive);
        let deleting: BTreeSet<ArchiveId> = deleting.collect();
        // What is being restored is not deleted. If that is not known, nothing is.
        let Ok(restoring) = self.context.store.archives_being_restored().await else { return };
        let mut free = MAINTAINED.saturating_sub(self.archives.values().filter(|archive| archive.maintenance.is_some()).count());
        for Owned { archive: OwnedArchive { archive, .. }, instance, policy } in owned {
            let is_free = |known: &&mut Archive| known.maintenance.is_none() && known.unmaintained_at.is_none_or(|at| at.elapsed() >= PAUSE);
            let Some(known) = self.archives.get_mut(&archive.id).filter(|_| free > 0).filter(is_free) else { continue };
            let now = self.context.store.now();
            let began = known.follower.as_ref().map_or(0, Follower::began);
            let found = known.findings.since(began);
            let has_begun = known.follower.as_ref().is_some_and(|follower| follower.status().is_some());
            let is_new = has_begun && found.is_none();
            let is_verified = self.verifying.as_ref().is_some_and(|verifying| verifying.archive == archive.id);
            let is_restored = restoring.contains(&archive.id) || is_verified;
            let ended_at = archive.retired.map(|retired| retired.at).into_iter().chain(instance.deleted_at).min();
            let is_over = ended_at.is_some_and(|at| at + policy.retention() <= now) && !is_restored;
            let is_to_go = is_over && found.is_none_or(|found| !found.keeps);
            let is_due = known.maintained_at.is_none_or(|at| at.elapsed() >= self.options.timing.maintenance);
            let is_deleted = instance.deleted_at.is_some();
            if is_new || is_to_go || is_due || (is_deleted && !known.is_told_of_deletion) || (deleting.contains(&archive.id) && !is_restored) {
                let subject = Subject {
                    worker: self.id,
                    instance: instance.id,
                    archive: archive.id,
                    policy: *policy,
                    record: record(archive, instance),
                    is_over,
                    status: known.follower.as_ref().and_then(Follower::status),
                    is_restored,
                    in_use: self.takings.iter().map(|taking| taking.object).collect(),
                    now,
                };
                let (store, objects) = (self.context.store.clone(), self.options.store.clone());
                known.maintenance = Some(tokio::spawn(async move { maintain(&store, &objects, &subject).await }));
                known.findings.begin(began);
                known.maintained_at = Some(Instant::now());
                known.is_told_of_deletion = is_deleted;
                free -= 1;
            }
        }
    }

    async fn finish_maintenance(&mut self) {
        for (id, archive) in &mut self.archives {
            let Some(task) = archive.maintenance.take_if(|task| task.is_finished()) else { continue };
            let outcome = task.await;
            archive.findings.end(outcome.as_ref().ok().and_then(|outcome| outcome.as_ref().ok()).copied());
            match outcome {
                Ok(Ok(_)) => archive.unmaintained_at = None,
                Ok(Err(reason)) => {
                    archive.unmaintained_at = Some(Instant::now());
                    counter!("toygres_backup_failures_total", "what" => "maintenance").increment(1);
                    tracing::warn!(archive = %id, reason = reason.message, "an archive could not be looked at; trying again");
                }
                Err(_) => tracing::error!(archive = %id, "looking at an archive ended unexpectedly"),
            }
        }
    }

    /// Requests the base backups that are due.
    async fn schedule(&self, owned: &[Owned]) -> Result<()> {
        let store = &self.context.store;
        let now = store.now();
        let owned: HashMap<ArchiveId, &Owned> = owned.iter().map(|owned| (owned.archive.archive.id, owned)).collect();
        for latest in store.latest_backups(self.id).await? {
            let Some(owned) = owned.get(&latest.archive).filter(|owned| owned.is_running()) else { continue };
            let Some(known) = self.archives.get(&latest.archive) else { continue };
            let Some(follower) = known.follower.as_ref().filter(|follower| follower.failure().is_none()) else { continue };
            // Only what was found since the follower has begun tells whether there is a gap.
            let Some(found) = known.findings.since(follower.began()) else { continue };
            let retry = TimeDelta::from_std(self.options.timing.retry).unwrap_or(TimeDelta::MAX);
            let has_failed = latest.failed_at.is_some_and(|at| at + retry > now);
            let is_old = latest.available_at.is_none_or(|at| at + owned.policy.interval() <= now);
            if !latest.in_progress && !has_failed && (is_old || latest.failed_verification || !found.continues) && refused(owned).is_none() {
                store.schedule_backup(latest.archive).await?;
            }
        }
        Ok(())
    }
}

/// What an archive says of its instance: a retired one is of the former version.
fn record(archive: &backup::Archive, instance: &Instance) -> InstanceRecord {
    let mut record = InstanceRecord::from(instance);
    if let Some(retired) = archive.retired {
        record.spec.postgres_version = retired.version;
    }
    // An imported instance is deleted too, so that it can be restored; nobody has closed its archive.
    record.deleted_at = archive.closing.and(instance.deleted_at);
    record
}

/// Why no base backup of an instance can be taken.
fn refused(owned: &Owned) -> Option<Reason> {
    let is_closing = owned.archive.archive.closing.is_some_and(Closing::is_followed);
    let why = match owned.instance.state {
        _ if owned.archive.archive.retired.is_some() => "the instance was upgraded, and has another archive",
        InstanceState::Deleting if is_closing => return None,
        InstanceState::Deleting | InstanceState::Deleted | InstanceState::Failed => "the instance is deleted",
        InstanceState::Suspended => "the instance was suspended",
        _ if !owned.policy.enabled => "backups of the instance are turned off, so the WAL that a backup needs is not archived",
        _ => return None,
    };
    Some(Reason::new(ReasonCode::BackupFailed, why))
}
