//! The running instances of a prober's share, and when each is due.

use std::{
    collections::{BTreeSet, HashMap, HashSet, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use metrics::gauge;
use tokio::sync::Notify;
use toygres_domain::{
    InstanceId,
    instance::{HealthStatus, Instance, InstanceState},
};

use super::{PROBED, interval, until_next};
use crate::{activities::health_check::Memory, nudges::Backoff};

/// How long the health of a running instance may be unknown before its workflow is nudged: it has been told that it may check.
const UNKNOWN: Duration = Duration::from_secs(2);
/// Within this time what was missed is made up for.
const CATCH_UP: Duration = Duration::from_secs(2);
/// After so many unexpected probes in a row the pause does not double any more.
const DOUBLINGS: u32 = 16;

/// The instances. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Targets(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    targets: HashMap<InstanceId, Target>,
    /// What is to be probed, by time. What is being probed is not among it.
    queue: BTreeSet<(Instant, InstanceId)>,
    hints: Backoff,
}

#[derive(Debug)]
struct Target {
    instance: Arc<Instance>,
    memory: Memory,
    schedule: Schedule,
    /// Unexpected probes since the last that was not.
    unexpected: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Schedule {
    At(Instant),
    InProgress,
    /// Its workflow checks it often enough.
    Never,
}

/// An instance that is due.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) instance: Arc<Instance>,
    /// What is remembered of it.
    pub(super) memory: Memory,
    pub(super) at: Instant,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is as the metadata say. The next probe is due on its interval, or `soon`.
    Expected { memory: Memory, soon: Option<Duration> },
    /// It is not. The next probe is due after this time, or longer if this is not the first.
    Unexpected(Duration),
    /// It was not probed.
    Hinted,
}

/// What became of an instance that was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refreshed {
    /// It was no target any more.
    Absent,
    /// It is one.
    Kept,
    /// It is not to be probed.
    Removed,
}

impl Targets {
    /// Sets all of them. Those that were not there before are due at once if they were within the last `catch_up`. Returns those that are not
    /// there any more.
    pub(super) fn replace_all(&self, instances: impl Iterator<Item = Instance>, catch_up: Duration) -> Vec<InstanceId> {
        let mut inner = self.lock();
        let mut there = HashSet::new();
        for instance in instances {
            there.insert(instance.id);
            inner.update(instance, catch_up);
        }
        let gone: Vec<_> = inner.targets.keys().filter(|id| !there.contains(*id)).copied().collect();
        for id in &gone {
            inner.remove(*id);
        }
        self.report(&inner);
        gone
    }

    /// Sets one of them. Returns whether it is one.
    pub(super) fn update(&self, instance: Instance) -> bool {
        let mut inner = self.lock();
        let is_target = inner.update(instance, Duration::ZERO);
        self.report(&inner);
        is_target
    }

    /// Sets one of them, if it is one.
    pub(super) fn refresh(&self, instance: Instance) -> Refreshed {
        let mut inner = self.lock();
        if !inner.targets.contains_key(&instance.id) {
            return Refreshed::Absent;
        }
        let is_target = inner.update(instance, Duration::ZERO);
        self.report(&inner);
        if is_target { Refreshed::Kept } else { Refreshed::Removed }
    }

    pub(super) fn remove(&self, id: InstanceId) {
        let mut inner = self.lock();
        inner.remove(id);
        self.report(&inner);
    }

    /// Up to `limit` that are due, for which [`Self::done`] is called afterwards.
    pub(super) fn take(&self, now: Instant, limit: usize) -> Vec<Due> {
        let mut inner = self.lock();
        let Inner { targets, queue, .. } = &mut *inner;
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((at, id)) = queue.first().copied().filter(|(at, _)| *at <= now)
        {
            queue.pop_first();
            if let Some(target) = targets.get_mut(&id) {
                target.schedule = Schedule::InProgress;
                due.push(Due { instance: target.instance.clone(), memory: target.memory, at });
            }
        }
        due
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.lock().queue.first().map(|(at, _)| *at)
    }

    /// Completes when the next one may be another.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Takes note of what came of one that was due.
    pub(super) fn done(&self, id: InstanceId, outcome: Outcome) {
        let mut inner = self.lock();
        let Inner { targets, queue, .. } = &mut *inner;
        // It may have been removed, and come back.
        let Some(target) = targets.get_mut(&id).filter(|target| target.schedule == Schedule::InProgress) else { return };
        let pause = match outcome {
            Outcome::Expected { memory, soon } => {
                (target.memory, target.unexpected) = (memory, 0);
                let regular = until_next(&target.instance);
                soon.map_or(regular, |soon| soon.min(regular))
            }
            Outcome::Unexpected(pause) => {
                let pause = pause.saturating_mul(2u32.saturating_pow(target.unexpected.min(DOUBLINGS)));
                target.unexpected = target.unexpected.saturating_add(1);
                pause.min(interval(&target.instance))
            }
            Outcome::Hinted if target.instance.health == HealthStatus::Healthy => until_next(&target.instance),
            Outcome::Hinted => interval(&target.instance),
        };
        let at = Instant::now() + pause;
        target.schedule = match target.instance.health {
            HealthStatus::Unhealthy => Schedule::Never,
            HealthStatus::Healthy | HealthStatus::Unknown => Schedule::At(at),
        };
        if let Schedule::At(at) = target.schedule {
            queue.insert((at, id));
        }
        drop(inner);
        self.0.changed.notify_one();
    }

