//! Takes one base backup.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle};
use toygres_backup::{Archive, BackupError, BackupRecord, BaseBackupOptions, Coverage, FollowStatus, Layout, Listing, take_base_backup};
use toygres_domain::{
    InstanceId,
    backup::{ArchiveId, Backup, BackupId},
    instance::{Reason, ReasonCode},
    recovery::CompleteBackup,
};

use super::{BackupOptions, follower::target};
use crate::ActivityContext;

/// How long a server may send nothing: a base backup begins with a checkpoint.
const TIMEOUT: Duration = Duration::from_secs(600);
/// How long the WAL of a base backup may take to be in the store.
const WAL: Duration = Duration::from_secs(600);
/// GiB that a base backup may have if the volume of the instance has no limit.
const UNLIMITED_GB: u64 = 16 * 1024;

/// A task that takes a base backup.
pub(super) struct Taking {
    /// The row.
    pub(super) backup: BackupId,
    /// The directory in the store.
    pub(super) object: BackupId,
    /// The archive.
    pub(super) archive: ArchiveId,
    /// How often it was begun, with this attempt.
    pub(super) attempt: i32,
    progress: Arc<Progress>,
    task: JoinHandle<Result<CompleteBackup, Reason>>,
}

#[derive(Default)]
struct Progress {
    bytes: AtomicU64,
    total: AtomicU64,
}

impl Taking {
    /// Begins to take a base backup of an instance that is followed.
    pub(super) fn start(
        context: &ActivityContext,
        options: &BackupOptions,
        backup: &Backup,
        object: BackupId,
        statuses: watch::Receiver<Option<FollowStatus>>,
    ) -> Self {
        let progress = Arc::<Progress>::default();
        let taking = take(context.clone(), options.clone(), (backup.instance, backup.archive, object), statuses, progress.clone());
        Self { backup: backup.id, object, archive: backup.archive, attempt: backup.attempt + 1, progress, task: tokio::spawn(taking) }
    }

    /// Bytes so far, and about how many it will be.
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        let total = self.progress.total.load(Ordering::Relaxed);
        (self.progress.bytes.load(Ordering::Relaxed), (total > 0).then_some(total))
    }

    /// Whether it has ended.
    pub(super) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends it. What it has written is deleted later.
    pub(super) fn abort(&self) {
        self.task.abort();
    }

    /// What came of it.
    pub(super) async fn outcome(self) -> Result<CompleteBackup, Reason> {
        self.task.await.unwrap_or_else(|_| Err(Reason::new(ReasonCode::Internal, "the backup ended unexpectedly; the server's log says more")))
    }
}

async fn take(
    context: ActivityContext,
    options: BackupOptions,
    (instance, archive, object): (InstanceId, ArchiveId, BackupId),
    mut statuses: watch::Receiver<Option<FollowStatus>>,
    progress: Arc<Progress>,
) -> Result<CompleteBackup, Reason> {
    let target = target(&context, instance).await?;
    let archive = Archive::open(options.store, Layout::new(instance, archive)).await.map_err(|error| error.reason())?;
    let volume = context.runtime.volume_gb(instance).await.map_err(|error| error.reason)?;
    let limit = volume.and_then(|gb| u64::try_from(gb).ok()).unwrap_or(UNLIMITED_GB).saturating_add(1) << 30;
    let base = BaseBackupOptions { id: object, limit, timeout: TIMEOUT };
    let note = |now: toygres_backup::Progress| {
        progress.bytes.store(now.bytes, Ordering::Relaxed);
        progress.total.store(now.total.unwrap_or(0), Ordering::Relaxed);
    };
    let record: BackupRecord = take_base_backup(&target, &archive, &base, &note).await.map_err(|error| error.reason())?;
    // Without the WAL up to its end it cannot be restored.
    let durable = statuses.wait_for(|status| status.as_ref().is_some_and(|status| status.durable >= record.end));
    let failed = |why: &str| Err(Reason::new(ReasonCode::BackupFailed, why));
    match tokio::time::timeout(WAL, durable).await {
        Ok(Ok(_)) => {}
        Ok(Err(_)) => return failed("this worker does not archive the WAL of the instance any more"),
        Err(_) => return failed("the WAL that the backup needs was not archived within 10 minutes"),
    }
    // What is durable may lie behind a gap.
    let listing = Listing::read(&archive).await.map_err(|error| error.reason())?;
    if let Some(why) = listing.damaged.get(&object) {
        return Err(BackupError::Damaged(why.clone()).reason());
    }
    if !Coverage::of(&listing).includes(object) {
        return Err(Reason::new(ReasonCode::BackupFailed, "some of the WAL that the backup needs is not in the archive"));
    }
    Ok(record.complete())
}
