//! How probers share the instances: each reports that it is alive, and of those that are, an instance belongs to the one with the highest hash of
//! both (rendezvous hashing). A prober that dies leaves its share to all others, and nothing else moves. Two that disagree for a while both
//! probe an instance, which costs a probe and does no harm.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use toygres_domain::InstanceId;
use toygres_store::Store;
use uuid::Uuid;

/// How often a prober reports that it is alive.
const BEAT: Duration = Duration::from_secs(2);
/// After this time without a report it counts as dead.
const EXPIRY: Duration = Duration::from_secs(8);
/// How long nobody may have probed an instance whose prober has died.
pub(super) const LONGEST_MOVE: Duration = Duration::from_secs(12);
/// After this time it is not known any more who is alive.
const STALE: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(super) struct Shares {
    me: Uuid,
    alive: Mutex<Alive>,
    moves: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Alive {
    probers: Vec<Uuid>,
    as_of: Option<Instant>,
}

impl Default for Shares {
    fn default() -> Self {
        Self { me: Uuid::now_v7(), alive: Mutex::default(), moves: watch::Sender::new(0) }
    }
}

impl Shares {
    /// Reports that this prober is alive, until `shutdown`.
    pub(super) async fn run(&self, store: &Store, shutdown: &CancellationToken) {
        loop {
            match store.beat_prober(self.me, EXPIRY).await {
                Ok(probers) => self.set(probers),
                Err(error) => tracing::debug!(%error, "the prober could not report that it is alive"),
            }
            if shutdown.run_until_cancelled(tokio::time::sleep(BEAT)).await.is_none() {
                break;
            }
        }
        if let Err(error) = store.remove_prober(self.me).await {
            tracing::debug!(%error, "others find out by themselves that this prober has stopped");
        }
    }

    /// Whether it is known who is alive.
    pub(super) fn are_known(&self) -> bool {
        self.lock().as_of.is_some_and(|as_of| as_of.elapsed() < STALE)
    }

    /// Waits until it is.
    pub(super) async fn known(&self) {
        // The sender is that of `self`.
        let _ = self.moves.subscribe().wait_for(|moves| *moves > 0).await;
    }

    /// A value that changes with the shares.
    pub(super) fn moves(&self) -> watch::Receiver<u64> {
        self.moves.subscribe()
    }

    /// Whether an instance is this prober's.
    pub(super) fn has(&self, instance: InstanceId) -> bool {
        owner(instance, &self.lock().probers) == Some(self.me)
    }

    fn set(&self, probers: Vec<Uuid>) {
        let mut alive = self.lock();
        alive.as_of = Some(Instant::now());
        if alive.probers != probers {
            tracing::info!(probers = probers.len(), "the probers share the instances anew");
            alive.probers = probers;
            self.moves.send_modify(|moves| *moves += 1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Alive> {
        // No code panics while it holds the lock.
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owner(instance: InstanceId, probers: &[Uuid]) -> Option<Uuid> {
    probers.iter().copied().max_by_key(|prober| weight(instance, *prober))
}

/// The same in every release: servers of two releases work together while they are replaced.
fn weight(instance: InstanceId, prober: Uuid) -> u64 {
    let ((a, b), (c, d)) = (instance.0.as_u64_pair(), prober.as_u64_pair());
    [a, b, c, d].into_iter().fold(0, |hash, part| mix(hash ^ part))
}

/// A step of SplitMix64, which spreads every bit.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_and_only_those_of_the_dead_move() {
        let instances: Vec<_> = (0..10_000).map(|_| InstanceId::generate()).collect();
        let probers: Vec<_> = (0..4).map(|_| Uuid::now_v7()).collect();
        for prober in &probers {
            let share = instances.iter().filter(|id| owner(**id, &probers) == Some(*prober)).count();
            assert!((2250..2750).contains(&share), "{share} of 10000, with 4");
        }
        let left = &probers[1..];
        for id in instances {
            let (before, after) = (owner(id, &probers).unwrap(), owner(id, left).unwrap());
            assert!(before == after || before == probers[0]);
        }
    }

    #[test]
    fn shares_are_the_same_in_every_release() {
        assert_eq!(weight(InstanceId(Uuid::from_u128(1)), Uuid::from_u128(2)), 0xbedb_5bf1_cd5e_c111);
    }
}
