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

/// What was found in a store.
#[derive(Debug, Default)]
pub struct FoundArchives {
    /// Of each instance, the latest archive.
    pub archives: Vec<FoundArchive>,
    /// The archives that cannot be read. Their instances are not among those found, even if another archive can be: that one may be older, and
    /// whoever imports it does not look for this one again.
    pub unreadable: Vec<(InstanceId, BackupError)>,
    /// The base backups whose records are damaged, in archives that were found.
    pub damaged: Vec<(InstanceId, BackupError)>,
}

/// The archives in a store that say what their instance is, but for those of the instances that `is_known`.
///
/// # Errors
/// The store fails. What is wrong with one archive says nothing of the others.
pub async fn find_archives(store: &Store, is_known: &(dyn Fn(InstanceId) -> bool + Sync)) -> Result<FoundArchives, BackupError> {
    let mut found = FoundArchives::default();
    for instance in store.directories("").await?.iter().filter_map(|name| name.parse().ok()).filter(|id| !is_known(*id)) {
        let (mut archives, unreadable) = (Vec::new(), found.unreadable.len());
        for archive in store.directories(&instance.to_string()).await?.iter().filter_map(|name| name.parse().ok()) {
            match read(store, instance, archive).await {
                Ok(read) => archives.extend(read),
                Err(error) if is_of_one_archive(&error) => found.unreadable.push((instance, error)),
                Err(error) => return Err(error),
            }
        }
        if found.unreadable.len() > unreadable {
            continue;
        }
        let latest = |(archive, _): &(FoundArchive, _)| archive.coverage.intervals.last().map(|interval| interval.to);
        if let Some((archive, damaged)) = archives.into_iter().max_by_key(latest) {
            found.archives.push(archive);
            found.damaged.extend(damaged.into_iter().map(|error| (instance, error)));
        }
    }
    Ok(found)
}

/// Whether something is wrong with the objects of an archive, or with the identity that they are decrypted with.
fn is_of_one_archive(error: &BackupError) -> bool {
    match error {
        BackupError::Store(error) => matches!(error.kind, StoreErrorKind::Damaged | StoreErrorKind::Configuration),
        error => matches!(error, BackupError::Damaged(_)),
    }
}

/// An archive, and what is wrong with its base backups.
async fn read(store: &Store, instance: InstanceId, archive: ArchiveId) -> Result<Option<(FoundArchive, Vec<BackupError>)>, BackupError> {
    let layout = Layout::new(instance, archive);
    let opened = match Archive::open(store.clone(), layout.clone()).await {
        Err(BackupError::Store(error)) if error.kind == StoreErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let Some(number) = numbers(store, &layout).await?.pop() else { return Ok(None) };
    let path = layout.record(number);
    let record = serde_json::from_slice(&store.read(&path).await?).map_err(|error| store.damaged(&path, error))?;
    let listing = Listing::read(&opened).await?;
    let mut damaged: Vec<BackupError> = listing.damaged.values().cloned().map(BackupError::Damaged).collect();
    if listing.backups.is_empty()
        && let Some(error) = damaged.pop()
    {
        return Err(error);
    }
    let coverage = Coverage::of(&listing).to_domain(false);
    let backups = listing.backups.iter().map(|backup| (backup.id, backup.complete())).collect();
    Ok(Some((FoundArchive { instance, archive, record, backups, coverage, stored_bytes: listing.bytes }, damaged)))
}

/// In ascending order.
async fn numbers(store: &Store, layout: &Layout) -> Result<Vec<u32>, StoreError> {
    let mut numbers: Vec<_> = store.list(&layout.records()).await?.iter().filter_map(|object| layout.parse_record(&object.path)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}
