//! The back-off of repairs: somebody may revert each of them.

use std::time::Instant;

use toygres_domain::{
    InstanceId,
    drift::{Drift, DriftChange, DriftKind},
};

use crate::pauses::Pauses;

/// The pauses after recent repairs. Who deletes one object after the other reverts nothing, so each has its own.
#[derive(Debug, Default)]
pub(super) struct Backoff(Pauses<Repaired>);

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Repaired {
    instance: InstanceId,
    kind: DriftKind,
    name: String,
    deleted: bool,
}

impl Backoff {
    /// Whether an instance may be repaired now, which begins the next pause of what has drifted. Otherwise returns when it may.
    pub(super) fn permits(&mut self, id: InstanceId, drift: &[Drift], now: Instant) -> Result<(), Instant> {
        let keys: Vec<_> = drift.iter().map(|drift| Repaired::new(id, drift)).collect();
        self.0.permits(&keys, now)
    }
}

impl Repaired {
    fn new(instance: InstanceId, Drift { kind, name, change }: &Drift) -> Self {
        Self { instance, kind: *kind, name: name.clone(), deleted: *change == DriftChange::Deleted }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pauses::FIRST;

    fn deleted(name: &str) -> Vec<Drift> {
        vec![Drift::new(DriftKind::Service, name, DriftChange::Deleted)]
    }

    #[test]
    fn who_reverts_every_repair_causes_few() {
        let (mut backoff, id, start) = (Backoff::default(), InstanceId::generate(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        let repairs = (0..3600).filter(|second| backoff.permits(id, &deleted("a"), at(*second)).is_ok()).count();
        assert!((10..25).contains(&repairs), "{repairs} in an hour");
        assert!(backoff.permits(InstanceId::generate(), &deleted("a"), at(3600)).is_ok(), "another instance");
    }

    #[test]
    fn who_changes_one_object_after_the_other_waits_for_none() {
        let (mut backoff, id, now) = (Backoff::default(), InstanceId::generate(), Instant::now());
        let edited = [Drift::new(DriftKind::Service, "a", DriftChange::Edited(Vec::new()))];
        for drift in [&deleted("a")[..], &deleted("b"), &edited] {
            assert!(backoff.permits(id, drift, now).is_ok(), "{drift:?}");
            assert_eq!(backoff.permits(id, drift, now), Err(now + FIRST));
        }
        let both = [deleted("a"), deleted("c")].concat();
        assert!(backoff.permits(id, &both, now).is_ok(), "a repair puts everything back");
        assert_eq!(backoff.permits(id, &deleted("a"), now), Err(now + FIRST * 2), "and it counts as one of each");
    }

    #[test]
    fn a_rare_repair_is_immediate() {
        let (mut backoff, id, start) = (Backoff::default(), InstanceId::generate(), Instant::now());
        for minute in 0..10 {
            assert!(backoff.permits(id, &deleted("a"), start + Duration::from_secs(minute * 60)).is_ok());
        }
    }
}
