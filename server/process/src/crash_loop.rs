//! Crash loops: the number of consecutive deaths of a server, and the back-off before the next start.

use std::{path::Path, time::Duration};

use toygres_domain::instance::{Reason, ReasonCode};

use super::{cluster::remove_file, error::Result};

/// The number of consecutive deaths that is a crash loop.
pub(super) const THRESHOLD: u32 = 5;
const FILE: &str = "crash-loop";

/// The number of consecutive deaths of an instance. It is stored in a file of its directory, so that every control plane can detect
/// a crash loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CrashLoopCounter {
    pub(super) count: u32,
    pub(super) reason: Reason,
}

impl CrashLoopCounter {
    pub(super) fn read(home: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(home.join(FILE)).ok()?)
    }

    pub(super) fn is_loop(&self) -> bool {
        self.count >= THRESHOLD
    }

    /// The reason of the crash loop: repeated exits have their own code, other reasons are unchanged.
    pub(super) fn loop_reason(&self) -> Reason {
        match self.reason.code {
            ReasonCode::ProcessExited => Reason::new(ReasonCode::CrashLoop, format!("PostgreSQL keeps exiting: {}", self.reason.message)),
            _ => self.reason.clone(),
        }
    }

    pub(super) fn exists(home: &Path) -> bool {
        home.join(FILE).exists()
    }

    /// Resets the counter.
    pub(super) fn reset(home: &Path) -> Result<()> {
        remove_file(&home.join(FILE))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (count, code, message) = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?, lines.next()?);
        Some(Self { count, reason: Reason::new(code, message) })
    }

    /// Returns whether the file was written.
    pub(super) fn write(&self, home: &Path) -> bool {
        let text = format!("{}\n{}\n{}\n", self.count, self.reason.code, self.reason.message);
        // Not synced, because the count is not critical and the next death writes it again.
        std::fs::write(home.join(FILE), text)
            .inspect_err(|error| tracing::warn!(%error, home = %home.display(), "cannot record the death of a server process"))
            .is_ok()
    }
}

/// The pause before the start after the `count`th consecutive death. After the first one there is none.
pub(super) fn back_off(count: u32) -> Duration {
    match count {
        0 | 1 => Duration::ZERO,
        _ => Duration::from_secs(1 << (count - 2).min(6)).min(Duration::from_secs(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_immediate_and_the_back_off_doubles_up_to_a_minute() {
        let waits: Vec<_> = [1, 2, 3, 4, 7, 8, 9, u32::MAX].map(|n| back_off(n).as_secs()).to_vec();
        assert_eq!(waits, [0, 1, 2, 4, 32, 60, 60, 60]);
    }

    #[test]
    fn the_counter_is_read_back_and_becomes_a_loop() {
        let directory = tempfile::tempdir().unwrap();
        let counter = CrashLoopCounter { count: THRESHOLD, reason: Reason::new(ReasonCode::ProcessExited, "gone") };
        counter.write(directory.path());
        assert_eq!(CrashLoopCounter::read(directory.path()), Some(counter.clone()));
        assert_eq!(counter.loop_reason().code, ReasonCode::CrashLoop);
        assert!(!CrashLoopCounter { count: THRESHOLD - 1, ..counter }.is_loop());
    }
}
