//! Disk usage: when a volume grows by itself, and when a server stops taking writes before its volume is full.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::{
    FieldError, UserErrorCode,
    instance::{Reason, ReasonCode},
};

const GIB: i64 = 1 << 30;
const MIB: i64 = 1 << 20;

/// The most bytes that are reserved; of a volume of less than 10 GiB, a tenth is.
const LARGEST_RESERVE: i64 = GIB;
/// Percent of a volume above which there is a notice if it does not grow by itself.
const NEARLY_FULL: i64 = 85;
/// By how many percent the usage has to fall below a threshold until it counts as below it again.
const MARGIN: i64 = 2;
/// How long after an automatic growth that failed the next one is tried. Clouds that grow a volume every few hours only refuse at once.
const RETRY: TimeDelta = TimeDelta::hours(1);
/// How often the usage is measured while nothing is near a limit.
const CALM: Duration = Duration::from_secs(60);
/// How often it is measured while the server takes no writes.
const HELD: Duration = Duration::from_secs(5);
const SHORTEST: Duration = Duration::from_secs(1);
/// How fast a volume may begin to fill, in bytes per second.
const SUDDEN: f64 = 50.0 * MIB as f64;
/// Measurements take at most this part of the time, which is that of the server: a busy one takes longer, and is not measured less for that.
const COST: u32 = 5;

/// The space that the volume of an instance has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeSpace {
    /// Bytes for the data: the size without what the file system needs for itself.
    pub usable_bytes: i64,
    /// Whether the volume has a file system of its own, which ends there. Otherwise the size is only what was agreed.
    pub is_enforced: bool,
}

impl VolumeSpace {
    /// A directory that may take `storage_gb` GiB of a file system.
    #[must_use]
    pub fn of_directory(storage_gb: i32) -> Self {
        Self { usable_bytes: i64::from(storage_gb) * GIB, is_enforced: false }
    }

    /// A volume of `storage_gb` GiB with a file system of its own. ext4, without blocks reserved for root, keeps 2.2 % and 64 MiB at the most
    /// for its inodes and its journal, and XFS less (measured from 1 GiB to 1 TiB).
    #[must_use]
    pub fn of_file_system(storage_gb: i32) -> Self {
        let size = i64::from(storage_gb) * GIB;
        Self { usable_bytes: size - size / 1000 * 22 - 64 * MIB, is_enforced: true }
    }
}

/// What an instance uses of its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of its data, its WAL and its temporary files.
    pub used_bytes: i64,
    /// Bytes that it can use.
    pub capacity_bytes: i64,
}

impl Usage {
    /// Bytes that are left; 0 if it uses more than it can.
    #[must_use]
    pub fn available_bytes(self) -> i64 {
        (self.capacity_bytes - self.used_bytes).max(0)
    }

    /// The part that is used, rounded down.
    #[must_use]
    pub fn percent(self) -> i64 {
        self.used_bytes.saturating_mul(100) / self.capacity_bytes.max(1)
    }

    /// Bytes that are kept for what cannot be refused: the WAL of a checkpoint, and cleaning up.
    #[must_use]
    pub fn reserve_bytes(self) -> i64 {
        (self.capacity_bytes / 10).min(LARGEST_RESERVE)
    }

    /// Bytes that have to be available until a server takes writes again.
    #[must_use]
    pub fn release_bytes(self) -> i64 {
        self.reserve_bytes() * 3 / 2
    }
}

/// A measurement, as it is kept and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageUsage {
    /// What was measured.
    pub usage: Usage,
    /// Whether the server is kept from taking writes.
    pub is_read_only: bool,
    /// When.
    pub measured_at: DateTime<Utc>,
}

/// When a volume grows by itself, and how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoGrow {
    /// It grows when this part of it is used.
    pub threshold_percent: i32,
    /// It never becomes larger than this, in GiB.
    pub max_gb: i32,
}

impl AutoGrow {
    /// The threshold unless another one is chosen.
    pub const DEFAULT_PERCENT: i32 = 80;

