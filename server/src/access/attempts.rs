//! Attempts to authenticate with invalid tokens: an unknown token costs no second query, and an address that makes many attempts is
//! slowed down. Addresses are those of [`counted_address`](crate::transport::counted_address).

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// Invalid tokens that one address may present at once before it is slowed down.
const BURST: f64 = 20.0;
/// How many of these it regains per second.
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
    /// Tokens that were valid when they were last presented. They are never slowed down.
    verified: HashSet<TokenDigest>,
    /// Tokens that do not exist, and when that was last found.
    unknown: HashMap<TokenDigest, Instant>,
    addresses: HashMap<IpAddr, Failures>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    /// Attempts that the address has left.
    allowance: f64,
    at: Instant,
    unlogged: u64,
    logged: Option<Instant>,
}

/// What to do with a presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It was valid when it was last presented; the metadata database has to say whether it still is.
    LookUp,
    /// The metadata database has to say. One attempt of the address was taken for it, which a valid token gives back.
    PaidLookUp,
    /// The same, but the address has no attempt left.
    SlowLookUp,
    /// It does not exist.
    Unknown,
}

impl Attempts {
    /// Decides about a token before it is looked up.
    pub(super) fn decide(&self, secret: &str, address: Option<IpAddr>, now: Instant) -> Decision {
        let digest = digest(secret);
        self.with(|state| {
            if state.verified.contains(&digest) {
                return Decision::LookUp;
            }
            // Paid before the look-up, so that attempts at the same time cannot all pass.
            let paid = state.pay(address, now);
            match state.unknown.get(&digest) {
                Some(at) if now.duration_since(*at) < UNKNOWN => Decision::Unknown,
                _ if paid => Decision::PaidLookUp,
                _ => Decision::SlowLookUp,
            }
        })
    }

    /// Records that a token is valid.
    pub(super) fn verified(&self, secret: &str, address: Option<IpAddr>, decision: Decision) {
        let digest = digest(secret);
        self.with(|state| {
            if state.verified.len() >= ENTRIES {
                state.verified.clear();
            }
            state.verified.insert(digest);
            state.give_back(address, decision);
        });
    }

    /// Records that a token could not be looked up.
    pub(super) fn not_checked(&self, address: Option<IpAddr>, decision: Decision) {
        self.with(|state| state.give_back(address, decision));
    }

    /// Records that a token does not exist. Returns the number of attempts of the address with invalid tokens that are not logged yet,
    /// if it is time to log them.
    pub(super) fn unknown(&self, secret: &str, address: Option<IpAddr>, now: Instant) -> Option<u64> {
        let digest = digest(secret);
        self.with(|state| {
            state.verified.remove(&digest);
            if state.unknown.len() >= ENTRIES {
                state.unknown.clear();
            }
            state.unknown.insert(digest, now);
            state.failed(address?, now)
        })
    }

