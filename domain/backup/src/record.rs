//! What an archive says of its instance, so that it can be restored when nothing else is left.

use toygres_domain::{
    InstanceId,
    backup::ArchiveId,
    recovery::{FoundArchive, InstanceRecord},
};

use crate::{
    Archive, BackupError, Coverage, Layout, Listing, Store,
    store::{StoreError, StoreErrorKind},
};

/// Records what the instance of an archive is, unless that is recorded already. Objects are not overwritten: the latest one counts, and
/// those before it are deleted.
///
/// # Errors
/// The store fails.
pub async fn record_instance(archive: &Archive, record: &InstanceRecord) -> Result<(), BackupError> {
    let (store, layout) = (archive.store(), archive.layout());
    let numbers = numbers(store, layout).await?;
    let latest = numbers.last().copied();
    let content = serde_json::to_vec_pretty(record).map_err(|error| BackupError::Damaged(error.to_string()))?;
    let is_recorded = match latest {
        Some(number) => store.read(&layout.record(number)).await? == content,
        None => false,
    };
    if !is_recorded {
        store.create(&layout.record(latest.map_or(1, |number| number.saturating_add(1))), content.into()).await?;
    }
    let before = numbers.into_iter().filter(|number| !is_recorded || Some(*number) != latest);
    for number in before {
        store.delete(&layout.record(number)).await?;
    }
    Ok(())
}

/// The archives in a store that say what their instance is, but for those of the instances that `is_known`. Of an instance with several, the
/// latest.
///
/// # Errors
/// The store fails, or what it holds is damaged.
pub async fn find_archives(store: &Store, is_known: &(dyn Fn(InstanceId) -> bool + Sync)) -> Result<Vec<FoundArchive>, BackupError> {
    let mut found = Vec::new();
    for instance in store.directories("").await?.iter().filter_map(|name| name.parse().ok()).filter(|id| !is_known(*id)) {
        let mut archives: Vec<FoundArchive> = Vec::new();
        for archive in store.directories(&instance.to_string()).await?.iter().filter_map(|name| name.parse().ok()) {
            archives.extend(read(store, instance, archive).await?);
        }
        let latest = |archive: &FoundArchive| archive.coverage.intervals.last().map(|interval| interval.to);
        found.extend(archives.into_iter().max_by_key(latest));
    }
    Ok(found)
}

async fn read(store: &Store, instance: InstanceId, archive: ArchiveId) -> Result<Option<FoundArchive>, BackupError> {
    let layout = Layout::new(instance, archive);
    let opened = match Archive::open(store.clone(), layout.clone()).await {
        Err(BackupError::Store(error)) if error.kind == StoreErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let Some(number) = numbers(store, &layout).await?.pop() else { return Ok(None) };
    let path = layout.record(number);
    let record = serde_json::from_slice(&store.read(&path).await?).map_err(|error| store.damaged(&path, error))?;
    let listing = Listing::read(&opened).await?;
    let coverage = Coverage::of(&listing).to_domain(false);
    let backups = listing.backups.iter().map(|backup| (backup.id, backup.complete())).collect();
    Ok(Some(FoundArchive { instance, archive, record, backups, coverage, stored_bytes: listing.bytes }))
}

/// In ascending order.
async fn numbers(store: &Store, layout: &Layout) -> Result<Vec<u32>, StoreError> {
    let mut numbers: Vec<_> = store.list(&layout.records()).await?.iter().filter_map(|object| layout.parse_record(&object.path)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}
