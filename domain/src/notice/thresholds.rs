//! The thresholds of notices. Where there are two of a kind, a notice comes at the first and goes at the second, so that a value in between does
//! not make it come and go.

use std::time::Duration;

use chrono::TimeDelta;

/// Percent of the connections that clients can have.
pub(super) const CONNECTIONS: [i64; 2] = [90, 80];
/// The age of the oldest transaction or multixact. VACUUM should have begun at 200 and 400 million (`autovacuum_freeze_max_age`,
/// `autovacuum_multixact_freeze_max_age`); at about 2.1 billion the server assigns no more of them.
pub(super) const OLDEST: i64 = 1_000_000_000;
/// How long a transaction may be idle.
pub(super) const IDLE: Duration = Duration::from_secs(15 * 60);
/// How long what is committed may not be archived, and how long the first base backup may take to be begun and completed.
pub(super) const NOT_ARCHIVED: TimeDelta = TimeDelta::minutes(15);
pub(super) const NO_BACKUP: TimeDelta = TimeDelta::hours(24);
/// Percent of `max_slot_wal_keep_size` that one replication slot keeps. At 100 the server gives the slot up.
pub(super) const SLOT_WAL: [i64; 2] = [50, 40];
/// The hours until a volume is full, at the rate of [`GROWTH_WINDOW`].
pub(super) const FULL_IN_HOURS: [f64; 2] = [24.0, 36.0];
/// How far back the growth of a volume is looked at, and how much of that has to be known.
pub(super) const GROWTH_WINDOW: TimeDelta = TimeDelta::hours(6);
pub(super) const GROWTH_LEAST: TimeDelta = TimeDelta::hours(3);
/// The part of that time that is left out, in which the volume grew fastest: data that is loaded once is no trend.
pub(super) const GROWTH_OUTLIERS: usize = 5;
/// Percent of the blocks that are found in `shared_buffers`.
pub(super) const CACHE_HIT: [f64; 2] = [90.0, 93.0];
/// Blocks per second that are not found there. Fewer are of no consequence, whatever their part is.
pub(super) const CACHE_MISSES: [f64; 2] = [100.0, 50.0];
/// How far back the cache is looked at, and how much of that has to be known.
pub(super) const CACHE_WINDOW: TimeDelta = TimeDelta::hours(1);
pub(super) const CACHE_LEAST: TimeDelta = TimeDelta::minutes(25);
/// Percent of the memory of an instance up to which PostgreSQL's documentation finds a larger `shared_buffers` useful.
pub(super) const BUFFERS: i64 = 40;
/// How far apart the readings are that [`super::Trend`] gets: the windows are multiples.
pub(super) const STEP: TimeDelta = TimeDelta::minutes(30);

/// The threshold that counts for an instance that has the notice, or has it not.
pub(super) fn of<T: Copy>([comes, goes]: [T; 2], has: bool) -> T {
    if has { goes } else { comes }
}
