//! What follows from the size of an instance's volume.

/// The limits of the write-ahead log (WAL), which is on the volume of the data: without them it can fill the volume, and then the
/// server stops and does not start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalLimits {
    /// `max_wal_size` in MB: a tenth of the volume, from 128 MB to 4 GB. Checkpoints keep the WAL near it; 4 GB are enough for a
    /// checkpoint to be rare under any load that one volume takes.
    pub max_wal_size_mb: i64,
    /// `min_wal_size` in MB: half of the maximum, up to PostgreSQL's default of 80 MB.
    pub min_wal_size_mb: i64,
    /// `max_slot_wal_keep_size` in MB: a quarter of the volume. It is the only limit on what an abandoned replication slot
    /// retains; a slot that needs more is invalidated.
    pub max_slot_wal_keep_size_mb: i64,
}

impl WalLimits {
    /// The limits on a volume of `storage_gb` GiB, at least 1.
    #[must_use]
    pub fn of_volume(storage_gb: i32) -> Self {
        let volume_mb = i64::from(storage_gb.max(1)) * 1024;
        let max_wal_size_mb = (volume_mb / 10).clamp(128, 4096);
        Self { max_wal_size_mb, min_wal_size_mb: (max_wal_size_mb / 2).min(80), max_slot_wal_keep_size_mb: volume_mb / 4 }
    }

    /// The names of the settings and their values.
    #[must_use]
    pub fn settings(self) -> [(&'static str, String); 3] {
        let Self { max_wal_size_mb, min_wal_size_mb, max_slot_wal_keep_size_mb } = self;
        [
            ("max_wal_size", format!("{max_wal_size_mb}MB")),
            ("min_wal_size", format!("{min_wal_size_mb}MB")),
            ("max_slot_wal_keep_size", format!("{max_slot_wal_keep_size_mb}MB")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_leaves_most_of_the_volume_to_the_data() {
        for storage_gb in [1, 2, 10, 100, 4096, 65_536] {
            let volume_mb = i64::from(storage_gb) * 1024;
            let WalLimits { max_wal_size_mb, min_wal_size_mb, max_slot_wal_keep_size_mb } = WalLimits::of_volume(storage_gb);
            assert!(max_wal_size_mb + max_slot_wal_keep_size_mb <= volume_mb / 2, "{storage_gb} GiB");
            // PostgreSQL requires two segments of 16 MB, and at most as much as the maximum.
            assert!((32..=max_wal_size_mb).contains(&min_wal_size_mb), "{storage_gb} GiB");
        }
        assert_eq!(WalLimits::of_volume(i32::MAX).max_slot_wal_keep_size_mb, 549_755_813_632);
        assert_eq!(WalLimits::of_volume(0), WalLimits::of_volume(1));
    }
}
