//! Suspensions.
//!
//! While the file `suspended` is in the directory of an instance, nothing starts its server: neither a verb nor the supervisor, after a
//! restart of the control plane or of the machine. The server is stopped, and its end is recorded, as for a restart.

use std::path::Path;

use toygres_domain::{
    instance::{Reason, ReasonCode},
    runtime::{Progress, Suspension},
};

use super::{
    cluster::{Cluster, remove_file},
    crash_loop::CrashLoopCounter,
    data_dir::{sync_directory, write_atomically},
    error::Result,
    restart,
};

pub(super) const FILE: &str = "suspended";

/// Whether the server of the instance in `home` is kept stopped.
pub(super) fn is_suspended(home: &Path) -> bool {
    home.join(FILE).exists()
}

/// What a suspended instance waits for.
pub(super) fn reason() -> Reason {
    Reason::new(ReasonCode::Suspended, "PostgreSQL is stopped until the instance is resumed")
}

/// Has the server stay stopped from the next time on that it is. The caller holds the lock of the instance, as everybody who starts it.
pub(super) fn keep_stopped(home: &Path) -> Result<()> {
    if is_suspended(home) { Ok(()) } else { write_atomically(&home.join(FILE), 0o600, "") }
}

/// Has the server started again, by the caller or by the supervisor.
pub(super) fn release(home: &Path) -> Result<()> {
    if !is_suspended(home) {
        return Ok(());
    }
    remove_file(&home.join(FILE))?;
    sync_directory(home)
}

/// Starts or continues the suspension of an operation. Waits about a second at most for the server. The caller holds the lock of the
/// instance.
pub(super) fn advance(cluster: &Cluster, suspension: &Suspension) -> Result<Progress> {
    let Suspension { operation, timeout } = suspension;
    keep_stopped(cluster.home())?;
    if let Some(reason) = restart::stop_only(cluster, operation, *timeout)? {
        return Ok(Progress::InProgress(reason));
    }
    // Child processes of a server that was killed before.
    cluster.kill_all()?;
    CrashLoopCounter::reset(cluster.home())?;
    Ok(Progress::Done)
}
