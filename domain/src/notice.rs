//! Notices: what an operator or owner should know about an instance that is no outage. State and health stay as they are.

mod conditions;
mod thresholds;
mod trend;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::{
    conditions::{IdleTransaction, KeptWal, Vitals, not_backed_up, pending_restart, update_available},
    trend::{Growth, Trend},
};
use crate::instance::text_enum;

text_enum! {
    /// The kinds of notices.
    pub enum NoticeCode {
        /// The password of the owner's role was changed by SQL, so the stored one does not log in any more. The notice goes when the
        /// stored password is the role's again: `rotatePassword` gives it another one, which is stored.
        PasswordChanged,
        /// The library that sorts the text of a database has another version than its indexes were built with, so they may be wrong. The
        /// message says what to run; the notice goes when that is done.
        CollationVersionMismatch,
        /// The certificate of the server expires soon, and could not be renewed. The notice goes when the server presents another one.
        CertificateExpiring,
        /// Little space is left on the volume, and it does not grow by itself: that is off, has reached its limit, or failed. The notice goes when
        /// there is space again.
        StorageLow,
        /// Nearly all connections that clients can have are in use. The notice goes when there are clearly fewer.
        ConnectionsHigh,
        /// A database has transactions that VACUUM should have frozen long ago. In the end its server takes no more writes. The notice goes
        /// when they are frozen.
        WraparoundNear,
        /// A session has been idle in a transaction for a quarter of an hour, which keeps its locks and holds up VACUUM. The notice goes when
        /// the transaction ends.
        IdleTransaction,
        /// Changes of parameters wait for a restart: `restartInstance`. The notice goes with it, or when they are taken back.
        PendingRestart,
        /// Backups are on, and what was committed in the last quarter of an hour is not archived, or there has been no complete base backup for a
        /// day. The notice goes when the instance is protected again.
        NotBackedUp,
        /// The instance has another name or exposure, and clients reach it by the former one until the new one is ready. The message says what
        /// that waits for; the notice goes when the former address is removed.
        AddressChanging,
        /// A replication slot keeps more than half of the WAL that slots may keep. At the limit the server gives the slot up, and what reads from it
        /// has to begin anew. The notice goes when its reader has caught up, or the slot is dropped.
        SlotWalHigh,
        /// At the rate of the latest hours, the volume is full within a day. The notice goes when it grows more slowly, or has more room:
        /// `resizeInstance`, `updateInstance` with `storageAutoGrow`.
        StorageFilling,
        /// Many of the blocks that statements need are not found in the cache of the server, and the instance has memory for a larger one:
        /// `setParameters` with `shared_buffers`. The notice goes when more are found, or when the cache is as large as is useful.
        CacheHitLow,
        /// The server does not run the minor version or the image that its host has now: `upgradeInstance`. The notice goes when it does.
        UpdateAvailable,
    }
}

/// A notice about an instance. There is at most one with each code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is about.
    pub code: NoticeCode,
    /// One sentence for people. It never contains a secret.
    pub message: String,
    /// When it was found first.
    pub since: DateTime<Utc>,
}

/// A notice that came or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeChange {
    /// Whether the instance has it now.
    pub raised: bool,
    /// The notice.
    pub notice: Notice,
}