    /// The size in GiB to grow to: a fifth more, or what brings the usage below the threshold; `None` if it is at its maximum.
    fn next_gb(self, storage_gb: i32, usage: Usage) -> Option<i32> {
        let storage = i64::from(storage_gb);
        let step = storage + (storage + 4) / 5;
        let used_gb = (usage.used_bytes as f64 / usage.capacity_bytes.max(1) as f64) * storage as f64;
        let enough = used_gb * 110.0 / f64::from(self.threshold_percent.max(1));
        // A float saturates.
        let next = step.max(enough.ceil() as i64).min(i64::from(self.max_gb));
        i32::try_from(next).ok().filter(|next| *next > storage_gb)
    }
}

/// What a caller chooses of the automatic growth. `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AutoGrowChoice {
    /// See [`AutoGrow::threshold_percent`]; 0 turns it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_percent: Option<i32>,
    /// See [`AutoGrow::max_gb`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gb: Option<i32>,
}

impl AutoGrowChoice {
    /// What an instance of this size has after the choice.
    ///
    /// # Errors
    /// That there is no maximum, or that the volume is larger.
    pub fn applied_to(self, present: Option<AutoGrow>, storage_gb: i32) -> Result<Option<AutoGrow>, FieldError> {
        let Self { threshold_percent, max_gb } = self;
        if self == Self::default() {
            return Ok(present);
        }
        if threshold_percent == Some(0) {
            return Ok(None);
        }
        let wrong = |message: String| Err(FieldError::new(UserErrorCode::Invalid, "storageAutoGrow.maxGb", message));
        let Some(max_gb) = max_gb.or(present.map(|present| present.max_gb)) else {
            return wrong("must be given: the size in GiB that the volume never exceeds".to_owned());
        };
        if max_gb < storage_gb && self.max_gb.is_some() {
            return wrong(format!("must be at least {storage_gb}, the size of the volume in GiB"));
        }
        let present = present.map_or(AutoGrow::DEFAULT_PERCENT, |present| present.threshold_percent);
        Ok(Some(AutoGrow { threshold_percent: threshold_percent.unwrap_or(present), max_gb }))
    }
}

/// An automatic growth that has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedGrowth {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

/// What decides about the volume of an instance.
#[derive(Clone, Debug)]
pub struct Situation {
    /// What was measured.
    pub usage: Usage,
    /// Whether the volume has a file system of its own.
    pub is_enforced: bool,
    /// The former measurement: bytes used, and how long ago.
    pub before: Option<(i64, Duration)>,
    /// Whether the server is kept from taking writes.
    pub is_read_only: bool,
    /// Whether there is a notice.
    pub has_notice: bool,
    /// The size of the volume in GiB.
    pub storage_gb: i32,
    /// The automatic growth, if it is on.
    pub auto_grow: Option<AutoGrow>,
    /// The latest automatic growth, if it has failed.
    pub failed: Option<FailedGrowth>,
    /// The present time.
    pub now: DateTime<Utc>,
}

/// What to do about the volume of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether the server is kept from taking writes.
    pub read_only: bool,
    /// The size in GiB that the volume is to grow to.
    pub grow_to: Option<i32>,
    /// The notice [`crate::notice::NoticeCode::StorageLow`].
    pub notice: Option<String>,
    /// When to measure again.
    pub measure_in: Duration,
}

impl Situation {
    /// Whether the volume would grow, if nothing speaks against it. Only then [`Self::failed`] is of interest.
    #[must_use]
    pub fn wants_growth(&self) -> bool {
        self.auto_grow.is_some_and(|auto| self.is_above(auto.threshold_percent.into())) || (self.auto_grow.is_some() && self.is_short())
    }

