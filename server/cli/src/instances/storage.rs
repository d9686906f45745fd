//! Options and inputs of the automatic growth of volumes.

use clap::Args;

use crate::contract::schema;

/// When the volume of an instance grows by itself.
#[derive(Args, Debug)]
pub(super) struct StorageOptions {
    /// Let the volume grow by itself when this part of it is used, in percent; needs `--storage-max-gb` when it is turned on.
    #[arg(long = "storage-auto-grow", value_name = "PERCENT", conflicts_with = "no_storage_auto_grow")]
    storage_auto_grow_threshold_percent: Option<i32>,
    /// Size in GiB that a volume that grows by itself never exceeds.
    #[arg(long = "storage-max-gb", value_name = "GIB", conflicts_with = "no_storage_auto_grow")]
    storage_auto_grow_max_gb: Option<i32>,
    /// Do not let the volume grow by itself.
    #[arg(long)]
    no_storage_auto_grow: bool,
}

#[derive(cynic::InputObject)]
pub(super) struct StorageAutoGrowInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    threshold_percent: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    max_gb: Option<i32>,
}

impl StorageOptions {
    /// `None` if nothing is chosen.
    pub(super) fn input(&self) -> Option<StorageAutoGrowInput> {
        let Self { storage_auto_grow_threshold_percent, storage_auto_grow_max_gb: max_gb, no_storage_auto_grow } = *self;
        let threshold_percent = if no_storage_auto_grow { Some(0) } else { storage_auto_grow_threshold_percent };
        (threshold_percent.is_some() || max_gb.is_some()).then_some(StorageAutoGrowInput { threshold_percent, max_gb })
    }
}
