//! The lock that the script of an upgrade holds, and how a script is ended.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use super::next;
use crate::{
    cluster::Cluster,
    error::{Error, IoContext, Result},
    lock::FileLock,
};

/// It has the id of the process group of its holder in it, once that is known.
const LOCK: &str = "upgrade.lock";
/// How long the programs of a script may take to end when they are killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// The lock of the script of an instance, if none runs. Its file names no process group from now on: the number of the last one may become that
/// of others, which must not be killed for the next script, before its own number is known.
pub(super) fn acquire(home: &Path) -> Result<Option<FileLock>> {
    let mut lock = FileLock::try_acquire(&home.join(LOCK))?;
    if let Some(lock) = &mut lock {
        lock.file().set_len(0).context("forget the process of the last upgrade")?;
    }
    Ok(lock)
}

/// Kills the script of an instance with everything that it has started, if it runs.
pub(crate) fn kill_script(cluster: &Cluster) -> Result<()> {
    let (path, deadline) = (cluster.home().join(LOCK), Instant::now() + KILL_TIMEOUT);
    if !path.exists() {
        return Ok(());
    }
    while acquire(cluster.home())?.is_none() {
        if Instant::now() > deadline {
            return Err(Error::Busy("the programs of the upgrade do not end although they were killed".to_owned()));
        }
        // As long as the lock is held, the group is that of its holder. One that is not known ends without its servers.
        if let Some(group) = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok()) {
            // It lets the shell remove its temporary files. An error means that there is none any more.
            let _ = killpg(Pid::from_raw(group), if deadline - Instant::now() > KILL_TIMEOUT / 2 { Signal::SIGTERM } else { Signal::SIGKILL });
        }
        // Servers are in groups of their own.
        next(cluster).kill_all()?;
        cluster.kill_all()?;
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Notes the process group of the script, which holds the lock.
pub(super) fn note_group(mut lock: &File, child: &Child) -> Result<()> {
    let mut write = || {
        lock.set_len(0)?;
        lock.seek(SeekFrom::Start(0))?;
        lock.write_all(child.id().to_string().as_bytes())
    };
    write().context("record the process of the upgrade")
}

/// Whether a script runs.
pub(super) fn is_held(home: &Path) -> Result<bool> {
    Ok(home.join(LOCK).exists() && acquire(home)?.is_none())
}

#[cfg(test)]
mod tests {
    use std::{os::unix::process::CommandExt, process::Command};

    use super::*;

    /// The number in the file is that of the script of an earlier upgrade, and now of somebody else's processes.
    #[test]
    fn whoever_has_the_number_of_an_earlier_script_is_not_killed_for_the_next_one() {
        let directory = tempfile::tempdir().unwrap();
        let mut other = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        std::fs::write(directory.path().join(LOCK), other.id().to_string()).unwrap();
        let script = acquire(directory.path()).unwrap().expect("no script runs");
        assert_eq!(std::fs::read_to_string(directory.path().join(LOCK)).unwrap(), "", "it is forgotten before the next one starts");
        // The next one has started, and the control plane has ended before it noted its number.
        let ends = std::thread::spawn(move || {
            sleep(Duration::from_millis(200));
            drop(script);
        });
        let cluster = Cluster::new("x".to_owned(), directory.path().to_owned());
        kill_script(&cluster).unwrap();
        ends.join().unwrap();
        assert!(other.try_wait().unwrap().is_none(), "the other goes on");
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_script_that_has_noted_its_number_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let mut lock = acquire(directory.path()).unwrap().unwrap();
        let held = lock.file().try_clone().unwrap();
        let mut script = Command::new("sleep").arg("60").process_group(0).stdin(held).spawn().unwrap();
        note_group(lock.file(), &script).unwrap();
        drop(lock);
        assert!(is_held(directory.path()).unwrap(), "by the script");
        let cluster = Cluster::new("x".to_owned(), directory.path().to_owned());
        kill_script(&cluster).unwrap();
        script.wait().unwrap();
        assert!(!is_held(directory.path()).unwrap());
    }
}