    /// The same for a token that has expired or was revoked.
    pub(super) fn expired(&self, secret: &str, address: Option<IpAddr>, now: Instant) -> Option<u64> {
        let digest = digest(secret);
        self.with(|state| {
            state.verified.remove(&digest);
            state.failed(address?, now)
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

    /// Gives an attempt back that was taken for a look-up.
    fn give_back(&mut self, address: Option<IpAddr>, decision: Decision) {
        if decision == Decision::PaidLookUp
            && let Some(failures) = address.and_then(|address| self.addresses.get_mut(&address))
        {
            failures.allowance = (failures.allowance + 1.0).min(BURST);
        }
    }

    /// Counts a failed attempt for the log.
    fn failed(&mut self, address: IpAddr, now: Instant) -> Option<u64> {
        let failures = self.addresses.get_mut(&address)?;
        failures.unlogged += 1;
        if failures.logged.is_some_and(|at| now.duration_since(at) < LOG_PERIOD) {
            return None;
        }
        failures.logged = Some(now);
        Some(std::mem::take(&mut failures.unlogged))
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

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    /// Presents unknown tokens until the address has no attempt left.
    fn guess(attempts: &Attempts, address: Option<IpAddr>, now: Instant) -> usize {
        let paid = (0..30).map(|n| {
            let secret = format!("guess {n}");
            let decision = attempts.decide(&secret, address, now);
            attempts.unknown(&secret, address, now);
            decision
        });
        paid.filter(|decision| *decision == Decision::PaidLookUp).count()
    }

    #[test]
    fn an_address_with_many_unknown_tokens_is_slowed_down_and_others_are_not() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let bad = address("10.0.0.1");
        let decision = attempts.decide("good", bad, now);
        attempts.verified("good", bad, decision);
        assert_eq!((decision, guess(&attempts, bad, now)), (Decision::PaidLookUp, 20), "what a valid token took is given back");
        assert_eq!(attempts.decide("new", bad, now), Decision::SlowLookUp, "it may be valid");
        assert_eq!(attempts.decide("good", bad, now), Decision::LookUp, "a verified token of the same address");
        assert_eq!(attempts.decide("guess", address("10.0.0.2"), now), Decision::PaidLookUp, "another address");
        let later = now + Duration::from_secs(2);
        assert_eq!(attempts.decide("another guess", bad, later), Decision::PaidLookUp);
        assert_eq!(attempts.decide("guess 3", bad, later), Decision::Unknown, "presented before");
        assert_eq!(attempts.decide("a third guess", bad, later), Decision::SlowLookUp);
        assert_eq!(attempts.decide("guess 3", bad, later), Decision::Unknown, "without a query, also when the address is slowed down");
    }

    #[test]
    fn what_is_no_failure_is_given_back_each_time() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let proxy = address("10.0.0.1");
        // The same token at the same time, as after a restart of the server, and a database that does not answer.
        let decisions: Vec<_> = (0..10).map(|_| attempts.decide("good", proxy, now)).collect();
        decisions.iter().for_each(|decision| attempts.verified("good", proxy, *decision));
        let decision = attempts.decide("other", proxy, now);
        attempts.not_checked(proxy, decision);
        assert_eq!(guess(&attempts, proxy, now), 20);
    }

    #[test]
    fn failures_are_logged_once_a_minute_with_their_number() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let address = address("10.0.0.1");
        let failed = |at| {
            attempts.decide("guess", address, at);
            attempts.unknown("guess", address, at)
        };
        assert_eq!(failed(now), Some(1));
        assert_eq!(failed(now), None);
        assert_eq!(failed(now + LOG_PERIOD), Some(2));
    }

    #[test]
    fn a_token_that_has_expired_does_not_become_unknown() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let decision = attempts.decide("once good", None, now);
        attempts.verified("once good", None, decision);
        attempts.expired("once good", None, now);
        assert_eq!(attempts.decide("once good", None, now), Decision::PaidLookUp, "no longer verified, and looked up again");
    }

    #[test]
    fn what_is_found_again_not_to_exist_stays_known() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        attempts.unknown("guess", None, now);
        let later = now + UNKNOWN;
        assert_eq!(attempts.decide("guess", None, later), Decision::PaidLookUp, "it is looked up once a minute");
        attempts.unknown("guess", None, later);
        assert_eq!(attempts.decide("guess", None, later + UNKNOWN / 2), Decision::Unknown);
    }

    #[test]
    fn the_tables_are_bounded() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        for n in 0..3 * u32::try_from(ENTRIES).unwrap() {
            let (secret, address) = (n.to_string(), Some(IpAddr::from(n.to_be_bytes())));
            let decision = attempts.decide(&secret, address, now);
            attempts.unknown(&secret, address, now);
            attempts.verified(&secret, address, decision);
        }
        attempts.with(|state| {
            assert!(state.verified.len() <= ENTRIES && state.unknown.len() <= ENTRIES && state.addresses.len() <= ENTRIES);
        });
    }
}