    /// Decides.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let next_gb = self.auto_grow.filter(|_| self.wants_growth()).and_then(|auto| auto.next_gb(self.storage_gb, self.usage));
        let waits_until = self.failed.as_ref().map(|failed| failed.at + RETRY).filter(|until| *until > self.now);
        let grow_to = next_gb.filter(|_| waits_until.is_none());
        // A directory has the new size at once, and until then nothing ends at the former.
        let read_only = self.is_short() && (self.is_enforced || grow_to.is_none());
        Plan { read_only, grow_to, notice: self.notice(next_gb, waits_until), measure_in: self.measure_in(read_only) }
    }

    /// Whether less than the reserve is left. Once it was, there has to be more until it is not any more.
    fn is_short(&self) -> bool {
        let limit = if self.is_read_only { self.usage.release_bytes() } else { self.usage.reserve_bytes() };
        self.usage.available_bytes() < limit
    }

    fn is_above(&self, percent: i64) -> bool {
        self.usage.percent() >= if self.has_notice { percent - MARGIN } else { percent }
    }

    fn notice(&self, next_gb: Option<i32>, waits_until: Option<DateTime<Utc>>) -> Option<String> {
        let size = self.storage_gb;
        match (self.auto_grow, &self.failed, waits_until) {
            (Some(_), Some(failed), Some(until)) if next_gb.is_some() => {
                let why = failed.reason.message.trim_end_matches('.');
                Some(format!(
                    "the volume of {size} GiB did not grow by itself: {why}. It is tried again after {}",
                    until.format("%Y-%m-%d %H:%M UTC")
                ))
            }
            (Some(AutoGrow { threshold_percent, max_gb }), ..) => (self.wants_growth() && next_gb.is_none()).then(|| {
                format!(
                    "the volume of {size} GiB has reached its threshold of {threshold_percent} %, and it grows by itself to {max_gb} GiB only: raise \
                     storageAutoGrow.maxGb, resize the instance, or delete data"
                )
            }),
            (None, ..) => self.is_above(NEARLY_FULL).then(|| {
                // How full it is changes all the time: `storageUsage` has it, and the notice says what stays true.
                format!(
                    "the volume of {size} GiB is nearly full, and it does not grow by itself: resize the instance, turn on storageAutoGrow, or \
                     delete data"
                )
            }),
        }
    }

    /// Before half of what is left above the reserve is used up, at the speed of the latest measurements, or all of it by a load that begins now.
    fn measure_in(&self, read_only: bool) -> Duration {
        if read_only {
            return HELD;
        }
        let headroom = (self.usage.available_bytes() - self.usage.reserve_bytes()).max(0) as f64;
        let speed = self.before.map_or(0.0, |(used, ago)| (self.usage.used_bytes - used).max(0) as f64 / ago.as_secs_f64().max(0.1));
        let within = |bytes_per_second: f64| Duration::try_from_secs_f64(headroom / bytes_per_second).unwrap_or(CALM);
        // One that has little left for long is not measured all the time.
        within(SUDDEN).clamp(HELD, CALM).min(within(2.0 * speed).max(SHORTEST))
    }
}

impl Plan {
    /// Whether the next check is not waited for, however late it is.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        is_urgent(self.measure_in)
    }

    /// When to measure again, if a measurement takes this long.
    #[must_use]
    pub fn next_measurement(&self, took: Duration) -> Duration {
        self.measure_in.max((took * COST).min(CALM))
    }
}

/// Whether a volume that is measured after this time may be full soon.
#[must_use]
pub fn is_urgent(measure_in: Duration) -> bool {
    measure_in < CALM
}

/// Why the server takes no writes, and the ways out. It stays the same while nothing changes.
#[must_use]
pub fn read_only_reason(usage: Usage, storage_gb: i32) -> Reason {
    let (reserve, release) = (usage.reserve_bytes() / MIB, usage.release_bytes() / MIB);
    Reason::new(
        ReasonCode::DiskFull,
        format!(
            "less than the last {reserve} MiB of the volume of {storage_gb} GiB are left, so the server takes no writes until {release} MiB are. \
             Resize the instance; or delete data: SET default_transaction_read_only = off in a session, and DROP or TRUNCATE there"
        ),
    )
}

#[cfg(test)]
mod tests;
