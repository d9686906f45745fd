//! What an instance uses of its volume, and when that grows by itself.

use async_graphql::{InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::storage::{self as domain, AutoGrowChoice};

use super::BigInt;

/// What an instance uses of its volume, as its server tells.
#[derive(Clone, Debug, SimpleObject)]
pub struct StorageUsage {
    /// The bytes of the data, the WAL and the temporary files.
    used_bytes: BigInt,
    /// The bytes that the instance can use: `storageGb` without what the file system of a volume needs for itself, which is estimated.
    capacity_bytes: BigInt,
    /// The bytes that are left.
    available_bytes: BigInt,
    /// The part that is used, in percent, rounded down. Above 100 if a host that does not limit directories has more in one than was agreed.
    used_percent: i32,
    /// Whether the server takes no writes because less than the reserve is left: a tenth of the capacity, and 1 GiB at the most. It takes them
    /// again by itself when half as much more is available.
    read_only: bool,
    /// When it was measured.
    measured_at: DateTime<Utc>,
}

impl From<domain::StorageUsage> for StorageUsage {
    fn from(measured: domain::StorageUsage) -> Self {
        let domain::StorageUsage { usage, is_read_only, measured_at } = measured;
        Self {
            used_bytes: BigInt(usage.used_bytes),
            capacity_bytes: BigInt(usage.capacity_bytes),
            available_bytes: BigInt(usage.available_bytes()),
            used_percent: i32::try_from(usage.percent()).unwrap_or(i32::MAX),
            read_only: is_read_only,
            measured_at,
        }
    }
}

/// When a volume grows by itself, and how far.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct StorageAutoGrow {
    /// The part of the volume in percent that is used when it grows: by a fifth, or by as much as brings the usage below this.
    threshold_percent: i32,
    /// The size in GiB that it never exceeds.
    max_gb: i32,
}

impl From<domain::AutoGrow> for StorageAutoGrow {
    fn from(auto_grow: domain::AutoGrow) -> Self {
        let domain::AutoGrow { threshold_percent, max_gb } = auto_grow;
        Self { threshold_percent, max_gb }
    }
}

/// What is chosen for the automatic growth of a volume. What is left out stays as it is.
#[derive(Clone, Copy, InputObject)]
pub struct StorageAutoGrowInput {
    /// The part of the volume in percent that is used when it grows (default 80). 0 turns the growth off.
    threshold_percent: Option<i32>,
    /// The size in GiB that it never exceeds. Must be given when the growth is turned on.
    max_gb: Option<i32>,
}

impl From<StorageAutoGrowInput> for AutoGrowChoice {
    fn from(input: StorageAutoGrowInput) -> Self {
        let StorageAutoGrowInput { threshold_percent, max_gb } = input;
        Self { threshold_percent, max_gb }
    }
}
