//! Attempts to authenticate with tokens that do not exist: they cost no query each, and an address that makes many is slowed down.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// Unknown tokens that one address may present at once, before it is slowed down.
const BURST: f64 = 20.0;
/// Unknown tokens that it may then present in a second.
const RATE: f64 = 1.0;
/// How long a token stays known as unknown. It cannot come to exist meanwhile: its secret would be new.
const UNKNOWN: Duration = Duration::from_secs(60);
/// Entries that each table may have.
const ENTRIES: usize = 10_000;
/// How often an address is logged.
const LOG_PERIOD: Duration = Duration::from_secs(60);

type TokenDigest = [u8; 32];

/// What is remembered of presented tokens.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Tokens that were valid when they were last presented. An address that is slowed down may go on with these.
    verified: HashSet<TokenDigest>,
    unknown: HashMap<TokenDigest, Instant>,
    addresses: HashMap<IpAddr, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    /// Unknown tokens that the address may still present.
    allowance: f64,
    at: Instant,
    unlogged: u64,
    logged: Option<Instant>,
}

/// What to do with a presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The metadata database has to say.
    LookUp,
    /// It is unknown.
    Unknown,
    /// Its address has presented too many unknown tokens.
    TooMany,
}

impl Attempts {
    /// Decides about a token before it is looked up.
    pub(super) fn verdict(&self, secret: &str, address: Option<IpAddr>, now: Instant) -> Verdict {
        let digest = digest(secret);
        self.with(|state| {
            if state.verified.contains(&digest) {
                return Verdict::LookUp;
            }
            // Paid before the look-up, so that attempts at the same time cannot all pass.
            if !state.pay(address, now) {
                return Verdict::TooMany;
            }
            match state.unknown.get(&digest) {
                Some(at) if now.duration_since(*at) < UNKNOWN => Verdict::Unknown,
                _ => Verdict::LookUp,
            }
        })
    }

    /// Records that a token is valid.
    pub(super) fn verified(&self, secret: &str, address: Option<IpAddr>) {
        let digest = digest(secret);
        self.with(|state| {
            if state.verified.len() >= ENTRIES {
                state.verified.clear();
            }
            if state.verified.insert(digest)
                && let Some(failures) = address.and_then(|address| state.addresses.get_mut(&address))
            {
                failures.allowance = (failures.allowance + 1.0).min(BURST);
            }
        });
    }

    /// Records that a token is not valid. Returns how many such attempts of the address have not been logged, if it is time to.
    pub(super) fn failed(&self, secret: &str, address: Option<IpAddr>, now: Instant) -> Option<u64> {
        let digest = digest(secret);
        self.with(|state| {
            state.verified.remove(&digest);
            if state.unknown.len() >= ENTRIES {
                state.unknown.clear();
            }
            state.unknown.entry(digest).or_insert(now);
            let failures = state.addresses.get_mut(&address?)?;
            failures.unlogged += 1;
            if failures.logged.is_some_and(|at| now.duration_since(at) < LOG_PERIOD) {
                return None;
            }
            failures.logged = Some(now);
            Some(std::mem::take(&mut failures.unlogged))
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // No code panics while it holds the lock, so the tables are consistent.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// Takes one attempt from the allowance of an address.
    fn pay(&mut self, address: Option<IpAddr>, now: Instant) -> bool {
        let Some(address) = address else { return true };
        if self.addresses.len() >= ENTRIES && !self.addresses.contains_key(&address) {
            self.addresses.retain(|_, failures| failures.allowance_at(now) < BURST);
            if self.addresses.len() >= ENTRIES {
                self.addresses.clear();
            }
        }
        let failures = self.addresses.entry(address).or_insert(Failures { allowance: BURST, at: now, unlogged: 0, logged: None });
        failures.allowance = failures.allowance_at(now);
        failures.at = now;
        let may = failures.allowance >= 1.0;
        if may {
            failures.allowance -= 1.0;
        }
        may
    }
}

impl Failures {
    fn allowance_at(&self, now: Instant) -> f64 {
        (self.allowance + now.duration_since(self.at).as_secs_f64() * RATE).min(BURST)
    }
}

fn digest(secret: &str) -> TokenDigest {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_many_unknown_tokens_is_slowed_down_and_others_are_not() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let bad = address("10.0.0.1");
        assert_eq!(attempts.verdict("good", bad, now), Verdict::LookUp);
        attempts.verified("good", bad);
        let verdicts: Vec<_> = (0..30)
            .map(|n| {
                let verdict = attempts.verdict(&format!("guess {n}"), bad, now);
                attempts.failed(&format!("guess {n}"), bad, now);
                verdict
            })
            .collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::LookUp).count(), 20);
        assert_eq!(verdicts.last(), Some(&Verdict::TooMany));
        assert_eq!(attempts.verdict("good", bad, now), Verdict::LookUp, "a verified token of the same address");
        assert_eq!(attempts.verdict("guess", address("10.0.0.2"), now), Verdict::LookUp, "another address");
        let later = now + Duration::from_secs(2);
        assert_eq!(attempts.verdict("another guess", bad, later), Verdict::LookUp);
        assert_eq!(attempts.verdict("guess 3", bad, later), Verdict::Unknown, "presented before");
        assert_eq!(attempts.verdict("guess 4", bad, later), Verdict::TooMany);
    }

    #[test]
    fn failures_are_logged_once_a_minute_with_their_number() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let address = Some("10.0.0.1".parse::<IpAddr>().unwrap());
        let failed = |at| {
            attempts.verdict("guess", address, at);
            attempts.failed("guess", address, at)
        };
        assert_eq!(failed(now), Some(1));
        assert_eq!(failed(now), None);
        assert_eq!(failed(now + LOG_PERIOD), Some(2));
    }

    #[test]
    fn a_token_that_was_revoked_is_no_longer_verified() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        attempts.verified("once good", None);
        attempts.failed("once good", None, now);
        assert_eq!(attempts.verdict("once good", None, now), Verdict::Unknown);
    }

    #[test]
    fn the_tables_are_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..3 * u32::try_from(ENTRIES).unwrap() {
            let (secret, address) = (n.to_string(), Some(IpAddr::from(n.to_be_bytes())));
            attempts.verdict(&secret, address, now);
            attempts.failed(&secret, address, now);
            attempts.verified(&secret, address);
        }
        attempts.with(|state| {
            assert!(state.verified.len() <= ENTRIES && state.unknown.len() <= ENTRIES && state.addresses.len() <= ENTRIES);
        });
    }
}
