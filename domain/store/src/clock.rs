//! The clock with which deadlines are compared, which is the database's, and the heartbeat of workers.

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use super::{Store, errors::Classify};
use toygres_domain::Result;

/// The name of this machine. Where it is not known, there is only one.
static MACHINE: LazyLock<String> =
    LazyLock::new(|| std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default());
/// How often a worker reports that it is alive.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// A longer pause between two heartbeats, of whichever workers, does not count against deadlines. It is several heartbeats long, so that
/// a slow database is no outage.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The database's clock as of the last heartbeat, carried on by the monotonic clock of this process.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock(Arc<Mutex<Option<Reading>>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    time: DateTime<Utc>,
}

/// A heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The time of the database.
    pub now: DateTime<Utc>,
    /// How long no worker was alive before it, if that was too long to count against deadlines.
    pub pause: Option<Duration>,
    /// The number of operations whose deadline was extended by the pause.
    pub extended: u64,
    /// The time of the previous heartbeat by the clock of its worker's machine, if that was this machine.
    pub last_machine: Option<DateTime<Utc>>,
}

impl Store {
    /// The time of the database. A step of this machine's clock does not change it. Before the first heartbeat of this process, it is
    /// the time of this machine.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match *self.clock.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Reading { at, time }) => time + at.elapsed(),
            None => Utc::now(),
        }
    }

    /// Records that a worker is alive, and sets [`Self::now`]. If no worker was alive for a while (none ran, or none could reach the
    /// database), unfinished operations get that time back.
    pub async fn heartbeat(&self) -> Result<Heartbeat> {
        let mut transaction = self.begin().await?;
        let beat = sqlx::query!(
            r#"WITH last AS (SELECT at, machine, machine_at FROM worker_heartbeat FOR UPDATE)
               UPDATE worker_heartbeat SET at = clock_timestamp(), machine = $1, machine_at = $2 FROM last
               RETURNING last.at AS "last?", CASE WHEN last.machine = $1 THEN last.machine_at END AS "last_machine?",
                         worker_heartbeat.at AS "now!""#,
            *MACHINE,
            Utc::now()
        )
        .fetch_one(&mut *transaction)
        .await
        .classify()?;
        // Not after the commit, which may take long: the time would lag behind by that.
        let reading = Reading { at: Instant::now(), time: beat.now };
        // Negative if the database's clock was set back.
        let pause = beat.last.and_then(|last| (beat.now - last).to_std().ok()).filter(|pause| *pause > LONGEST_PAUSE);
        let mut extended = 0;
        if pause.is_some() {
            // An operation that was accepted in between has lost less than the whole pause.
            extended = sqlx::query!(
                "UPDATE operations
                 SET deadline = deadline + ($2 - greatest($1, created_at)), dispatched_at = dispatched_at + ($2 - greatest($1, dispatched_at))
                 WHERE status IN ('pending', 'running') AND created_at < $2",
                beat.last,
                beat.now
            )
            .execute(&mut *transaction)
            .await
            .classify()?
            .rows_affected();
            sqlx::query!("UPDATE archives SET close_by = close_by + ($2 - $1::timestamptz) WHERE close_by > $1", beat.last, beat.now)
                .execute(&mut *transaction)
                .await
                .classify()?;
            // Nothing was sent meanwhile, so nothing failed.
            sqlx::query!(
                "UPDATE webhook_cursors SET failing_since = failing_since + ($2 - greatest($1, failing_since)) WHERE failing_since < $2",
                beat.last,
                beat.now
            )
            .execute(&mut *transaction)
            .await
            .classify()?;
        }
        transaction.commit().await.classify()?;
        *self.clock.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        Ok(Heartbeat { now: beat.now, pause, extended, last_machine: beat.last_machine })
    }
}
