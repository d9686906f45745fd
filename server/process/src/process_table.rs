//! Which processes of this machine belong to one of our clusters.
//!
//! A cluster is known by the `cluster_name` that we start it with: it stands in the arguments of the server and in front of
//! the titles of its workers. That is readable where `/proc/<pid>/cwd` is not (root in a container without the right to
//! trace), stays true when the directory is renamed, and works for processes that another server started.

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::error::{Error, Result};

/// A process of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The process id.
    pub(super) pid: u32,
    /// Whether it is the server (the postmaster) rather than one of its workers.
    pub(super) server: bool,
}

/// Whether `pid` is alive and the server of the cluster.
pub(super) fn is_server(pid: u32, cluster: &str) -> bool {
    command_line(pid).and_then(|line| classify(&line, cluster)) == Some(true)
}

/// Every process of the cluster.
pub(super) fn find(cluster: &str) -> Vec<Found> {
    all().into_iter().filter_map(|(pid, line)| classify(&line, cluster).map(|server| Found { pid, server })).collect()
}

/// Sends a signal; that the process is gone already is no error.
pub(super) fn signal(pid: u32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid.cast_signed()), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(Error::Io { what: format!("send {signal} to the server process"), source: errno.into() }),
    }
}

/// `Some(true)` for the server, `Some(false)` for a worker, `None` for everybody else. A worker's title goes on with names
/// that users choose, so only its beginning counts.
fn classify(command_line: &str, cluster: &str) -> Option<bool> {
    if command_line.strip_prefix("postgres: ").and_then(|rest| rest.strip_prefix(cluster)).is_some_and(|rest| rest.starts_with(": ")) {
        return Some(false);
    }
    let server = !command_line.starts_with("postgres: ")
        && command_line.split_ascii_whitespace().any(|argument| argument.strip_prefix("cluster_name=") == Some(cluster));
    server.then_some(true)
}

#[cfg(target_os = "linux")]
fn command_line(pid: u32) -> Option<String> {
    // Empty for a process that has ended and only waits to be reaped.
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

#[cfg(target_os = "linux")]
fn all() -> Vec<(u32, String)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(|pid| Some((pid, command_line(pid)?))).collect()
}

#[cfg(not(target_os = "linux"))]
fn command_line(pid: u32) -> Option<String> {
    ps(&["-ww", "-o", "pid=,command=", "-p", &pid.to_string()]).pop().map(|(_, line)| line)
}

#[cfg(not(target_os = "linux"))]
fn all() -> Vec<(u32, String)> {
    ps(&["-axww", "-o", "pid=,command="])
}

#[cfg(not(target_os = "linux"))]
fn ps(arguments: &[&str]) -> Vec<(u32, String)> {
    let Ok(output) = std::process::Command::new("ps").args(arguments).stdin(std::process::Stdio::null()).output() else { return Vec::new() };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let (pid, command) = line.trim_start().split_once(' ')?;
            Some((pid.parse().ok()?, command.trim_start().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cluster_itself_is_recognised() {
        assert_eq!(classify("/usr/lib/postgresql/15/bin/postgres -D /x/data -c cluster_name=abc ", "abc"), Some(true));
        assert_eq!(classify("postgres: abc: checkpointer ", "abc"), Some(false));
        assert_eq!(classify("postgres: abcd: checkpointer ", "abc"), None);
        assert_eq!(classify("/bin/postgres -c cluster_name=abcd", "abc"), None);
        // A tenant of another cluster who names a database after ours.
        assert_eq!(classify("postgres: other: app cluster_name=abc 127.0.0.1(1) idle", "abc"), None);
        assert_eq!(classify("", "abc"), None);
    }
}
