//! The back-off of repairs: somebody may revert each of them.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use toygres_domain::InstanceId;

/// The pause after the first repair.
const FIRST: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);
/// An instance that needed no repair for so many of its last pauses is forgotten.
const QUIET: u32 = 4;

/// The pauses of the instances that were repaired recently.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    instances: HashMap<InstanceId, Pause>,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
}

impl Backoff {
    /// Whether an instance may be repaired now, which begins the next pause. Otherwise returns when it may.
    pub(super) fn permits(&mut self, id: InstanceId, now: Instant) -> Result<(), Instant> {
        self.instances.retain(|_, pause| now < pause.until + pause.length * QUIET);
        match self.instances.get_mut(&id) {
            Some(pause) if now < pause.until => Err(pause.until),
            Some(pause) => {
                pause.length = (pause.length * 2).min(LONGEST);
                pause.until = now + pause.length;
                Ok(())
            }
            None => {
                self.instances.insert(id, Pause { until: now + FIRST, length: FIRST });
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reverts_every_repair_causes_few() {
        let (mut backoff, id, start) = (Backoff::default(), InstanceId::generate(), Instant::now());
        let repairs = (0..3600).filter(|second| backoff.permits(id, start + Duration::from_secs(*second)).is_ok()).count();
        assert!((10..25).contains(&repairs), "{repairs} in an hour");
        assert!(backoff.permits(InstanceId::generate(), start + Duration::from_secs(3600)).is_ok(), "another instance");
    }

    #[test]
    fn a_rare_repair_is_immediate() {
        let (mut backoff, id, start) = (Backoff::default(), InstanceId::generate(), Instant::now());
        for minute in 0..10 {
            assert!(backoff.permits(id, start + Duration::from_secs(minute * 60)).is_ok());
        }
    }
}
