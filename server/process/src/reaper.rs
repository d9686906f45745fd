//! Reaps the processes that this server started, and remembers how they ended.

use std::{
    collections::{HashMap, HashSet},
    os::unix::process::ExitStatusExt,
    process::{Child, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::sync::Notify;

/// Waits for children in threads of its own, so that none stays a zombie and each death is known at once. It needs no async
/// runtime and outlives none.
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
    living: HashSet<u32>,
    exits: HashMap<u32, ExitStatus>,
}

impl Reaper {
    /// Takes care of a child.
    pub(super) fn take(&self, mut child: Child) {
        let (shared, pid) = (self.0.clone(), child.id());
        {
            let mut state = shared.lock();
            state.exits.remove(&pid);
            state.living.insert(pid);
        }
        let wait = move || {
            let status = child.wait();
            let mut state = shared.lock();
            state.living.remove(&pid);
            if let Ok(status) = status {
                // Nobody asks how a server ended that was stopped on purpose.
                if state.exits.len() > 1000 {
                    state.exits.clear();
                }
                state.exits.insert(pid, status);
            }
            drop(state);
            shared.reaped.notify_all();
            shared.changed.notify_one();
        };
        if let Err(error) = std::thread::Builder::new().name("reaper".to_owned()).stack_size(64 * 1024).spawn(wait) {
            tracing::warn!(%error, pid, "no thread to wait for a server process; its death will be noticed by looking");
        }
    }

    /// How the process ended, in words: known only for our own children.
    pub(super) fn cause_of_death(&self, pid: u32) -> Option<String> {
        let state = self.0.lock();
        // Whoever looks into the process table can see the death before the waiting thread does.
        let (mut state, _) =
            self.0.reaped.wait_timeout_while(state, Duration::from_millis(200), |s| s.living.contains(&pid)).unwrap_or_else(PoisonError::into_inner);
        let status = state.exits.remove(&pid)?;
        Some(match (status.signal(), status.code()) {
            (Some(number), _) => match Signal::try_from(number) {
                Ok(signal) => format!("the server process was killed by signal {number} ({signal})"),
                Err(_) => format!("the server process was killed by signal {number}"),
            },
            (None, Some(0)) => "the server process was stopped by somebody else".to_owned(),
            (None, code) => format!("the server process ended with exit code {}", code.unwrap_or_default()),
        })
    }

    /// Completes when a child has died since the last call.
    pub(super) async fn death(&self) {
        self.0.changed.notified().await;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
