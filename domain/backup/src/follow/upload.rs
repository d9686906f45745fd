//! Makes what was received durable.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;
use toygres_domain::wal::{Lsn, Segment};

use crate::{
    Archive, BackupError, compression,
    error::blocking,
    layout::{Partial, WalObject},
    spool::SpoolContent,
};

/// Segments of all instances that are compressed and on their way to a store at the same time: each is in memory, compressed.
static UPLOADS: Semaphore = Semaphore::const_new(16);

/// What became durable.
pub(super) struct Uploaded {
    pub(super) end: Lsn,
    pub(super) covers: Option<DateTime<Utc>>,
    /// The partial segment that was written, which makes the one before it superfluous.
    pub(super) partial: Option<Partial>,
}

/// Archives a segment, complete or up to where it was received. A complete one tells no time, so with `mark` the next segment is archived
/// too, up to its beginning.
pub(super) async fn upload(archive: Archive, content: SpoolContent, covers: Option<DateTime<Utc>>, mark: bool) -> Result<Uploaded, BackupError> {
    // It is never closed.
    let _permit = UPLOADS.acquire().await;
    let content = Arc::new(content);
    let compressed = {
        let content = content.clone();
        blocking(move || content.compress()).await.map_err(BackupError::io("compressing WAL"))?
    };
    let limit = archive.segment_size().bytes();
    let end = content.end();
    if !content.is_complete() {
        let offset = u32::try_from(content.received).map_err(|_| BackupError::Damaged("a segment is too large".to_owned()))?;
        let partial = Partial { segment: content.segment, offset, covers: covers.unwrap_or(DateTime::UNIX_EPOCH) };
        archive.create_compressed(&archive.wal_path(WalObject::Partial(partial)), compressed, limit).await?;
        return Ok(Uploaded { end, covers, partial: Some(partial) });
    }
    archive.create_compressed(&archive.wal_path(WalObject::Complete(content.segment)), compressed, limit).await?;
    let Some(covers) = covers.filter(|_| mark) else { return Ok(Uploaded { end, covers, partial: None }) };
    let next = Segment { number: content.segment.number + 1, ..content.segment };
    let partial = Partial { segment: next, offset: 0, covers };
    let empty = blocking(move || compression::compress_reader(std::io::Read::take(std::io::repeat(0), limit))).await;
    let empty = empty.map_err(BackupError::io("compressing WAL"))?;
    archive.create_compressed(&archive.wal_path(WalObject::Partial(partial)), empty, limit).await?;
    Ok(Uploaded { end, covers: Some(covers), partial: Some(partial) })
}

/// Deletes a partial segment that another has superseded. If that fails, retention deletes it later.
pub(super) async fn delete_superseded(archive: &Archive, partial: Partial) {
    if let Err(error) = archive.store().delete(&archive.wal_path(WalObject::Partial(partial))).await {
        tracing::debug!(%error, "a superseded partial segment stays until retention deletes it");
    }
}
