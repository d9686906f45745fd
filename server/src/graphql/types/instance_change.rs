//! `InstanceChange`.

use async_graphql::{Enum, ID, SimpleObject};

use super::Instance;

/// The kind of an item in the live list of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum InstanceChangeType {
    /// An instance that exists when the subscription starts.
    Snapshot,
    /// The snapshot is complete.
    SnapshotComplete,
    /// An instance was created or changed, or matches the filter from now on.
    Upserted,
    /// An instance was deleted, or no longer matches the filter.
    Removed,
}

/// An item of the live list of instances.
#[derive(SimpleObject)]
pub struct InstanceChange {
    /// The kind of the item.
    pub r#type: InstanceChangeType,
    /// The instance as it is now. Null with `SNAPSHOT_COMPLETE`.
    pub instance: Option<Instance>,
    /// The ID of the instance. Null with `SNAPSHOT_COMPLETE`.
    pub instance_id: Option<ID>,
    /// The position to resume from. Within the snapshot it leads back to the start of the snapshot.
    pub cursor: String,
}
