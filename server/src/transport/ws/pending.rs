//! The sockets whose `connection_init` has not arrived yet.
//!
//! Their callers are not authenticated, so they have a limit of their own: they take no place of an authenticated caller. When it
//! is reached, the oldest of the address that has the most is closed. A client that sends its `connection_init` at once is served
//! even while others hold sockets open silently; from then on its socket does not count here.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, VecDeque},
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::transport::counted_address;

/// The sockets that wait for their `connection_init`. Clones share them.
#[derive(Clone, Debug)]
pub(in crate::transport) struct PendingSockets {
    limit: usize,
    sockets: Arc<Mutex<Sockets>>,
}

#[derive(Debug, Default)]
struct Sockets {
    next: u64,
    count: usize,
    /// Of each address, in the order of their numbers. No list is empty.
    by_address: HashMap<IpAddr, VecDeque<(u64, CancellationToken)>>,
    /// The addresses by the number of their sockets and the age of the oldest. A socket of the last one is displaced.
    busiest: BTreeSet<(usize, Reverse<u64>, IpAddr)>,
}

/// A socket that waits for its `connection_init`. Dropping it makes room for another.
#[derive(Debug)]
pub(in crate::transport) struct PendingSocket {
    number: u64,
    address: IpAddr,
    displaced: CancellationToken,
    sockets: Arc<Mutex<Sockets>>,
}

impl PendingSockets {
    pub(in crate::transport) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), sockets: Arc::default() }
    }

    /// Adds a socket. Another is displaced if there are too many.
    pub(in crate::transport) fn add(&self, address: Option<IpAddr>) -> PendingSocket {
        let address = counted_address(address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()));
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let number = sockets.next;
        sockets.next += 1;
        let displaced = CancellationToken::new();
        sockets.change(address, |queue| queue.push_back((number, displaced.clone())));
        while sockets.count > self.limit {
            let Some((_, _, busiest)) = sockets.busiest.last().copied() else { break };
            if let Some((_, oldest)) = sockets.change(busiest, VecDeque::pop_front) {
                oldest.cancel();
                metrics::counter!("toygres_sockets_displaced_total").increment(1);
            }
        }
        PendingSocket { number, address, displaced, sockets: Arc::clone(&self.sockets) }
    }
}

impl Sockets {
    /// Changes the sockets of one address.
    fn change<T>(&mut self, address: IpAddr, change: impl FnOnce(&mut VecDeque<(u64, CancellationToken)>) -> T) -> T {
        let rank = |queue: &VecDeque<(u64, CancellationToken)>| Some((queue.len(), Reverse(queue.front()?.0), address));
        let queue = self.by_address.entry(address).or_default();
        if let Some(rank) = rank(queue) {
            self.busiest.remove(&rank);
        }
        self.count -= queue.len();
        let outcome = change(queue);
        self.count += queue.len();
        match rank(queue) {
            Some(rank) => {
                self.busiest.insert(rank);
            }
            None => {
                self.by_address.remove(&address);
            }
        }
        outcome
    }
}

impl PendingSocket {
    /// Completes when a newer socket has taken its place.
    pub(in crate::transport) async fn displaced(&self) {
        self.displaced.cancelled().await;
    }

    /// Its `connection_init` has arrived: it cannot be displaced any more, and makes room for another.
    pub(in crate::transport) fn leave(&self) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.change(self.address, |queue| {
            if let Ok(at) = queue.binary_search_by_key(&self.number, |(number, _)| *number) {
                queue.remove(at);
            }
        });
    }
}

impl Drop for PendingSocket {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn displaced(sockets: &[PendingSocket]) -> Vec<bool> {
        sockets.iter().map(|socket| socket.displaced.is_cancelled()).collect()
    }

    #[test]
    fn the_oldest_makes_room() {
        let pending = PendingSockets::new(2);
        let sockets: Vec<_> = (0..4).map(|_| pending.add(None)).collect();
        assert_eq!(displaced(&sockets), [true, true, false, false]);
        drop(sockets);
        let (_a, b) = (pending.add(None), pending.add(None));
        drop(b);
        let _c = pending.add(None);
        assert_eq!(pending.sockets.lock().unwrap().count, 2);
    }

    #[test]
    fn the_busiest_address_makes_room() {
        let pending = PendingSockets::new(4);
        let add = |address: &str| pending.add(Some(address.parse().unwrap()));
        let sockets = [add("10.0.0.1"), add("2001:db8::1"), add("2001:db8::2"), add("2001:db8::3"), add("10.0.0.2"), add("10.0.0.3")];
        assert_eq!(displaced(&sockets), [false, true, true, false, false, false], "a network of 64 bits is one address");
        let more = add("10.0.0.4");
        assert_eq!(displaced(&sockets), [true, true, true, false, false, false], "among equals, the oldest");
        drop((sockets, more));
        let left = pending.sockets.lock().unwrap();
        assert!(left.count == 0 && left.by_address.is_empty() && left.busiest.is_empty());
    }

    #[test]
    fn one_whose_init_has_arrived_stays() {
        let pending = PendingSockets::new(1);
        let first = pending.add(None);
        first.leave();
        let rest: Vec<_> = (0..3).map(|_| pending.add(None)).collect();
        assert!(!first.displaced.is_cancelled());
        assert_eq!(displaced(&rest), [true, true, false]);
    }
}
