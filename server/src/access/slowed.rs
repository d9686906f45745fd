//! Look-ups for addresses that have presented too many unknown tokens. Behind a proxy, valid tokens come from the same address as
//! guesses, so they are not refused but slowed down: one look-up at a time for each address, after a pause, and few of all addresses.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;

/// The pause before each look-up, which allows 20 per second for each address.
const PAUSE: Duration = Duration::from_millis(50);
/// Callers of one address that may wait; the last one waits 3 seconds.
const WAITING: usize = 64;
/// Callers of all addresses that may wait.
const WAITING_IN_ALL: usize = 1000;
/// Concurrent look-ups. Most connections to the metadata database are left to callers that are not slowed down.
const AT_ONCE: usize = 4;

/// The callers that are slowed down. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Slowed {
    addresses: Arc<Mutex<HashMap<IpAddr, Waiting>>>,
    in_all: Arc<Semaphore>,
    at_once: Arc<Semaphore>,
}

#[derive(Debug)]
struct Waiting {
    turn: Arc<Semaphore>,
    callers: usize,
}

/// A caller that waits or looks its token up. Dropping it makes room for another.
#[derive(Debug)]
struct Place {
    slowed: Slowed,
    address: IpAddr,
}

impl Default for Slowed {
    fn default() -> Self {
        Self { addresses: Arc::default(), in_all: Arc::new(Semaphore::new(WAITING_IN_ALL)), at_once: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Slowed {
    /// Does the look-up when it is its turn; `None` if too many callers wait.
    pub(super) async fn run<T>(&self, address: IpAddr, look_up: impl Future<Output = T>) -> Option<T> {
        let _in_all = self.in_all.try_acquire().ok()?;
        let (_place, turn) = self.join(address)?;
        let _turn = turn.acquire().await.ok()?;
        tokio::time::sleep(PAUSE).await;
        let _permit = self.at_once.acquire().await.ok()?;
        Some(look_up.await)
    }

    fn join(&self, address: IpAddr) -> Option<(Place, Arc<Semaphore>)> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = addresses.entry(address).or_insert_with(|| Waiting { turn: Arc::new(Semaphore::new(1)), callers: 0 });
        if waiting.callers >= WAITING {
            return None;
        }
        waiting.callers += 1;
        Some((Place { slowed: self.clone(), address }, Arc::clone(&waiting.turn)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut addresses = self.slowed.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = addresses.get_mut(&self.address) {
            waiting.callers -= 1;
            if waiting.callers == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn callers_of_one_address_take_turns_and_only_so_many_wait() {
        let slowed = Slowed::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let begin = tokio::time::Instant::now();
        let same = join_all((0..WAITING + 10).map(|n| {
            let slowed = slowed.clone();
            async move { slowed.run(address("10.0.0.1"), async move { (n, begin.elapsed()) }).await }
        }));
        let other = slowed.run(address("10.0.0.2"), async { begin.elapsed() });
        let (same, other) = tokio::join!(same, other);
        assert_eq!(other, Some(PAUSE), "another address does not wait for it");
        let done: Vec<_> = same.iter().flatten().copied().collect();
        let expected: Vec<_> = (0..WAITING).map(|n| (n, PAUSE * u32::try_from(n + 1).unwrap())).collect();
        assert_eq!(done, expected, "first come, first served; those after them are refused");
        assert!(slowed.addresses.lock().unwrap().is_empty());
        assert_eq!(slowed.in_all.available_permits(), WAITING_IN_ALL);
    }
}
