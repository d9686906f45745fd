//! Restores.

mod plan;
mod unpack;
mod wal;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use toygres_domain::{restoration::Restoration, wal::Lsn};

pub use plan::{Plan, Target, plan};
pub use unpack::FileOwner;

use crate::{
    Archive, BackupError, Progress,
    error::blocking,
    layout::{BackupId, Layout, WalObject},
    listing::Listing,
    recovery::{RecoverySettings, Stop},
    store::{Store, StoreErrorKind},
};

/// How often an archive is listed that seems to have less than it had, and the pause between: while the instance is followed, a listing may
/// miss both of two objects of which one replaces the other.
const LISTINGS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Opens an archive and plans a restoration from it.
///
/// # Errors
/// See [`BackupError`]: [`BackupError::NotCovered`] also if there is no such archive, or if it has less than is known of it, and everything is
/// to be restored.
pub async fn find(store: Store, restoration: &Restoration) -> Result<(Archive, Plan), BackupError> {
    let Restoration { source, archive, target, known, avoid, clones: _ } = restoration;
    let archive = match Archive::open(store, Layout::new(*source, *archive)).await {
        Err(BackupError::Store(error)) if error.kind == StoreErrorKind::NotFound => return Err(plan::not_covered(*target, Vec::new())),
        opened => opened?,
    };
    let avoided = |backup: &BackupId| avoid.contains(backup) && *target != Target::Backup(*backup);
    let mut listings = 1;
    loop {
        let listing = Listing::read(&archive).await?.with_known(*known).without(&avoided);
        let plan = plan(&listing, *target)?;
        match known.filter(|known| *target == Target::Latest && plan.end() < known.durable) {
            None => return Ok((archive, plan)),
            Some(known) if listings == LISTINGS => return Err(plan::less_than_known(&listing, &plan, known)),
            Some(_) => {}
        }
        listings += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Where to restore to.
#[derive(Clone, Debug)]
pub struct RestoreOptions {
    /// The data directory, which must be empty or not exist.
    pub directory: PathBuf,
    /// Who the files belong to, if it is not this process. Changing it takes privileges.
    pub owner: Option<FileOwner>,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// The base backup.
    pub backup: BackupId,
    /// Bytes of its files.
    pub base_bytes: u64,
    /// Bytes of the WAL.
    pub wal_bytes: u64,
    /// From where on the WAL is replayed.
    pub wal_start: Lsn,
    /// Up to where the WAL was restored. Recovery may stop before.
    pub wal_end: Lsn,
    /// The latest time at which a transaction ended in that WAL.
    pub last_transaction: Option<DateTime<Utc>>,
    /// How PostgreSQL recovers: what was written into the directory.
    pub settings: RecoverySettings,
}

/// Makes a data directory that PostgreSQL recovers to the target of the plan when it starts: the files of the base backup, each compared
/// with its manifest, the WAL in `pg_wal`, and the settings of the recovery, which [`RecoverySettings::remove`] removes afterwards.
///
/// # Errors
/// See [`BackupError`]. The directory is not complete then.
pub async fn restore(
    archive: &Archive,
    plan: &Plan,
    options: &RestoreOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<RestoreReport, BackupError> {
    let directory = Arc::<std::path::Path>::from(options.directory.as_path());
    let owner = options.owner;
    let (total, base_done, wal_done) = (Some(plan.bytes()), AtomicU64::new(0), AtomicU64::new(0));
    let note = |part: &AtomicU64, bytes| {
        part.store(bytes, Ordering::Relaxed);
        progress(Progress { bytes: base_done.load(Ordering::Relaxed) + wal_done.load(Ordering::Relaxed), total });
    };
    let (note_base, note_wal) = (|bytes| note(&base_done, bytes), |bytes| note(&wal_done, bytes));
    let unpacking = unpack::begin(archive, &plan.backup, directory.clone(), owner).boxed().await?;
    // At the same time: the one decompresses, hashes and writes in one thread, the other in several.
    let base = unpack::unpack(archive, &plan.backup, unpacking, &note_base).boxed();
    let wal = wal::fetch(archive, plan, &directory, &note_wal).boxed();
    let (base_bytes, wal) = tokio::try_join!(base, wal)?;
    let mut files = vec!["recovery.signal".to_owned(), "postgresql.auto.conf".to_owned()];
    for timeline in &plan.histories {
        let object = archive.store().read(&archive.wal_path(WalObject::History(*timeline))).await?;
        let content = crate::compression::decompress(object, crate::compression::MAX_SMALL).await;
        let content = content.map_err(|error| BackupError::Damaged(format!("the history of timeline {timeline}: {error}")))?;
        let name = format!("pg_wal/{}", timeline.history_file_name());
        std::fs::write(directory.join(&name), content).map_err(BackupError::io(format!("writing {name}")))?;
        files.push(name);
    }
    files.extend(wal.files);
    let summary = wal.summary;
    let stop = match plan.stop {
        Stop::Time(time) if summary.last_transaction.is_none_or(|last| last <= time) => Stop::EndOfWal,
        Stop::Lsn(lsn) if summary.last_record.is_none_or(|last| last < lsn) => Stop::EndOfWal,
        stop => stop,
    };
    let settings = RecoverySettings { stop, timeline: plan.timeline, standby: plan.backup.settings.max(summary.settings) };
    let written = settings.clone();
    blocking(move || {
        written.write(&directory)?;
        files.iter().try_for_each(|name| unpack::give(&directory.join(name), owner))
    })
    .await?;
    Ok(RestoreReport {
        backup: plan.backup.id,
        base_bytes,
        wal_bytes: wal.bytes,
        wal_start: plan.backup.start,
        wal_end: wal.end,
        last_transaction: summary.last_transaction,
        settings,
    })
}
