//! Restores onto a volume of their own: what is fetched is recovered by PostgreSQL, which runs elsewhere, before it is finished.
//!
//! It lies beside the data directory until then. So a data directory that exists is complete, and what finds one leaves it alone.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use toygres_domain::restoration::Restoration;

use crate::{BackupError, Progress, RecoverySettings, RestoreOptions, RestoreReport, Store, error::blocking, find, restore};

/// Where a data directory lies until it is complete.
#[must_use]
pub fn draft(directory: &Path) -> PathBuf {
    let mut name = OsString::from(directory);
    name.push(".restoring");
    name.into()
}

/// Fetches what PostgreSQL recovers at [`draft`], in place of what an interrupted attempt has left there. Does nothing and returns `None` if
/// the data directory exists.
///
/// # Errors
/// See [`BackupError`].
pub async fn fetch(
    store: Store,
    restoration: &Restoration,
    directory: &Path,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Option<RestoreReport>, BackupError> {
    let draft = draft(directory);
    let (wanted, place) = (directory.to_owned(), draft.clone());
    if !blocking(move || prepare(&wanted, &place)).await? {
        return Ok(None);
    }
    let (archive, plan) = find(store, restoration).await?;
    restore(&archive, &plan, &RestoreOptions { directory: draft, owner: None }, progress).await.map(Some)
}

/// Makes room for a draft; returns whether one is needed.
fn prepare(directory: &Path, draft: &Path) -> Result<bool, BackupError> {
    if directory.try_exists().map_err(BackupError::io(format!("looking for {}", directory.display())))? {
        return Ok(false);
    }
    match fs::remove_dir_all(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BackupError::io(format!("removing {}", draft.display()))(error)),
        _ => {}
    }
    let parent = draft.parent().unwrap_or(draft);
    fs::create_dir_all(parent).map_err(BackupError::io(format!("creating {}", parent.display())))?;
    Ok(true)
}

/// Makes what PostgreSQL has recovered, and synced, the data directory, with an empty file `mark` in it. Does nothing if that is done.
///
/// # Errors
/// A file cannot be changed.
pub fn finish(directory: &Path, mark: &str) -> Result<(), BackupError> {
    let draft = draft(directory);
    let failed = || BackupError::io(format!("finishing {}", directory.display()));
    if directory.try_exists().map_err(failed())? {
        return Ok(());
    }
    RecoverySettings::remove(&draft)?;
    let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all()).map_err(BackupError::io(format!("syncing {}", path.display())));
    sync(&draft.join("postgresql.auto.conf"))?;
    File::create(draft.join(mark)).and_then(|file| file.sync_all()).map_err(failed())?;
    sync(&draft)?;
    fs::rename(&draft, directory).map_err(failed())?;
    sync(directory.parent().unwrap_or(directory))
}

#[cfg(test)]
mod tests {
    use toygres_domain::wal::Timeline;

    use super::*;
    use crate::{StandbySettings, Stop};

    #[test]
    fn what_is_complete_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("17/data");
        let draft = draft(&directory);
        assert_eq!(draft, root.path().join("17/data.restoring"));
        assert!(prepare(&directory, &draft).unwrap());
        fs::create_dir(&draft).unwrap();
        fs::write(draft.join("half"), "").unwrap();
        assert!(prepare(&directory, &draft).unwrap() && !draft.exists(), "what was interrupted is removed");

        fs::create_dir(&draft).unwrap();
        let settings = RecoverySettings { stop: Stop::EndOfWal, timeline: Timeline(1), standby: StandbySettings::default() };
        settings.write(&draft).unwrap();
        finish(&directory, "complete").unwrap();
        assert!(!draft.exists() && directory.join("complete").exists());
        assert_eq!(fs::read_to_string(directory.join("postgresql.auto.conf")).unwrap(), "", "the settings of the recovery are gone");
        finish(&directory, "complete").unwrap();
        assert!(!prepare(&directory, &draft).unwrap());
        assert!(directory.join("complete").exists());
    }
}
