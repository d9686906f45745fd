//! The TCP ports of clusters. Each cluster stores its port in a file next to its configuration, so that it restarts with the same
//! address.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    data_dir::{DataDir, write_atomically},
    error::{Error, Result},
    lock::FileLock,
};

/// The file that holds the port, in the form that PostgreSQL includes.
pub(super) const PORT_FILE: &str = "port.conf";

/// Above the usual ports of PostgreSQL, and below the ephemeral ports of Linux and macOS: an outgoing connection could otherwise
/// use the port of an instance while it is down.
const RANGE: std::ops::Range<u16> = 15_433..32_768;

/// The stored port of the cluster in `home`.
pub(super) fn kept(home: &Path) -> Option<u16> {
    std::fs::read_to_string(home.join(PORT_FILE)).ok()?.trim().strip_prefix("port = ")?.parse().ok()
}

/// Whether nothing listens on the port.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Chooses a port that nothing listens on and that no other cluster of the data directory has, and stores it for `home`.
pub(super) fn choose(data: &DataDir, home: &Path) -> Result<u16> {
    let _one_at_a_time = FileLock::acquire(&data.join("ports.lock"), Duration::from_secs(10))?;
    let taken: HashSet<u16> = homes(data).iter().filter(|other| *other != home).filter_map(|other| kept(other)).collect();
    // The search starts at a random port, because control planes on other directories choose concurrently, and clients of a deleted
    // instance should not reach another one that reuses its port.
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(|e| Error::Program(format!("no random numbers: {e}")))?;
    let skip = usize::from(u16::from_ne_bytes(random) % (RANGE.end - RANGE.start));
    let port = RANGE
        .cycle_from(skip)
        .find(|port| !taken.contains(port) && is_free(*port))
        .ok_or_else(|| Error::Busy(format!("no TCP port from {} to {} is free", RANGE.start, RANGE.end - 1)))?;
    write_atomically(&home.join(PORT_FILE), 0o644, &format!("port = {port}\n"))?;
    Ok(port)
}

trait CycleFrom {
    fn cycle_from(self, skip: usize) -> impl Iterator<Item = u16>;
}

impl CycleFrom for std::ops::Range<u16> {
    fn cycle_from(self, skip: usize) -> impl Iterator<Item = u16> {
        let count = self.len();
        self.cycle().skip(skip).take(count)
    }
}

fn homes(data: &DataDir) -> Vec<PathBuf> {
    let instances = std::fs::read_dir(data.join("instances")).into_iter().flatten().flatten().map(|entry| entry.path());
    instances.chain([data.join("metadata")]).collect()
}
