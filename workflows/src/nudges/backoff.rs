//! The back-off of hints. The owner of an instance can cause them, for example by ending the session of its checks again and again, and
//! each would be two more checks: one now, and one soon after that confirms it.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use toygres_domain::InstanceId;

/// The pause after the first hint.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause, in intervals of the instance: hints then add a quarter to its checks.
const LONGEST: u32 = 8;
/// The back-off starts over when an instance has given no hints for this many intervals. More than one, because a session that is lost
/// right after each check gives a hint per interval.
const QUIET: u32 = 2;

/// The hints of each instance that has given some recently.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    instances: HashMap<InstanceId, Hints>,
}

#[derive(Debug)]
struct Hints {
    /// Before this time no hint is passed on.
    next: Instant,
    pause: Duration,
    /// When they are forgotten, unless there is another one.
    forgotten: Instant,
}

impl Backoff {
    /// Whether a hint for an instance with this interval of health checks is passed on.
    pub(crate) fn permits(&mut self, instance: InstanceId, interval: Duration, now: Instant) -> bool {
        self.instances.retain(|_, hints| now < hints.forgotten);
        let hints = self.instances.entry(instance).or_insert(Hints { next: now, pause: FIRST, forgotten: now });
        hints.forgotten = now + interval * QUIET;
        if now < hints.next {
            return false;
        }
        hints.next = now + hints.pause;
        hints.pause = (hints.pause * 2).min(interval * LONGEST);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    /// The number of hints that are passed on within an hour, if there is one in each `period`.
    fn passed(backoff: &mut Backoff, id: InstanceId, start: Instant, period: Duration) -> usize {
        (0u32..).map(|nth| period * nth).take_while(|at| at.as_secs() < 3600).filter(|at| backoff.permits(id, INTERVAL, start + *at)).count()
    }

    #[test]
    fn the_interval_of_checks_stays_a_bound() {
        for period in [Duration::from_millis(200), Duration::from_secs(5), INTERVAL] {
            let hints = passed(&mut Backoff::default(), InstanceId::generate(), Instant::now(), period);
            assert!((8..30).contains(&hints), "{hints} besides the 120 checks of the hour, at one in {period:?}");
        }
    }

    #[test]
    fn a_rare_hint_is_passed_on_at_once() {
        let (mut backoff, id, start) = (Backoff::default(), InstanceId::generate(), Instant::now());
        passed(&mut backoff, id, start, FIRST);
        assert!(backoff.permits(InstanceId::generate(), INTERVAL, start + Duration::from_secs(3600)), "of another instance");
        for minutes in [62, 64, 66] {
            assert!(backoff.permits(id, INTERVAL, start + Duration::from_secs(minutes * 60)));
        }
        assert_eq!(backoff.instances.len(), 1, "the other is forgotten");
    }
}
