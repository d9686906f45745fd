//! The heartbeat of a worker, which keeps deadlines and timers right across downtime and clock steps.
//!
//! - Deadlines are compared with the database's clock, and time in which no worker was alive does not count: see [`Store::heartbeat`].
//! - The engine compares its timers with this machine's clock. When that steps back, timers and locks would be late by as much, so
//!   they are moved with it. One that is early is harmless.

use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use metrics::{counter, gauge};
use tokio_util::sync::CancellationToken;
use toygres_domain::Result;
use toygres_store::{HEARTBEAT, Heartbeat, Store};

use crate::engine::tables;

/// How often the two clocks of this machine are compared.
const PERIOD: Duration = Duration::from_secs(1);
/// The step of a clock, and the difference between two, that is too small to matter.
const TOLERATED: Duration = Duration::from_secs(2);
/// How often a difference to the database's clock is logged.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Runs until `shutdown`. The first heartbeat must have been made before the engine starts: see [`first`].
pub async fn run(store: Store, shutdown: CancellationToken) {
    let mut clock = MachineClock::now();
    let mut beaten = Instant::now();
    let mut reported: Option<Instant> = None;
    while shutdown.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_some() {
        if let Some(step) = clock.stepped_back()
            && let Err(error) = move_timers(&store, step).await
        {
            tracing::warn!(%error, "the clock was set back, and the timers of workflows could not be moved; trying again");
            continue;
        }
        clock = MachineClock::now();
        if beaten.elapsed() < HEARTBEAT {
            continue;
        }
        // A database that does not answer is reported by others.
        let asked = Utc::now();
        let Ok(beat) = store.heartbeat().await else { continue };
        beaten = Instant::now();
        let skew = report(&beat, asked);
        let large = skew.abs() > TimeDelta::from_std(TOLERATED).unwrap_or_default();
        if large && reported.is_none_or(|at| at.elapsed() > REPORT_EVERY) {
            reported = Some(beaten);
            let (seconds, direction) = (skew.abs().num_seconds(), if skew < TimeDelta::zero() { "behind" } else { "ahead of" });
            tracing::warn!("the clock of this machine is {seconds} s {direction} that of the metadata database, which decides; synchronise them");
        }
    }
}

/// Makes the first heartbeat of this worker.
///
/// # Errors
/// [`toygres_domain::Error::Unavailable`] when the database is unavailable.
pub async fn first(store: &Store) -> Result<()> {
    let asked = Utc::now();
    let beat = store.heartbeat().await?;
    report(&beat, asked);
    // The clock may have been set back while no worker watched it.
    match beat.last_machine.and_then(|last| (last - asked).to_std().ok()).filter(|step| *step > TOLERATED) {
        Some(step) => move_timers(store, step).await,
        None => Ok(()),
    }
}

async fn move_timers(store: &Store, step: Duration) -> Result<()> {
    tables::move_timers(store, step).await?;
    counter!("toygres_clock_steps_total").increment(1);
    tracing::warn!("the clock of this machine was set back by {} s; the timers of workflows were moved with it", step.as_secs());
    Ok(())
}

/// Logs what a heartbeat found, and returns how far the clock of this machine is ahead of the database's.
fn report(beat: &Heartbeat, asked: DateTime<Utc>) -> TimeDelta {
    if let Some(pause) = beat.pause {
        tracing::warn!(operations = beat.extended, "no worker was alive for {} s; deadlines are extended by that", pause.as_secs());
    }
    // The database read its clock between the two, so a slow answer is not taken for a difference.
    let skew = match (asked - beat.now, Utc::now() - beat.now) {
        (early, _) if early > TimeDelta::zero() => early,
        (_, late) if late < TimeDelta::zero() => late,
        _ => TimeDelta::zero(),
    };
    gauge!("toygres_clock_skew_seconds").set(skew.as_seconds_f64());
    skew
}

/// The two clocks of this machine at one moment.
struct MachineClock {
    wall: SystemTime,
    monotonic: Instant,
}

impl MachineClock {
    fn now() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now() }
    }

    /// How far the wall clock was set back since then, if it was.
    fn stepped_back(&self) -> Option<Duration> {
        let should_be = self.wall + self.monotonic.elapsed();
        should_be.duration_since(SystemTime::now()).ok().filter(|step| *step > TOLERATED)
    }
}
