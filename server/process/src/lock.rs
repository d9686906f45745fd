//! Locks between processes: `flock` on a file, which the kernel releases when its holder exits.

use std::{
    fs::{File, OpenOptions, Permissions, TryLockError},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use super::error::{Error, IoContext, Result};

/// A guard that releases the lock when it is dropped.
#[derive(Debug)]
pub(super) struct FileLock {
    file: File,
    path: PathBuf,
}

impl FileLock {
    /// Acquires the lock if it is free.
    pub(super) fn try_acquire(path: &Path) -> Result<Option<Self>> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                // Who can open a lock file can hold the lock.
                .mode(0o600)
                .open(path)
                .context(format_args!("open the lock file {}", path.display()))?;
            // An earlier release let everybody open it.
            file.set_permissions(Permissions::from_mode(0o600)).context(format_args!("set the mode of the lock file {}", path.display()))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(Error::Io { what: format!("lock {}", path.display()), source }),
            }
            // The last holder may have deleted the file before this lock was acquired; a lock on a deleted file excludes no other
            // process.
            let ours = file.metadata().context("read the metadata of a lock file")?;
            match path.metadata() {
                Ok(there) if there.ino() == ours.ino() && there.dev() == ours.dev() => return Ok(Some(Self { file, path: path.to_owned() })),
                _ => {}
            }
        }
    }

    /// Acquires the lock, waiting up to `timeout`.
    pub(super) fn acquire(path: &Path, timeout: Duration) -> Result<Self> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(lock) = Self::try_acquire(path)? {
                return Ok(lock);
            }
            if Instant::now() >= deadline {
                return Err(Error::Busy("another task is still working on this; try again in a moment".to_owned()));
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// The file that is locked.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Deletes the file and releases the lock. This is safe because only the holder deletes the file.
    pub(super) fn release_and_delete(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_also_when_the_file_is_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = FileLock::try_acquire(&path).unwrap().unwrap();
        assert!(FileLock::try_acquire(&path).unwrap().is_none());
        assert!(FileLock::acquire(&path, Duration::from_millis(20)).is_err());
        first.release_and_delete();
        assert!(!path.exists());
        assert!(FileLock::try_acquire(&path).unwrap().is_some());
    }
}
