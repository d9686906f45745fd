//! What is in an archive: everything that coverage, retention and restores are computed from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use toygres_domain::{
    recovery::CompleteBackup,
    restoration::KnownCoverage,
    wal::{Lsn, Segment, SegmentSize, Timeline, TimelineHistory},
};

use crate::{
    Archive, BackupError, FollowStatus, StoreErrorKind, compression,
    coverage::Path,
    layout::{BackupId, GapReason, Partial, RECORD, WalObject},
    store::{Object, StoreError},
};

/// The contents of an archive at one time.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The size of its WAL segments.
    pub segment_size: SegmentSize,
    /// The base backups that are complete, by the time they were finished at.
    pub backups: Vec<BackupRecord>,
    /// Why the record of a base backup cannot be used. Whether it is complete is not known, so its files are no rest of one that is not.
    pub damaged: BTreeMap<BackupId, String>,
    /// The complete segments.
    pub segments: BTreeSet<Segment>,
    /// The segments that are archived up to an offset; one segment may have several.
    pub partials: BTreeSet<Partial>,
    /// The histories of timelines.
    pub histories: BTreeMap<Timeline, TimelineHistory>,
    /// Where the WAL was not archived, and why.
    pub gaps: BTreeMap<Segment, GapReason>,
    /// All files of base backups, those that are not complete too.
    pub base_files: BTreeMap<BackupId, Vec<Object>>,
    /// Bytes of all objects.
    pub bytes: u64,
    /// What whoever follows the instance knows beyond what the objects say.
    pub followed: Option<Followed>,
}

/// By the server's clock: whatever was committed by `covers` is durable in the store, in the WAL up to `durable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The timeline of the position.
    pub timeline: Timeline,
    /// The position.
    pub durable: Lsn,
    /// The time.
    pub covers: DateTime<Utc>,
}

/// The settings of a server that a standby of it, and so recovery, must not have lower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbySettings {
    /// `max_connections`.
    pub max_connections: u32,
    /// `max_worker_processes`.
    pub max_worker_processes: u32,
    /// `max_wal_senders`.
    pub max_wal_senders: u32,
    /// `max_prepared_transactions`.
    pub max_prepared_transactions: u32,
    /// `max_locks_per_transaction`.
    pub max_locks_per_transaction: u32,
}

impl StandbySettings {
    /// The higher of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let Self { max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions, max_locks_per_transaction } = self;
        Self {
            max_connections: max_connections.max(other.max_connections),
            max_worker_processes: max_worker_processes.max(other.max_worker_processes),
            max_wal_senders: max_wal_senders.max(other.max_wal_senders),
            max_prepared_transactions: max_prepared_transactions.max(other.max_prepared_transactions),
            max_locks_per_transaction: max_locks_per_transaction.max(other.max_locks_per_transaction),
        }
    }

    /// Their names and values.
    #[must_use]
    pub fn named(self) -> [(&'static str, u32); 5] {
        let Self { max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions, max_locks_per_transaction } = self;
        [
            ("max_connections", max_connections),
            ("max_worker_processes", max_worker_processes),
            ("max_wal_senders", max_wal_senders),
            ("max_prepared_transactions", max_prepared_transactions),
            ("max_locks_per_transaction", max_locks_per_transaction),
        ]
    }
}

/// A part of the tar archive of a base backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Bytes of it in the tar archive.
    pub bytes: u64,
    /// Bytes of it, compressed.
    pub stored_bytes: u64,
    /// The SHA-256 of the compressed bytes, before they are encrypted, in hexadecimal digits.
    pub sha256: String,
}

/// A complete base backup: the contents of `backup.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRecord {
    /// Its id.
    pub id: BackupId,
    /// `server_version_num`, such as 150018.
    pub server_version: u32,
    /// The timeline at its start and at its end.
    pub timeline: Timeline,
    /// The position from which the WAL is needed.
    pub start: Lsn,
    /// The position up to which the WAL is needed: it makes the backup consistent, and has everything that was committed by `finished_at`.
    pub end: Lsn,
    /// When it began, by the clock of the control plane.
    pub started_at: DateTime<Utc>,
    /// When it was finished, by the server's clock: the first time that can be restored from it.
    pub finished_at: DateTime<Utc>,
    /// The settings that recovery must not have lower.
    pub settings: StandbySettings,
    /// The parts of the tar archive.
    pub parts: Vec<PartRecord>,
    /// The SHA-256 of the manifest, in hexadecimal digits.
    pub manifest_sha256: String,
}

impl BackupRecord {
    /// Bytes of the tar archive.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Bytes in the store.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.stored_bytes).sum()
    }

    /// What the metadata has of it.
    #[must_use]
    pub fn complete(&self) -> CompleteBackup {
        CompleteBackup {
            bytes: self.bytes(),
            stored_bytes: self.stored_bytes(),
            wal: (self.timeline, self.start, self.end),
            server_version: self.server_version,
            finished_at: self.finished_at,
        }
    }
}

