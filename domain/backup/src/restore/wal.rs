//! Fetches the WAL of a restore.

use std::path::Path;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt};
use toygres_domain::wal::{Lsn, Segment};

use super::Plan;
use crate::{
    Archive, BackupError, compression,
    error::blocking,
    layout::{Partial, WalObject},
    listing::Listing,
    recovery::Stop,
    store::StoreErrorKind,
    wal_records::{WalReader, WalSummary},
};

/// Segments that are fetched at the same time.
const PARALLEL: usize = 4;

/// The WAL that was fetched.
pub(super) struct Fetched {
    /// The files, below the data directory.
    pub(super) files: Vec<String>,
    pub(super) bytes: u64,
    pub(super) end: Lsn,
    pub(super) summary: WalSummary,
}

/// Writes the segments that the plan needs into `pg_wal`, and reads them. Those behind the point at which recovery stops are not fetched.
pub(super) async fn fetch(archive: &Archive, plan: &Plan, directory: &Path, progress: &(dyn Fn(u64) + Send + Sync)) -> Result<Fetched, BackupError> {
    let size = archive.segment_size();
    let objects = plan.segments.iter().map(|segment| WalObject::Complete(*segment)).chain(plan.partial.map(WalObject::Partial));
    let mut contents = futures::stream::iter(objects.collect::<Vec<_>>()).map(|object| content(archive, object).boxed()).buffered(PARALLEL);
    let mut reader = WalReader::default();
    let mut fetched = Fetched { files: Vec::new(), bytes: 0, end: plan.backup.start, summary: reader.summary() };
    while let Some((segment, end, content)) = contents.try_next().await? {
        let name = format!("pg_wal/{}", size.file_name(segment));
        let path = directory.join(&name);
        fetched.bytes += content.len() as u64;
        fetched.end = end;
        let start = size.start(segment.number);
        reader = blocking(move || {
            std::fs::write(&path, &content)?;
            reader.read(start, &content, end);
            Ok(reader)
        })
        .await
        .map_err(BackupError::io(format!("writing {name}")))?;
        fetched.files.push(name);
        fetched.summary = reader.summary();
        progress(fetched.bytes);
        let reached = match plan.stop {
            Stop::Time(time) => fetched.summary.last_transaction.is_some_and(|last| last > time),
            Stop::Lsn(lsn) => fetched.summary.last_record.is_some_and(|last| last >= lsn),
            Stop::Consistent | Stop::EndOfWal => false,
        };
        if reached && end >= plan.backup.end {
            break;
        }
    }
    Ok(fetched)
}

/// The content of a segment, and up to where it has WAL.
async fn content(archive: &Archive, object: WalObject) -> Result<(Segment, Lsn, Bytes), BackupError> {
    let size = archive.segment_size();
    let (object, bytes) = match (archive.store().read(&archive.wal_path(object)).await, object) {
        (Err(error), WalObject::Partial(partial)) if error.kind == StoreErrorKind::NotFound => superseding(archive, partial).await?,
        (read, object) => (object, read?),
    };
    let (segment, end) = match object {
        WalObject::Partial(partial) => (partial.segment, partial.end(size)),
        WalObject::Complete(segment) | WalObject::Gap(segment, _) => (segment, size.start(segment.number + 1)),
        WalObject::History(timeline) => return Err(BackupError::Damaged(format!("the history of timeline {timeline} is no segment"))),
    };
    let path = archive.wal_path(object);
    let content = compression::decompress(bytes, size.bytes()).await.map_err(|error| archive.store().damaged(&path, error))?;
    if content.len() as u64 != size.bytes() {
        return Err(archive.store().damaged(&path, "it is not as long as a segment").into());
    }
    Ok((segment, end, content))
}

/// What has superseded a partial segment since the archive was listed: it has at least as much.
async fn superseding(archive: &Archive, partial: Partial) -> Result<(WalObject, Bytes), BackupError> {
    let listing = Listing::read_wal(archive).await?;
    let object = if listing.segments.contains(&partial.segment) {
        WalObject::Complete(partial.segment)
    } else {
        WalObject::Partial(listing.longest_partial(partial.segment).unwrap_or(partial))
    };
    Ok((object, archive.store().read(&archive.wal_path(object)).await?))
}
