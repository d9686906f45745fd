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

/// It has the id of the process group of its holder in it.
const LOCK: &str = "upgrade.lock";
/// How long the programs of a script may take to end when they are killed.
const KILL_TIMEOUT: Duration = Duration::from_secs(10);

/// The lock of the script of an instance, if none runs.
pub(super) fn acquire(home: &Path) -> Result<Option<FileLock>> {
    FileLock::try_acquire(&home.join(LOCK))
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
        // As long as the lock is held, the group is that of its holder.
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
