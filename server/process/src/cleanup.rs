//! Removes what interrupted verbs have left, with growing pauses where that fails.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use toygres_domain::InstanceId;

use super::{crash_loop::back_off, error::Result, instance_dirs::DirState, runtime::Shared};

/// How often the failures of one directory are logged at most.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The directories that could not be cleared.
#[derive(Debug, Default)]
pub(super) struct Cleanup {
    failed: HashMap<(InstanceId, DirState), Failure>,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    count: u32,
    retry_at: Instant,
    logged: Instant,
}

/// What [`Cleanup::clear`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cleared {
    /// The directory is gone.
    Done,
    /// A verb holds the lock of the instance, and clears it itself.
    Busy,
    /// It failed, and is repeated after a pause.
    Later,
}

impl Cleanup {
    /// Forgets directories that do not exist any more.
    pub(super) fn retain(&mut self, found: &[(InstanceId, DirState)]) {
        self.failed.retain(|directory, _| found.contains(directory));
    }

    /// Clears a directory that is not deployed, unless another verb holds the lock or the last failure was a moment ago.
    pub(super) fn clear(&mut self, shared: &Shared, id: InstanceId, state: DirState) -> Cleared {
        if self.failed.get(&(id, state)).is_some_and(|failure| Instant::now() < failure.retry_at) {
            return Cleared::Later;
        }
        match try_clear(shared, id) {
            Ok(true) => {
                self.failed.remove(&(id, state));
                tracing::info!(instance = %id, ?state, "cleared what an interrupted operation left");
                Cleared::Done
            }
            Ok(false) => Cleared::Busy,
            Err(error) => {
                if let Some(count) = self.record((id, state), Instant::now()) {
                    tracing::warn!(instance = %id, %error, attempts = count, "cannot clear what an interrupted operation left; trying again");
                }
                Cleared::Later
            }
        }
    }

    /// Records a failure. Returns how many there were, if it is to be logged.
    fn record(&mut self, directory: (InstanceId, DirState), now: Instant) -> Option<u32> {
        let last = self.failed.get(&directory).copied();
        let count = last.map_or(0, |failure| failure.count).saturating_add(1);
        let logs = last.is_none_or(|failure| now.duration_since(failure.logged) >= LOG_INTERVAL);
        let logged = last.filter(|_| !logs).map_or(now, |failure| failure.logged);
        self.failed.insert(directory, Failure { count, retry_at: now + back_off(count.saturating_add(1)), logged });
        logs.then_some(count)
    }
}

/// Returns false if another verb holds the lock.
fn try_clear(shared: &Shared, id: InstanceId) -> Result<bool> {
    match shared.dirs.try_lock(id)? {
        // A directory in the state `Keeping` must be kept.
        Some(_lock) => shared.clear(id, true).map(|()| true),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_repeated_ever_later_and_logged_once_a_minute() {
        let (mut cleanup, directory, start) = (Cleanup::default(), (InstanceId::generate(), DirState::Removed), Instant::now());
        let (mut now, mut logged, mut attempts) = (start, 0, 0);
        while now < start + Duration::from_secs(600) {
            logged += i32::from(cleanup.record(directory, now).is_some());
            attempts += 1;
            now = cleanup.failed[&directory].retry_at;
        }
        assert!(attempts < 20 && (9..=11).contains(&logged), "{attempts} attempts, {logged} logged");
        cleanup.retain(&[]);
        assert_eq!(cleanup.record(directory, now), Some(1), "another directory of the same name begins anew");
    }
}
