//! Where to continue.

use bytes::Bytes;
use toygres_domain::wal::{Lsn, Segment, Timeline};
use toygres_postgres::replication::{ReplicationConnection, SlotName};

use super::in_use;
use crate::{
    Archive, BackupError,
    layout::{GapReason, WalObject},
    listing::Listing,
};

/// Where a stream begins.
#[derive(Clone, Debug)]
pub(super) struct Position {
    pub(super) timeline: Timeline,
    /// The start of a segment.
    pub(super) start: Lsn,
    /// Up to where the archive is.
    pub(super) durable: Lsn,
    pub(super) gap: Option<(Lsn, Lsn, GapReason)>,
}

impl Position {
    /// Continues where the archive ends. If the server does not have the WAL from there on any more, records the gap and continues with the
    /// oldest that it has.
    pub(super) async fn find(
        archive: &Archive,
        listing: &Listing,
        connection: &mut ReplicationConnection,
        slot: &SlotName,
    ) -> Result<Self, BackupError> {
        let size = archive.segment_size();
        let (existing, reason) = match connection.read_slot(slot).await? {
            Some(existing) if existing.restart.is_some() => (existing, GapReason::Missing),
            Some(_) => {
                connection.drop_slot(slot).await.map_err(in_use)?;
                (create(connection, slot).await?, GapReason::SlotLost)
            }
            None => (create(connection, slot).await?, GapReason::SlotDropped),
        };
        let Some((slot_timeline, restart)) = existing.restart else {
            return Err(BackupError::Damaged("a replication slot without WAL was created".to_owned()));
        };
        let oldest = size.floor(restart);
        let Some((timeline, durable)) = listing.end_of_wal() else {
            return Ok(Self { timeline: slot_timeline, start: oldest, durable: oldest, gap: None });
        };
        let start = size.floor(durable);
        if oldest <= start {
            return Ok(Self { timeline, start, durable, gap: None });
        }
        let missing = size.segment(timeline, durable);
        let path = archive.wal_path(WalObject::Gap(missing, reason));
        archive.store().create(&path, Bytes::from_static(b"{}\n")).await?;
        tracing::warn!(from = %durable, to = %oldest, %reason, "WAL could not be archived, because the server has removed it");
        Ok(Self { timeline: slot_timeline, start: oldest, durable: oldest, gap: Some((durable, oldest, reason)) })
    }
}

async fn create(connection: &mut ReplicationConnection, slot: &SlotName) -> Result<toygres_postgres::replication::Slot, BackupError> {
    connection.create_slot(slot).await?;
    connection.read_slot(slot).await?.ok_or_else(|| BackupError::Damaged("a replication slot vanished".to_owned()))
}

impl Listing {
    /// The end of the WAL in the archive, on its newest timeline.
    fn end_of_wal(&self) -> Option<(Timeline, Lsn)> {
        let end = |segment: &Segment| (segment.timeline, self.segment_size.start(segment.number + 1));
        let complete = self.segments.iter().map(end);
        complete.chain(self.partials.iter().map(|partial| (partial.segment.timeline, partial.end(self.segment_size)))).max()
    }
}
