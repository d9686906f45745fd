//! The directories of instances. The name of a directory encodes the state of the instance, and every change of state is one
//! rename, which is atomic.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use toygres_domain::InstanceId;

use super::{
    cluster::Cluster,
    data_dir::{DataDir, sync_directory},
    error::{IoContext, Result},
    lock::FileLock,
};

/// The state of an instance, which the name of its directory in `instances/` encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum DirState {
    /// Deployed: its server should run.
    Deployed,
    /// Being created.
    Staging,
    /// Being deleted.
    Removed,
    /// Being moved to `kept/`.
    Keeping,
}

impl DirState {
    const ALL: [Self; 4] = [Self::Deployed, Self::Staging, Self::Removed, Self::Keeping];

    fn prefix(self) -> &'static str {
        match self {
            Self::Deployed => "",
            Self::Staging => ".staging-",
            Self::Removed => ".removed-",
            Self::Keeping => ".keeping-",
        }
    }
}

/// The directories of all instances.
#[derive(Clone, Debug)]
pub(super) struct InstanceDirs {
    instances: PathBuf,
    kept: PathBuf,
}

/// The lock of one instance. When it is dropped, it deletes the lock file if the instance does not exist any more.
#[derive(Debug)]
pub(super) struct InstanceLock {
    dirs: InstanceDirs,
    id: InstanceId,
    lock: Option<FileLock>,
}

impl InstanceDirs {
    pub(super) fn new(data: &DataDir) -> Self {
        Self::at(data.path())
    }

    /// Those of a data directory that may not exist.
    pub(super) fn at(data_dir: &Path) -> Self {
        Self { instances: data_dir.join("instances"), kept: data_dir.join("kept") }
    }

    pub(super) fn path(&self, id: InstanceId, state: DirState) -> PathBuf {
        self.instances.join(format!("{}{id}", state.prefix()))
    }

    /// The cluster in the directory of this state.
    pub(super) fn cluster(&self, id: InstanceId, state: DirState) -> Cluster {
        Cluster::new(id.to_string(), self.path(id, state))
    }

    /// The states of the existing directories of the instance. After a crash there can be more than one.
    pub(super) fn states(&self, id: InstanceId) -> impl Iterator<Item = DirState> {
        DirState::ALL.into_iter().filter(move |state| self.path(id, *state).is_dir())
    }

    /// Every directory, sorted by instance.
    pub(super) fn scan(&self) -> Result<Vec<(InstanceId, DirState)>> {
        let entries = std::fs::read_dir(&self.instances).context("list the instances")?;
        let mut found: Vec<_> = entries.flatten().filter_map(|entry| parse(entry.file_name().to_str()?)).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Deletes the lock files of instances that do not exist, which a crash can leave.
    pub(super) fn sweep_locks(&self) -> Result<()> {
        for entry in std::fs::read_dir(&self.instances).context("list the instances")?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.strip_suffix(".lock")?.parse().ok()) else { continue };
            // Dropping the lock deletes the file if there is no directory of the instance.
            self.try_lock(id)?;
        }
        Ok(())
    }

    /// Acquires an instance's lock if it is free.
    pub(super) fn try_lock(&self, id: InstanceId) -> Result<Option<InstanceLock>> {
        let lock = FileLock::try_acquire(&self.lock_path(id))?;
        Ok(lock.map(|lock| InstanceLock { dirs: self.clone(), id, lock: Some(lock) }))
    }

    /// Acquires an instance's lock, waiting up to `timeout`.
    pub(super) fn lock(&self, id: InstanceId, timeout: Duration) -> Result<InstanceLock> {
        let lock = FileLock::acquire(&self.lock_path(id), timeout)?;
        Ok(InstanceLock { dirs: self.clone(), id, lock: Some(lock) })
    }

    /// Changes the state of the instance.
    pub(super) fn rename(&self, id: InstanceId, from: DirState, to: DirState) -> Result<()> {
        std::fs::rename(self.path(id, from), self.path(id, to)).context("rename the directory of the instance")?;
        sync_directory(&self.instances)
    }

    /// Moves a directory in the state `Keeping` to a unique place under `kept/`.
    pub(super) fn move_to_kept(&self, id: InstanceId) -> Result<()> {
        let free = (1..)
            .map(|n| self.kept.join(if n == 1 { id.to_string() } else { format!("{id}.{n}") }))
            .find(|path| !path.exists())
            .expect("numbers do not end");
        std::fs::rename(self.path(id, DirState::Keeping), free).context("put the instance's data aside")?;
        sync_directory(&self.kept)?;
        sync_directory(&self.instances)
    }

    fn lock_path(&self, id: InstanceId) -> PathBuf {
        self.instances.join(format!("{id}.lock"))
    }
}

impl Drop for InstanceLock {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take()
            && self.dirs.states(self.id).next().is_none()
        {
            lock.release_and_delete();
        }
    }
}

fn parse(name: &str) -> Option<(InstanceId, DirState)> {
    DirState::ALL.into_iter().find_map(|state| Some((name.strip_prefix(state.prefix())?.parse().ok()?, state)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_state() {
        let id = InstanceId::generate();
        for state in DirState::ALL {
            assert_eq!(parse(&format!("{}{id}", state.prefix())), Some((id, state)));
        }
        assert_eq!(parse(&format!("{id}.lock")), None);
        assert_eq!(parse("lost+found"), None);
    }
}
