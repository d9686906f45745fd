//! How far a restoration is, for people.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use toygres_domain::instance::{Reason, ReasonCode};

const MEBIBYTE: u64 = 1 << 20;
/// How long a stage runs before it is estimated how long it will take.
const FIRST_ESTIMATE: Duration = Duration::from_secs(5);

/// A stage of a restoration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The archive is listed, or the source is prepared.
    Finding,
    /// The base backup and the WAL are fetched.
    Fetching { bytes: u64, total: u64 },
    /// The files of the source are copied, or made to share their blocks.
    Copying { bytes: u64, total: u64, shares: bool },
    /// The server replays the WAL.
    Replaying { bytes: u64, total: u64 },
}

/// The present stage, and when it began. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Stages(Arc<Mutex<(Stage, Instant)>>);

impl Default for Stages {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((Stage::Finding, Instant::now()))))
    }
}

impl Stages {
    pub(super) fn set(&self, now: Stage) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::discriminant(&state.0) != std::mem::discriminant(&now) {
            state.1 = Instant::now();
        }
        state.0 = now;
    }

    /// What the instance waits for.
    pub(super) fn reason(&self) -> Reason {
        let (stage, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Reason::new(ReasonCode::StartingUp, stage.describe(since.elapsed()))
    }
}

impl Stage {
    fn describe(self, elapsed: Duration) -> String {
        let (bytes, total, what) = match self {
            Self::Finding => return "what is to be restored is looked for".to_owned(),
            Self::Fetching { bytes, total } => (bytes, total, "are fetched from the store"),
            Self::Copying { bytes, total, shares: false } => (bytes, total, "are copied"),
            Self::Copying { bytes, total, shares: true } => (bytes, total, "are shared with the source"),
            Self::Replaying { bytes, total } => (bytes, total, "of WAL are replayed"),
        };
        let mut text = format!("{} of {} MiB {what}", bytes / MEBIBYTE, total.div_ceil(MEBIBYTE));
        if elapsed >= FIRST_ESTIMATE && bytes > 0 {
            let left = elapsed.as_secs_f64() * (total.saturating_sub(bytes)) as f64 / bytes as f64;
            let _ = write!(text, "; about {} s are left", left.ceil());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_estimated_after_a_while() {
        let stage = Stage::Fetching { bytes: 100 * MEBIBYTE, total: 400 * MEBIBYTE };
        assert_eq!(stage.describe(Duration::from_secs(1)), "100 of 400 MiB are fetched from the store");
        assert_eq!(stage.describe(Duration::from_secs(10)), "100 of 400 MiB are fetched from the store; about 30 s are left");
        assert_eq!(Stage::Replaying { bytes: 0, total: 1 }.describe(Duration::from_secs(60)), "0 of 1 MiB of WAL are replayed");
    }
}
