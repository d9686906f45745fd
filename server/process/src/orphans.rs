//! Processes that this one inherits. PID 1, which the server is in a container, becomes the parent of every process whose own parent
//! has exited, such as the backends of a killed server, and has to wait for each when it exits: until then it stays a zombie.

use std::{collections::HashSet, time::Duration};

use nix::{
    sys::wait::{WaitPidFlag, waitpid},
    unistd::Pid,
};
use tokio_util::sync::CancellationToken;

/// How long a child must have been a zombie. A child of this process's own is waited for by whoever started it, as soon as it exits,
/// and its exit status is lost if it is taken from there.
const INTERVAL: Duration = Duration::from_secs(10);

/// Waits for the children of this process that nobody else waits for, until `shutdown`.
pub async fn reap_orphans(shutdown: CancellationToken) {
    let mut zombies = HashSet::new();
    while shutdown.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
        zombies = reap(&zombies);
    }
}

/// Waits for those children that were zombies at the last call. Returns those that have become zombies since.
fn reap(before: &HashSet<Zombie>) -> HashSet<Zombie> {
    let (old, new): (HashSet<_>, HashSet<_>) = zombies().into_iter().partition(|zombie| before.contains(zombie));
    for zombie in old {
        tracing::debug!(pid = zombie.pid, "waited for an orphan");
        // An error means that somebody else has waited for it.
        let _ = waitpid(Pid::from_raw(zombie.pid), Some(WaitPidFlag::WNOHANG));
    }
    new
}

/// A child that has exited. Process ids are used again, so the start time is part of its identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Zombie {
    pid: i32,
    started: String,
}

/// The children of this process that have exited. Other systems than Linux have no containers in which this process is PID 1.
fn zombies() -> Vec<Zombie> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| parse(pid, &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)).collect()
}

/// Parses `stat` of a process: its name in parentheses, its state, its parent, and its start as the 20th value after the name.
fn parse(pid: i32, stat: &str) -> Option<Zombie> {
    let mut values = stat.rsplit(") ").next()?.split(' ');
    let (state, parent) = (values.next()?, values.next()?);
    let child = state == "Z" && parent.parse() == Ok(std::process::id());
    child.then(|| Some(Zombie { pid, started: values.nth(17)?.to_owned() })).flatten()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn an_orphan_that_has_exited_does_not_stay_a_zombie() {
        nix::sys::prctl::set_child_subreaper(true).unwrap();
        let output = Command::new("sh").args(["-c", "sleep 0.1 >/dev/null 2>&1 & echo $!"]).output().unwrap();
        let orphan: i32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        let mut own = Command::new("true").spawn().unwrap();
        let inherited = loop {
            if let Some(zombie) = zombies().into_iter().find(|zombie| zombie.pid == orphan) {
                break zombie;
            }
            std::thread::yield_now();
        };
        let first = reap(&HashSet::new());
        assert!(first.contains(&inherited) && std::path::Path::new(&format!("/proc/{orphan}")).exists(), "not at once");
        assert!(own.wait().is_ok(), "a child of our own keeps its exit status");
        let second = reap(&first);
        assert!(!second.contains(&inherited) && !zombies().contains(&inherited), "waited for");
    }
}
