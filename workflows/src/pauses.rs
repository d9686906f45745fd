//! Pauses between attempts that fail, or that somebody undoes: each is twice as long as the one before.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// The first pause.
pub(crate) const FIRST: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(300);
/// What needed no attempt for so many of its last pauses is forgotten.
const QUIET: u32 = 4;

/// The pauses after recent attempts.
#[derive(Debug)]
pub(crate) struct Pauses<K>(HashMap<K, Pause>);

#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    length: Duration,
}

impl<K> Default for Pauses<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Clone + Eq + Hash> Pauses<K> {
    /// Whether an attempt for these keys may be made now, because one of them has no pause; that begins the next pause of each. Otherwise
    /// returns when one may be made.
    pub(crate) fn permits(&mut self, keys: &[K], now: Instant) -> Result<(), Instant> {
        self.0.retain(|_, pause| now < pause.until + pause.length * QUIET);
        let earliest = keys.iter().map(|key| self.0.get(key).map_or(now, |pause| pause.until)).min();
        if let Some(earliest) = earliest.filter(|earliest| *earliest > now) {
            return Err(earliest);
        }
        for key in keys {
            let length = self.0.get(key).map_or(FIRST, |pause| (pause.length * 2).min(LONGEST));
            self.0.insert(key.clone(), Pause { until: now + length, length });
        }
        Ok(())
    }

    /// Whether there was an attempt recently.
    pub(crate) fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// When the pause of a key ends; `now` if it has none.
    pub(crate) fn end(&self, key: &K, now: Instant) -> Instant {
        self.0.get(key).map_or(now, |pause| pause.until)
    }

    /// Forgets the pauses of a key: its last attempt succeeded for good.
    pub(crate) fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }
}
