//! The permits of health checks that wait for silent instances: however many there are, some activity slots are left for operations
//! and for the checks of other instances.

use std::{pin::pin, time::Duration};

use tokio::sync::Semaphore;

/// How often a check is postponed for want of a permit before a brief permit suffices.
pub(crate) const POSTPONEMENTS: u32 = 3;

/// The time-out of a check with a brief permit, in times of a prompt answer: a slow instance that answers is no outage.
const BRIEF: u32 = 3;

/// The permits. An instance that has answered is checked without one, and its check needs one only if it is not answered promptly. An
/// instance that has not answered is checked only with one.
#[derive(Debug)]
pub struct SlowChecks {
    /// For checks that may wait for the whole time-out of their instance: half of the activity slots.
    patient: Semaphore,
    /// For checks with a short time-out: a quarter of the activity slots. Silent instances cannot hold these
    /// for longer, so each instance gets one in turn, and outages are confirmed while all the patient ones are taken.
    brief: Semaphore,
}

/// What is known of an instance before its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It answered the last check.
    Responsive,
    /// It did not answer promptly, or failed.
    Suspect,
    /// The same, and its check has been postponed often enough, or is short anyway.
    Due,
}

impl SlowChecks {
    /// The permits for this number of activity slots.
    #[must_use]
    pub fn new(activity_slots: usize) -> Self {
        Self { patient: Semaphore::new((activity_slots / 2).max(1)), brief: Semaphore::new((activity_slots / 4).max(1)) }
    }

    /// Runs a check, which is given its time-out. `prompt` is how long an answer may take without a permit for more. Returns `None` if
    /// the check has to be postponed.
    pub(crate) async fn run<T, F: Future<Output = T>>(
        &self,
        standing: Standing,
        timeout: Duration,
        prompt: Duration,
        check: impl FnOnce(Duration) -> F,
    ) -> Option<T> {
        if standing == Standing::Responsive {
            let mut check = pin!(check(timeout));
            if let Ok(outcome) = tokio::time::timeout(prompt, check.as_mut()).await {
                return Some(outcome);
            }
            let _permit = self.patient.try_acquire().ok()?;
            return Some(check.await);
        }
        if let Ok(_permit) = self.patient.try_acquire() {
            return Some(check(timeout).await);
        }
        if standing == Standing::Suspect {
            return None;
        }
        let _permit = self.brief.try_acquire().ok()?;
        Some(check(timeout.min(prompt * BRIEF)).await)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::{FutureExt, future::join_all};

    use super::*;

    const PROMPT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);

    /// The time-out of a check that takes place, without waiting for it.
    fn admitted(permits: &SlowChecks, standing: Standing) -> Option<Duration> {
        permits.run(standing, LONG, PROMPT, |timeout| async move { timeout }).now_or_never().expect("it takes no time")
    }

    #[tokio::test]
    async fn silent_instances_hold_three_quarters_of_the_slots_at_most() {
        let permits = SlowChecks::new(8);
        let silent = |standing| permits.run(standing, LONG, PROMPT, |_| pending::<()>());
        // Four of them wait, the others are postponed.
        let mut waiting = pin!(join_all((0..4).map(|_| silent(Standing::Responsive))));
        assert!(tokio::time::timeout(PROMPT * 3, waiting.as_mut()).await.is_err());
        assert_eq!(silent(Standing::Responsive).await, None);
        assert_eq!(admitted(&permits, Standing::Responsive), Some(LONG), "an instance that answers needs no permit");
        assert_eq!(admitted(&permits, Standing::Suspect), None, "one that did not answer takes no time of a slot");
        assert_eq!(admitted(&permits, Standing::Due), Some(PROMPT * BRIEF), "its turn comes");
        let mut brief = pin!(join_all((0..2).map(|_| silent(Standing::Due))));
        assert!(brief.as_mut().now_or_never().is_none());
        assert_eq!(admitted(&permits, Standing::Due), None);
        assert_eq!(admitted(&permits, Standing::Responsive), Some(LONG));
    }

    #[tokio::test]
    async fn permits_are_returned() {
        let permits = SlowChecks::new(1);
        for _ in 0..3 {
            assert_eq!(permits.run(Standing::Responsive, LONG, PROMPT, |_| tokio::time::sleep(PROMPT * 2)).await, Some(()));
            assert_eq!(admitted(&permits, Standing::Suspect), Some(LONG));
        }
    }
}
