//! Another size of an instance: another configuration, for which the server is restarted if it must be.
//!
//! The restart is recorded before the configuration is written: see [`super::restart`]. After a crash in between it is therefore still
//! known that the running server has the former configuration.

use std::path::Path;

use toygres_domain::runtime::{Progress, Restart};

use super::{
    cluster::{Cluster, Machine, PortTaken},
    crash_loop::CrashLoopCounter,
    error::Result,
    restart::{self, RestartRecord},
    settings::{CONFIGURATION, Configuration},
};

/// The settings that follow from the size and are read at the start of a server only.
const READ_AT_START: [&str; 1] = ["shared_buffers"];

/// Writes the configuration and has the server use it, which is restarted at most once for the operation. The caller holds the lock of the
/// instance, and the data is there.
pub(super) fn advance(machine: &Machine, cluster: &Cluster, configuration: &Configuration, restart: &Restart) -> Result<Progress> {
    let record = RestartRecord::read(cluster.home());
    // Also if another restart was interrupted: nobody else continues it soon, and its server counts as stopping.
    let is_recorded = record.as_ref().is_some_and(|record| record.is_of(&restart.operation));
    let is_interrupted = record.is_some_and(|record| !record.is_done());
    if is_recorded || is_interrupted || needs_restart(cluster.home(), configuration) {
        restart::begin_once(cluster, restart)?;
        configuration.write(cluster.home())?;
        return restart::advance(machine, cluster, restart);
    }
    if configuration.write(cluster.home())? {
        cluster.reload()?;
        // A server that keeps exiting may start with it.
        CrashLoopCounter::reset(cluster.home())?;
    }
    cluster.start(machine, PortTaken::Move)?;
    Ok(Progress::Done)
}

/// Writes the configuration for the next start of a server that is kept stopped. The caller holds the lock of the instance.
pub(super) fn prepare(cluster: &Cluster, configuration: &Configuration) -> Result<Progress> {
    configuration.write(cluster.home())?;
    Ok(Progress::Done)
}

/// Whether the present configuration differs in a setting that a running server does not read again.
fn needs_restart(home: &Path, configuration: &Configuration) -> bool {
    let present = std::fs::read_to_string(home.join(CONFIGURATION)).unwrap_or_default();
    READ_AT_START.iter().any(|name| value(&present, name) != value(configuration.conf(), name))
}

/// The last value of a setting in a configuration of ours.
fn value<'a>(conf: &'a str, name: &str) -> Option<&'a str> {
    conf.lines().rev().find_map(|line| line.split_once(" = ").filter(|(set, _)| *set == name).map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn the_last_value_counts() {
        let conf = "include 'port.conf'\nshared_buffers = 16MB\nshared_buffers_x = 1\nshared_buffers = 32MB\n";
        assert_eq!(value(conf, "shared_buffers"), Some("32MB"));
        assert_eq!(value(conf, "port"), None);
    }
}
