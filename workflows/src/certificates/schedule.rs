//! When which instance is looked at.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use toygres_domain::InstanceId;

use super::renewal::Renewal;
use crate::pauses::Pauses;

/// How often what a server presents is compared with its certificate, although nothing suggests that it is another.
const COMPARE: Duration = Duration::from_secs(600);

/// What this server knows of the certificates of instances.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// Renewals that have begun.
    renewals: HashMap<InstanceId, Renewal>,
    /// Of instances that did not answer, or whose renewal failed.
    pauses: Pauses<InstanceId>,
    /// When what is presented is compared next.
    compare: HashMap<InstanceId, Instant>,
    in_progress: HashSet<InstanceId>,
}

impl Schedule {
    /// Forgets all instances but these.
    pub(super) fn retain(&mut self, is_known: impl Fn(InstanceId) -> bool) {
        self.renewals.retain(|id, _| is_known(*id));
        self.compare.retain(|id, _| is_known(*id));
    }

    /// Whether what an instance presents is compared, if nothing else is to be done. Not all of them at once after a start.
    pub(super) fn is_compared(&mut self, id: InstanceId, now: Instant) -> bool {
        let spread = Duration::from_secs(id.spread(COMPARE.as_secs()));
        now >= *self.compare.entry(id).or_insert(now + spread)
    }

    /// Whether a renewal of an instance has begun and is not finished.
    pub(super) fn has_begun(&self, id: InstanceId) -> bool {
        self.renewals.contains_key(&id)
    }

    /// Whether there is an attempt that has not ended.
    pub(super) fn is_in_progress(&self, id: InstanceId) -> bool {
        self.in_progress.contains(&id)
    }

    /// Begins an attempt, unless there is one or the instance has to wait. Returns what there is to continue, and whether the last attempt
    /// failed.
    pub(super) fn begin(&mut self, id: InstanceId, now: Instant) -> Option<(Renewal, bool)> {
        let is_retry = self.pauses.contains(&id);
        if self.in_progress.contains(&id) || self.pauses.permits(&[id], now).is_err() {
            return None;
        }
        self.in_progress.insert(id);
        Some((self.renewals.remove(&id).unwrap_or_default(), is_retry))
    }

    /// An attempt has ended: the server presents what it should.
    pub(super) fn done(&mut self, id: InstanceId, now: Instant) {
        self.in_progress.remove(&id);
        self.pauses.forget(&id);
        self.compare.insert(id, now + COMPARE);
    }

    /// An attempt has ended, and is continued soon.
    pub(super) fn unfinished(&mut self, id: InstanceId, renewal: Renewal) {
        self.in_progress.remove(&id);
        self.pauses.forget(&id);
        self.renewals.insert(id, renewal);
    }

    /// An attempt has failed, and is repeated after a pause.
    pub(super) fn failed(&mut self, id: InstanceId, renewal: Renewal) {
        self.in_progress.remove(&id);
        self.renewals.insert(id, renewal);
    }

    /// When the first of the renewals that have begun may continue; `None` if there is none.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.renewals.keys().map(|id| self.pauses.end(id, now)).min()
    }

    /// Whether no attempt is in progress.
    pub(super) fn is_idle(&self) -> bool {
        self.in_progress.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_does_not_answer_is_asked_rarely() {
        let (mut schedule, id, start) = (Schedule::default(), InstanceId::generate(), Instant::now());
        let mut attempts = 0;
        for second in 0..3600 {
            if let Some((renewal, is_retry)) = schedule.begin(id, start + Duration::from_secs(second)) {
                assert_eq!(is_retry, attempts > 0);
                assert!(schedule.begin(id, start + Duration::from_secs(second)).is_none(), "one at a time");
                schedule.failed(id, renewal);
                attempts += 1;
            }
        }
        assert!((10..25).contains(&attempts), "{attempts} in an hour");
        let now = start + Duration::from_secs(3600);
        assert!(schedule.begin(InstanceId::generate(), now).is_some(), "others need not wait");
    }

    #[test]
    fn an_instance_that_answers_need_not_wait() {
        let (mut schedule, id, now) = (Schedule::default(), InstanceId::generate(), Instant::now());
        let (renewal, _) = schedule.begin(id, now).unwrap();
        schedule.unfinished(id, renewal);
        assert!(schedule.has_begun(id));
        assert_eq!(schedule.next(now), Some(now));
        let (_, is_retry) = schedule.begin(id, now).unwrap();
        assert!(!is_retry);
        schedule.done(id, now);
        assert!(schedule.is_idle() && schedule.next(now).is_none());
    }

    #[test]
    fn what_is_presented_is_compared_now_and_then() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        let ids: Vec<_> = (0..1000).map(|_| InstanceId::generate()).collect();
        let first = ids.iter().filter(|id| schedule.is_compared(**id, start)).count();
        assert!(first < 20, "{first} of 1000 at once");
        let all = start + COMPARE;
        for id in &ids {
            assert!(schedule.is_compared(*id, all));
            schedule.begin(*id, all).unwrap();
            schedule.done(*id, all);
            assert!(!schedule.is_compared(*id, all + COMPARE / 2));
            assert!(schedule.is_compared(*id, all + COMPARE));
        }
    }
}
