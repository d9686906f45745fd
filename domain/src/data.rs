//! The data of an instance: whether there must be some, and on which volume.
//!
//! An instance that has run has data, and it is only on the volume that it had then. Another volume, or none, means that the data is
//! lost: that is reported, and an empty volume is never initialised in its place.

use serde::{Deserialize, Serialize};

use crate::instance::{Reason, ReasonCode};

/// What identifies a volume on its host: another volume of the same name has another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VolumeId(pub String);

impl std::fmt::Display for VolumeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an instance has data that must not be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// The instance has never run: a first start that was interrupted is made anew.
    New,
    /// The instance has run, with its data on this volume. The volume is unknown if an earlier release deployed the instance.
    Existing(Option<VolumeId>),
}

impl Data {
    /// Whether the instance has run.
    #[must_use]
    pub fn exists(&self) -> bool {
        matches!(self, Self::Existing(_))
    }

    /// The volume that the data is on, if it is known.
    #[must_use]
    pub fn volume(&self) -> Option<&VolumeId> {
        match self {
            Self::New => None,
            Self::Existing(volume) => volume.as_ref(),
        }
    }
}

/// The reason of an instance that has run and whose data is gone. `what` is a sentence without its full stop.
#[must_use]
pub fn data_lost(what: &str) -> Reason {
    Reason::new(
        ReasonCode::DataLost,
        format!("{what}: its data is lost, and no empty database is put in its place. Restore a backup into a new instance, or delete this one"),
    )
}
