//! Whether what was archived last is still in the store. It costs one request that lists few objects, so it can be asked often.

use std::collections::BTreeSet;

use toygres_domain::wal::{Lsn, Segment, Timeline};

use crate::{
    Archive, BackupError, FollowStatus, StoreErrorKind,
    layout::{Layout, WalObject},
    store::Store,
};

/// The newest segments that are looked for. Older ones are found to be missing when the whole archive is listed.
const CHECKED: u64 = 100;

/// The first of the newest objects that is missing, by what whoever follows the instance has archived since a base backup began, at `since`.
///
/// # Errors
/// The store fails, or what it holds is damaged.
pub async fn find_missing(store: &Store, layout: &Layout, since: (Timeline, Lsn), status: &FollowStatus) -> Result<Option<String>, BackupError> {
    let archive = match Archive::open(store.clone(), layout.clone()).await {
        Err(BackupError::Store(error)) if error.kind == StoreErrorKind::NotFound => return Ok(Some(layout.description())),
        opened => opened?,
    };
    let (size, timeline) = (archive.segment_size(), status.timeline);
    // The names of another timeline are elsewhere.
    if since.0 != timeline {
        return Ok(None);
    }
    let open = status.durable.0 / size.bytes();
    let first = (since.1.0 / size.bytes()).max(open.saturating_sub(CHECKED));
    let name = |number| size.file_name(Segment { timeline, number });
    let (mut complete, mut partial) = (BTreeSet::new(), BTreeSet::new());
    for object in store.list_after(&layout.wal(), &format!("{}/{}", layout.wal(), name(first))).await? {
        match layout.parse_wal(&object.path, size) {
            Some(WalObject::Complete(segment)) if segment.timeline == timeline => drop(complete.insert(segment.number)),
            Some(WalObject::Partial(found)) if found.segment.timeline == timeline => drop(partial.insert(found.segment.number)),
            _ => {}
        }
    }
    let is_open_missing = size.floor(status.durable) < status.durable && !complete.contains(&open) && !partial.contains(&open);
    let missing = (first..open).find(|number| !complete.contains(number)).or(is_open_missing.then_some(open));
    Ok(missing.map(|number| format!("{}/{}", layout.wal(), name(number))))
}
