//! The sockets that have not been acknowledged yet.
//!
//! Their callers are not authenticated, so they have a limit of their own: they take no place of an authenticated caller. When it
//! is reached, the oldest is closed. A client that authenticates at once is served even while others hold sockets open silently.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// The sockets that have not been acknowledged, oldest first. Clones share them.
#[derive(Clone, Debug)]
pub(in crate::transport) struct PendingSockets {
    limit: usize,
    sockets: Arc<Mutex<Sockets>>,
}

#[derive(Debug, Default)]
struct Sockets {
    next: u64,
    /// In the order of their numbers.
    queue: VecDeque<(u64, CancellationToken)>,
}

/// A socket that has not been acknowledged. Dropping it makes room for another.
#[derive(Debug)]
pub(in crate::transport) struct PendingSocket {
    number: u64,
    displaced: CancellationToken,
    sockets: Arc<Mutex<Sockets>>,
}

impl PendingSockets {
    pub(in crate::transport) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), sockets: Arc::default() }
    }

    /// Adds a socket. The oldest is displaced if there are too many.
    pub(in crate::transport) fn add(&self) -> PendingSocket {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let number = sockets.next;
        sockets.next += 1;
        let displaced = CancellationToken::new();
        sockets.queue.push_back((number, displaced.clone()));
        while sockets.queue.len() > self.limit {
            if let Some((_, oldest)) = sockets.queue.pop_front() {
                oldest.cancel();
                metrics::counter!("toygres_sockets_displaced_total").increment(1);
            }
        }
        PendingSocket { number, displaced, sockets: Arc::clone(&self.sockets) }
    }
}

impl PendingSocket {
    /// Completes when a newer socket has taken its place.
    pub(in crate::transport) async fn displaced(&self) {
        self.displaced.cancelled().await;
    }
}

impl Drop for PendingSocket {
    fn drop(&mut self) {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(at) = sockets.queue.binary_search_by_key(&self.number, |(number, _)| *number) {
            sockets.queue.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room() {
        let pending = PendingSockets::new(2);
        let sockets: Vec<_> = (0..4).map(|_| pending.add()).collect();
        let displaced: Vec<_> = sockets.iter().map(|socket| socket.displaced.is_cancelled()).collect();
        assert_eq!(displaced, [true, true, false, false]);
        drop(sockets);
        assert!(pending.sockets.lock().unwrap().queue.is_empty());
        let (_a, b) = (pending.add(), pending.add());
        drop(b);
        let _c = pending.add();
        assert_eq!(pending.sockets.lock().unwrap().queue.len(), 2);
    }
}