    /// Whether the workflow of an instance may be nudged.
    pub(super) fn permits_hint(&self, instance: &Instance) -> bool {
        self.lock().hints.permits(instance.id, interval(instance), Instant::now())
    }

    fn report(&self, inner: &Inner) {
        gauge!(PROBED).set(inner.targets.len() as f64);
        self.0.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code panics while it holds the lock.
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn update(&mut self, instance: Instance, catch_up: Duration) -> bool {
        // Two that read it at the same time may hand it in in either order.
        if self.targets.get(&instance.id).is_some_and(|target| target.instance.revision > instance.revision) {
            return true;
        }
        let is_target = instance.state == InstanceState::Running && instance.endpoint.is_some() && instance.health_check_orchestration_id.is_some();
        if !is_target {
            self.remove(instance.id);
            return false;
        }
        let (id, now) = (instance.id, Instant::now());
        let schedule = match instance.health {
            HealthStatus::Healthy => Schedule::At(now + first_probe(&instance, catch_up)),
            HealthStatus::Unknown => Schedule::At(now + UNKNOWN),
            HealthStatus::Unhealthy => Schedule::Never,
        };
        let target = match self.targets.entry(id) {
            Entry::Vacant(place) => place.insert(Target { instance: Arc::new(instance), memory: Memory::default(), schedule, unexpected: 0 }),
            Entry::Occupied(place) => {
                let target = place.into_mut();
                let former = std::mem::replace(&mut target.instance, Arc::new(instance));
                let is_as_before = former.health == target.instance.health
                    && former.operation_count == target.instance.operation_count
                    && former.spec.health_check == target.instance.spec.health_check;
                if is_as_before || target.schedule == Schedule::InProgress {
                    return true;
                }
                if let Schedule::At(at) = target.schedule {
                    self.queue.remove(&(at, id));
                }
                (target.schedule, target.unexpected) = (schedule, 0);
                target
            }
        };
        if let Schedule::At(at) = target.schedule {
            self.queue.insert((at, id));
        }
        true
    }

    fn remove(&mut self, id: InstanceId) {
        if let Some(Target { schedule: Schedule::At(at), .. }) = self.targets.remove(&id) {
            self.queue.remove(&(at, id));
        }
    }
}

/// How long until the first probe of an instance: on its interval, or soon if it was due within the last `catch_up`.
fn first_probe(instance: &Instance, catch_up: Duration) -> Duration {
    let wait = until_next(instance);
    if interval(instance).saturating_sub(wait) < catch_up {
        let within = u64::try_from(CATCH_UP.as_millis()).unwrap_or(0);
        return Duration::from_millis(instance.id.spread(within)).min(wait);
    }
    wait
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use toygres_domain::{
        instance::{Endpoint, Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
        name::SqlName,
    };

    use super::*;

    fn instance(state: InstanceState, revision: i64) -> Instance {
        Instance {
            id: InstanceId(uuid::Uuid::from_u128(1)),
            name: "orders".parse().unwrap(),
            first_name: "orders".parse().unwrap(),
            state,
            health: HealthStatus::Healthy,
            reason: None,
            notices: Vec::new(),
            spec: InstanceSpec {
                postgres_version: PostgresVersion(17),
                storage_gb: 1,
                cpu_millis: 100,
                memory_mb: 128,
                username: SqlName::role("app").unwrap(),
                database: SqlName::database("app").unwrap(),
                exposure: Exposure::Cluster,
                require_tls: false,
                health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
                parameters: Default::default(),
            },
            former_address: None,
            update_available: None,
            endpoint: Some(Endpoint { host: "db".to_owned(), port: 5432 }),
            connection_string: None,
            health_check_orchestration_id: Some("health".to_owned()),
            labels: Default::default(),
            deletion_protected: false,
            idle_suspend_minutes: None,
            maintenance_window: None,
            storage_auto_grow: None,
            backups: Default::default(),
            operation_count: 1,
            revision,
            created_at: Utc::now(),
            updated_at: Utc::now(),
            deleted_at: None,
        }
    }

    fn is_probed(targets: &Targets) -> bool {
        targets.next().is_some()
    }

    #[test]
    fn an_instance_that_has_left_the_share_is_not_put_back() {
        let targets = Targets::default();
        assert!(targets.update(instance(InstanceState::Running, 1)));
        let gone = targets.replace_all(std::iter::empty(), Duration::ZERO);
        assert_eq!(gone.len(), 1);
        assert_eq!(targets.refresh(instance(InstanceState::Running, 2)), Refreshed::Absent, "a probe that was in progress has read it again");
        assert!(!is_probed(&targets));
    }

    #[test]
    fn what_is_known_to_be_older_changes_nothing() {
        let targets = Targets::default();
        assert!(targets.update(instance(InstanceState::Running, 3)));
        assert_eq!(targets.refresh(instance(InstanceState::Updating, 2)), Refreshed::Kept);
        assert!(is_probed(&targets), "the operation is over");
        assert_eq!(targets.refresh(instance(InstanceState::Updating, 4)), Refreshed::Removed);
        assert!(!is_probed(&targets));
        // The events have said that there is an operation, before this was read.
        assert_eq!(targets.refresh(instance(InstanceState::Running, 3)), Refreshed::Absent);
        assert!(!is_probed(&targets));
    }
}
