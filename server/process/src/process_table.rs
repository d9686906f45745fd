//! Finds the processes of this machine that belong to a cluster.
//!
//! A cluster is identified by its `cluster_name`, which is in the arguments of the server and at the start of the titles of its
//! child processes. Unlike `/proc/<pid>/cwd`, these are readable without the permission to trace (root in a container), and do not
//! change when the directory is renamed. They also identify processes that another control plane started.

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
    /// Whether it is the server (the postmaster) rather than a child process.
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

/// Sends a signal. It is not an error if the process does not exist any more.
pub(super) fn signal(pid: u32, signal: Signal) -> Result<()> {
    match kill(Pid::from_raw(pid.cast_signed()), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(Error::Io { what: format!("send {signal} to the server process"), source: errno.into() }),
    }
}

/// `Some(true)` for the server, `Some(false)` for a child process, `None` for other processes. The title of a child process also
/// contains names that users choose, so only its start is compared.
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
    // Empty for a zombie process.
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
        // A database of another cluster that is named like this cluster.
        assert_eq!(classify("postgres: other: app cluster_name=abc 127.0.0.1(1) idle", "abc"), None);
        assert_eq!(classify("", "abc"), None);
    }
}
