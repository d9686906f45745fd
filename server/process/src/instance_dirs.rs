//! The directories of instances. The name of a directory is the state of the instance, and every change of state is one
//! rename, so that a crash leaves either the old or the new one.

use std::{path::PathBuf, time::Duration};

use toygres_domain::InstanceId;

use super::{
    cluster::Cluster,
    data_dir::{DataDir, sync_directory},
    error::{Result, Trying},
    lock::FileLock,
};

/// What a directory in `instances/` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Form {
    /// Deployed: its server should run.
    Deployed,
    /// Being made.
    Staging,
    /// Being deleted.
    Removed,
    /// Being moved to `kept/`.
    Keeping,
}

impl Form {
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

/// The right to change one instance; with the last trace of the instance its lock file goes as well.
#[derive(Debug)]
pub(super) struct InstanceLock {
    dirs: InstanceDirs,
    id: InstanceId,
    lock: Option<FileLock>,
}

impl InstanceDirs {
    pub(super) fn new(data: &DataDir) -> Self {
        Self { instances: data.join("instances"), kept: data.join("kept") }
    }

    pub(super) fn path(&self, id: InstanceId, form: Form) -> PathBuf {
        self.instances.join(format!("{}{id}", form.prefix()))
    }

    /// The instance as a cluster, in the directory of this form.
    pub(super) fn cluster(&self, id: InstanceId, form: Form) -> Cluster {
        Cluster::new(id.to_string(), self.path(id, form))
    }

    /// Which forms of the instance there are.
    pub(super) fn forms(&self, id: InstanceId) -> impl Iterator<Item = Form> {
        Form::ALL.into_iter().filter(move |form| self.path(id, *form).is_dir())
    }

    /// Everything there is.
    pub(super) fn scan(&self) -> Result<Vec<(InstanceId, Form)>> {
        let entries = std::fs::read_dir(&self.instances).trying("list the instances")?;
        let mut found: Vec<_> = entries.flatten().filter_map(|entry| parse(entry.file_name().to_str()?)).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Lock files of which there is no instance: residue of a crash.
    pub(super) fn sweep_locks(&self) -> Result<()> {
        for entry in std::fs::read_dir(&self.instances).trying("list the instances")?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.strip_suffix(".lock")?.parse().ok()) else { continue };
            // Taking and dropping it removes the file when nothing else is there.
            self.try_lock(id)?;
        }
        Ok(())
    }

    /// Takes an instance's lock if it is free.
    pub(super) fn try_lock(&self, id: InstanceId) -> Result<Option<InstanceLock>> {
        let lock = FileLock::try_acquire(&self.lock_path(id))?;
        Ok(lock.map(|lock| InstanceLock { dirs: self.clone(), id, lock: Some(lock) }))
    }

    /// Waits for an instance's lock, but not for ever.
    pub(super) fn lock(&self, id: InstanceId, patience: Duration) -> Result<InstanceLock> {
        let lock = FileLock::acquire(&self.lock_path(id), patience)?;
        Ok(InstanceLock { dirs: self.clone(), id, lock: Some(lock) })
    }

    /// Makes the directory of one form the directory of another.
    pub(super) fn transform(&self, id: InstanceId, from: Form, to: Form) -> Result<()> {
        std::fs::rename(self.path(id, from), self.path(id, to)).trying("rename the directory of the instance")?;
        sync_directory(&self.instances)
    }

    /// Moves what is being kept to its place under `kept/`, from where nothing ever takes it back.
    pub(super) fn put_aside(&self, id: InstanceId) -> Result<()> {
        let free = (1..)
            .map(|n| self.kept.join(if n == 1 { id.to_string() } else { format!("{id}.{n}") }))
            .find(|path| !path.exists())
            .expect("numbers do not end");
        std::fs::rename(self.path(id, Form::Keeping), free).trying("put the instance's data aside")?;
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
            && self.dirs.forms(self.id).next().is_none()
        {
            lock.release_and_delete();
        }
    }
}

fn parse(name: &str) -> Option<(InstanceId, Form)> {
    Form::ALL.into_iter().find_map(|form| Some((name.strip_prefix(form.prefix())?.parse().ok()?, form)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_state() {
        let id = InstanceId::generate();
        for form in Form::ALL {
            assert_eq!(parse(&format!("{}{id}", form.prefix())), Some((id, form)));
        }
        assert_eq!(parse(&format!("{id}.lock")), None);
        assert_eq!(parse("lost+found"), None);
    }
}
