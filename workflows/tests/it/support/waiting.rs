//! Waiting for effects in the background.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use toygres_domain::{Error, Result};

/// The time limit of every wait: long, because a busy machine must not fail a test.
pub const TIMEOUT: Duration = Duration::from_secs(100);
/// The number of concurrent cases: more would wait for connections.
const CONCURRENCY: usize = 8;

/// Polls until `poll` returns something, and fails after [`TIMEOUT`].
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut poll: impl FnMut() -> F) -> T {
    let started = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        if let Some(found) = poll().await {
            return found;
        }
        assert!(started.elapsed() < TIMEOUT, "timed out waiting until {what}");
        tokio::time::sleep(pause).await;
        // Not more often, because many cases poll at the same time.
        pause = (pause * 3 / 2).min(Duration::from_millis(100));
    }
}

/// Retries a call that failed because no connection was available in time, as clients do: a busy machine may need longer than the
/// time-out of the pool.
pub async fn with_retry<T, F: Future<Output = Result<T>>>(mut call: impl FnMut() -> F) -> Result<T> {
    let started = Instant::now();
    loop {
        match call().await {
            Err(Error::Unavailable(_)) if started.elapsed() < TIMEOUT => {}
            answer => return answer,
        }
    }
}

/// Runs all cases, several at the same time.
pub async fn concurrently<C, F: Future<Output = ()>>(cases: impl IntoIterator<Item = C>, run: impl Fn(C) -> F) {
    stream::iter(cases).for_each_concurrent(CONCURRENCY, run).await;
}
