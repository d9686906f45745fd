//! The processes of this machine, and their CPU time and memory.

use std::time::Duration;

use super::Home;

/// The process id of an instance's PostgreSQL server.
pub fn postmaster(home: &Home, id: &str) -> i32 {
    let file = home.path().join("data/instances").join(id).join("data/postmaster.pid");
    std::fs::read_to_string(file).unwrap().lines().next().unwrap().parse().unwrap()
}

/// Processes that have this data directory in their arguments.
pub fn processes_of(home: &Home) -> Vec<String> {
    let needle = home.path().to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(&needle) {
            found.push(arguments);
        }
    }
    found
}

/// The resident memory of a process in bytes.
pub fn memory_of(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// The CPU time of a process.
pub fn cpu_of(pid: u32) -> Duration {
    ticks_of(pid, 11).expect("the process runs")
}

/// A pair of times in a process's `stat`: 11 for its own, 13 for those of children that it has waited for.
fn ticks_of(pid: u32, first: usize) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks: u64 = stat.rsplit(") ").next()?.split(' ').skip(first).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    // On Linux, the unit is always a hundredth of a second for user space.
    Some(Duration::from_millis(ticks * 10))
}

/// The CPU time of a process, of its children, and of those that it has waited for.
pub fn cpu_of_family(parent: i32) -> Duration {
    let alive: Duration = children_of(parent).into_iter().filter_map(|pid| ticks_of(pid.unsigned_abs(), 11)).sum();
    let buried = ticks_of(parent.unsigned_abs(), 13).unwrap_or_default();
    cpu_of(parent.unsigned_abs()) + alive + buried
}

/// Whether a process has exited, and nobody has waited for it.
pub fn is_zombie(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

/// The child processes.
pub fn children_of(parent: i32) -> Vec<i32> {
    let parent_of = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(") ").next()?.split(' ').nth(1)?.parse::<i32>().ok()
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

pub fn is_alive(pid: i32) -> bool {
    // A zombie has exited, but its parent has not waited for it yet.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
