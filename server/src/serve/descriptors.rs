//! File descriptors: as many as the system allows, and enough of them kept for the server's own work.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Files, timers, signals, and connections to the metadata database and to the engine's.
const OWN: u64 = 128;
/// Connections of clients below which a server is not worth starting.
const LEAST: u64 = 16;

/// Connections of clients below which a lower number than configured is worth a warning. The default is more than most systems allow.
const FEW: usize = 2000;

/// Raises the limit of open descriptors as far as it may, and returns how many connections clients may have: those that remain
/// when the server has what it needs for itself, but at most `wanted`. `outgoing` is the number of its connections to databases.
///
/// # Errors
/// One sentence for people, when too few remain.
pub(super) fn for_clients(wanted: usize, outgoing: usize) -> Result<usize, String> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| format!("the limit of open files cannot be read: {error}"))?;
    let limit = match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(error) => {
            tracing::warn!(%error, soft, hard, "the limit of open files cannot be raised");
            soft
        }
    };
    let reserved = OWN + u64::try_from(outgoing).unwrap_or(u64::MAX);
    let left = limit.saturating_sub(reserved);
    if left < LEAST {
        return Err(format!(
            "the limit of open files is {limit}, of which this server needs {reserved} for itself: raise it (ulimit -n), or reduce TOYGRES_PROBE_CONNECTIONS"
        ));
    }
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    if left < wanted.min(FEW) {
        tracing::warn!(
            limit,
            connections = left,
            "clients may have fewer connections than TOYGRES_MAX_CONNECTIONS, because of the limit of open files"
        );
    }
    Ok(left.min(wanted))
}
