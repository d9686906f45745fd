//! File descriptors: as many as the system allows, and enough of them kept for the server's own work.

use nix::{
    errno::Errno,
    sys::resource::{Resource, getrlimit, rlim_t, setrlimit},
};

/// Files, timers, signals, and connections to the engine's database.
const OWN: usize = 128;
/// Connections of clients below which a server is not worth starting.
const LEAST: usize = 16;
/// Connections of clients below which a lower number than configured is worth a warning. The default is more than most systems allow.
const FEW: usize = 2000;
/// The most that macOS accepts (`OPEN_MAX`), although its hard limit can be infinite.
const OPEN_MAX: rlim_t = 10_240;

/// What the configuration asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Connections to the metadata database and for monitoring.
    pub(super) own: usize,
    /// Connections of clients.
    pub(super) clients: usize,
    /// Connections that health checks keep.
    pub(super) probes: usize,
}

/// How the descriptors are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shares {
    /// Connections that clients may have.
    pub(super) clients: usize,
    /// Connections that health checks may keep.
    pub(super) probes: usize,
}

/// Raises the limit of open descriptors as far as it may, and shares them. Nothing gets more than is wanted.
///
/// # Errors
/// One sentence for people, when too few remain for clients.
pub(super) fn share(wanted: Wanted) -> Result<Shares, String> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| format!("the limit of open files cannot be read: {error}"))?;
    let limit = raise(soft, hard, |soft| setrlimit(Resource::RLIMIT_NOFILE, soft, hard));
    let shares = share_of(usize::try_from(limit).unwrap_or(usize::MAX), wanted)?;
    if shares.probes < wanted.probes {
        tracing::warn!(
            limit,
            connections = shares.probes,
            "health checks keep fewer connections than TOYGRES_PROBE_CONNECTIONS, because of the limit of open files; other instances need a login for each check"
        );
    }
    if shares.clients < wanted.clients.min(FEW) {
        tracing::warn!(
            limit,
            connections = shares.clients,
            "clients may have fewer connections than TOYGRES_MAX_CONNECTIONS, because of the limit of open files"
        );
    }
    Ok(shares)
}

/// Sets the soft limit to the highest number that the system accepts. Returns the limit that holds.
fn raise(soft: rlim_t, hard: rlim_t, set: impl Fn(rlim_t) -> Result<(), Errno>) -> rlim_t {
    let set = |to: rlim_t| set(to).map(|()| to);
    let raised = set(hard).or_else(|error| match error {
        Errno::EINVAL if soft < hard.min(OPEN_MAX) => set(hard.min(OPEN_MAX)),
        error => Err(error),
    });
    raised.unwrap_or_else(|error| {
        tracing::warn!(%error, soft, hard, "the limit of open files cannot be raised");
        soft
    })
}

fn share_of(limit: usize, wanted: Wanted) -> Result<Shares, String> {
    let reserved = OWN.saturating_add(wanted.own);
    let left = limit.saturating_sub(reserved);
    if left < LEAST {
        return Err(format!(
            "the limit of open files is {limit}, of which this server needs {reserved} for itself: raise it (ulimit -n), or reduce TOYGRES_DATABASE_CONNECTIONS"
        ));
    }
    // A health check can do without a kept connection; a client cannot.
    let probes = wanted.probes.min(left / 2);
    Ok(Shares { clients: wanted.clients.min(left - probes), probes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_few_descriptors_health_checks_keep_fewer_connections() {
        let wanted = Wanted { own: 32, clients: 20_000, probes: 500 };
        assert_eq!(share_of(1_048_576, wanted), Ok(Shares { clients: 20_000, probes: 500 }));
        assert_eq!(share_of(4096, wanted), Ok(Shares { clients: 4096 - 160 - 500, probes: 500 }));
        assert_eq!(share_of(256, wanted), Ok(Shares { clients: 48, probes: 48 }), "the soft limit of macOS");
        assert!(share_of(170, wanted).unwrap_err().contains("needs 160 for itself"));
    }

    #[test]
    fn an_infinite_limit_that_the_system_does_not_accept_is_replaced() {
        // As macOS does.
        let set = |to| if to > OPEN_MAX { Err(Errno::EINVAL) } else { Ok(()) };
        assert_eq!(raise(256, rlim_t::MAX, set), OPEN_MAX);
        assert_eq!(raise(256, 4096, set), 4096);
        assert_eq!(raise(20_000, rlim_t::MAX, set), 20_000, "a higher one is kept");
        assert_eq!(raise(1024, 1_048_576, |_| Ok(())), 1_048_576);
        assert_eq!(raise(1024, 1_048_576, |_| Err(Errno::EPERM)), 1024);
    }
}