impl Listing {
    /// An archive without anything.
    #[must_use]
    pub fn empty(segment_size: SegmentSize) -> Self {
        Self {
            segment_size,
            backups: Vec::new(),
            damaged: BTreeMap::new(),
            segments: BTreeSet::new(),
            partials: BTreeSet::new(),
            histories: BTreeMap::new(),
            gaps: BTreeMap::new(),
            base_files: BTreeMap::new(),
            bytes: 0,
            followed: None,
        }
    }

    /// Lists an archive, and reads its records of backups and histories of timelines.
    ///
    /// # Errors
    /// The store fails, or a history is damaged. A damaged record concerns its own backup alone.
    pub async fn read(archive: &Archive) -> Result<Self, BackupError> {
        let mut listing = Self::read_wal(archive).await?;
        let layout = archive.layout();
        for object in archive.store().list(&layout.bases()).await? {
            if let Some((id, _)) = layout.parse_base(&object.path) {
                listing.bytes += object.bytes;
                listing.base_files.entry(id).or_default().push(object);
            }
        }
        let records = listing.base_files.iter().map(|(id, files)| (*id, layout.base_file(*id, RECORD), files));
        let complete = records.filter(|(_, path, files)| files.iter().any(|object| object.path == *path));
        let complete: Vec<_> = complete.map(|(id, path, _)| (id, path)).collect();
        let read = |(id, path): (BackupId, String)| async move { read_record(archive, id, &path).await.map(|record| (id, record)) };
        let mut records = futures::stream::iter(complete).map(read).buffered(8);
        while let Some((id, record)) = records.try_next().await? {
            match record {
                Ok(record) => listing.backups.push(record),
                Err(error) => {
                    tracing::warn!(backup = %id, %error, "the record of a base backup is damaged: the backup cannot be restored, and is kept");
                    listing.damaged.insert(id, error.to_string());
                }
            }
        }
        listing.backups.sort_by_key(|backup| (backup.finished_at, backup.id));
        Ok(listing)
    }

    /// The same, with what the status of following the instance says: the objects say only every few minutes that an idle instance is
    /// still covered. A status that is newer than the listing changes nothing.
    #[must_use]
    pub fn with_status(self, status: Option<&FollowStatus>) -> Self {
        let followed = status.and_then(|status| Some(Followed { timeline: status.timeline, durable: status.durable, covers: status.covers? }));
        Self { followed, ..self }
    }

    /// The same, with what a worker had reported of the archive. It is about the newest timeline: an archive is of one cluster.
    #[must_use]
    pub fn with_known(self, known: Option<KnownCoverage>) -> Self {
        let timeline = Path::of(&self).newest();
        let followed = known.map(|KnownCoverage { at, durable }| Followed { timeline, durable, covers: at });
        Self { followed, ..self }
    }

    /// The same, as it is without some base backups.
    #[must_use]
    pub fn without(mut self, omitted: &dyn Fn(&BackupId) -> bool) -> Self {
        self.backups.retain(|backup| !omitted(&backup.id));
        self.damaged.retain(|id, _| !omitted(id));
        self.base_files.retain(|id, _| !omitted(id));
        self
    }

    /// Lists the WAL of an archive alone.
    pub(crate) async fn read_wal(archive: &Archive) -> Result<Self, BackupError> {
        let mut listing = Self::empty(archive.segment_size());
        let layout = archive.layout();
        for object in archive.store().list(&layout.wal()).await? {
            listing.bytes += object.bytes;
            match layout.parse_wal(&object.path, listing.segment_size) {
                Some(WalObject::Complete(segment)) => drop(listing.segments.insert(segment)),
                Some(WalObject::Partial(partial)) => drop(listing.partials.insert(partial)),
                Some(WalObject::Gap(segment, reason)) => drop(listing.gaps.insert(segment, reason)),
                Some(WalObject::History(timeline)) => {
                    let content = compression::decompress(archive.store().read(&object.path).await?, compression::MAX_SMALL).await;
                    let history = content
                        .map_err(|error| error.to_string())
                        .and_then(|content| TimelineHistory::parse(&String::from_utf8_lossy(&content)).map_err(|error| error.to_string()));
                    listing.histories.insert(timeline, history.map_err(|error| archive.store().damaged(&object.path, error))?);
                }
                None => {}
            }
        }
        Ok(listing)
    }
}

/// The record of a base backup; the inner error says that it is damaged.
async fn read_record(archive: &Archive, id: BackupId, path: &str) -> Result<Result<BackupRecord, StoreError>, StoreError> {
    let content = match archive.store().read(path).await {
        Err(error) if error.kind == StoreErrorKind::Damaged => return Ok(Err(error)),
        content => content?,
    };
    let damaged = |why: &dyn std::fmt::Display| archive.store().damaged(path, why);
    Ok(match serde_json::from_slice::<BackupRecord>(&content) {
        Ok(record) if record.id == id => Ok(record),
        Ok(record) => Err(damaged(&format_args!("it is the record of {}", record.id))),
        Err(error) => Err(damaged(&error)),
    })
}
