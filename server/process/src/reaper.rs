//! Reaps the child processes of this control plane, and stores their exit statuses.

use std::{
    collections::HashMap,
    fmt,
    os::unix::process::ExitStatusExt,
    process::{Child, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::sync::Notify;

/// Waits for each child in a thread, so that none remains a zombie and each exit is known immediately. It needs no async runtime.
/// If a thread cannot be created, the supervisor detects the exit in the process table instead.
#[derive(Clone, Debug, Default)]
pub(super) struct Reaper(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    reaped: Condvar,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The children that have not exited, with the cluster that each is the server of.
    living: HashMap<u32, String>,
    exits: HashMap<u32, ExitStatus>,
}

/// How a server process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exit(ExitStatus);

impl Reaper {
    /// Starts to wait for a child, the server of `cluster`.
    pub(super) fn reap(&self, mut child: Child, cluster: &str) {
        let (shared, pid) = (self.0.clone(), child.id());
        {
            let mut state = shared.lock();
            state.exits.remove(&pid);
            state.living.insert(pid, cluster.to_owned());
        }
        let wait = move || {
            let status = child.wait();
            let mut state = shared.lock();
            state.living.remove(&pid);
            if let Ok(status) = status {
                // Bounded, because the status of a server that was stopped on purpose is never read.
                if state.exits.len() > 1000 {
                    state.exits.clear();
                }
                state.exits.insert(pid, status);
            }
            drop(state);
            shared.reaped.notify_all();
            shared.changed.notify_one();
        };
        if let Err(error) = std::thread::Builder::new().name(format!("reap-{pid}")).stack_size(64 * 1024).spawn(wait) {
            tracing::warn!(%error, pid, "cannot start the thread that waits for a server process; its death is noticed by polling");
            self.0.lock().living.remove(&pid);
        }
    }

    /// Whether a child that is the server of `cluster` has not exited.
    pub(super) fn waits_for(&self, pid: u32, cluster: &str) -> bool {
        self.0.lock().living.get(&pid).is_some_and(|name| name == cluster)
    }

    /// The exit status of a process, which is only known for children of this process.
    pub(super) fn exit(&self, pid: u32) -> Option<Exit> {
        let state = self.0.lock();
        // The process table can show the exit before the waiting thread has the status.
        let (mut state, _) = self
            .0
            .reaped
            .wait_timeout_while(state, Duration::from_millis(200), |s| s.living.contains_key(&pid))
            .unwrap_or_else(PoisonError::into_inner);
        state.exits.remove(&pid).map(Exit)
    }

    /// Completes when a child has exited since the last call.
    pub(super) async fn death(&self) {
        self.0.changed.notified().await;
    }
}

impl Exit {
    /// Whether the process exited with an error, which its log may explain.
    pub(super) fn is_error(self) -> bool {
        self.0.code().is_some_and(|code| code != 0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.signal(), self.0.code()) {
            (Some(number), _) => {
                write!(f, "the server process was killed by signal {number}")?;
                Signal::try_from(number).map_or(Ok(()), |signal| write!(f, " ({signal})"))
            }
            (None, Some(0)) => f.write_str("the server process was stopped from outside"),
            (None, code) => write!(f, "the server process exited with code {}", code.unwrap_or_default()),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_waited_for_until_it_exits() {
        let reaper = Reaper::default();
        let mut command = std::process::Command::new("cat");
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let (pid, input) = (child.id(), child.stdin.take());
        reaper.reap(child, "orders");
        assert!(reaper.waits_for(pid, "orders"));
        assert!(!reaper.waits_for(pid, "items") && !reaper.waits_for(pid + 1, "orders"));
        drop(input);
        while reaper.waits_for(pid, "orders") {
            std::thread::yield_now();
        }
        assert!(reaper.exit(pid).is_some_and(|exit| !exit.is_error()));
    }

    #[test]
    fn an_exit_names_its_cause() {
        let exit = |raw| Exit(ExitStatus::from_raw(raw));
        assert_eq!(exit(9).to_string(), "the server process was killed by signal 9 (SIGKILL)");
        assert_eq!((exit(1 << 8).to_string().as_str(), exit(1 << 8).is_error()), ("the server process exited with code 1", true));
        assert!(!exit(0).is_error() && !exit(9).is_error());
    }
}
