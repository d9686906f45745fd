//! Backups of hosted instances in an object store: base backups, the WAL between them, and restores to any point that both cover.
//!
//! An [`Archive`] belongs to one cluster. [`follow`] archives its WAL as it is written, [`take_base_backup`] adds a base backup, [`Listing`]
//! reads what is there, [`Coverage`] says what can be restored, [`expire`] what is not needed any more, and [`restore`] makes a data
//! directory. Everything that decides is computed from the listing: there is no other record that could differ from it. The objects are
//! ordinary `tar` and `zstd` files, encrypted with `age` if that is configured: [`layout`] has their names.
//!
//! Deliberately absent: schedules, credentials of instances, and anything that runs inside an instance.

mod age;
mod archive;
mod base;
mod compression;
mod coverage;
mod error;
mod follow;
pub mod layout;
mod listing;
mod manifest;
mod presence;
mod record;
mod recovery;
mod restore;
mod retention;
mod spool;
mod store;
pub mod volume;
mod wal_records;

pub use age::{AgeIdentity, AgeRecipient, parse_identities, parse_recipients};
pub use archive::Archive;
pub use base::{BaseBackupOptions, Progress, take_base_backup};
pub use coverage::{Coverage, Gap, Interval};
pub use error::BackupError;
pub use follow::{FollowOptions, FollowStatus, follow};
pub use layout::{ArchiveId, BackupId, GapReason, Layout, Partial, WalObject};
pub use listing::{BackupRecord, Followed, Listing, PartRecord, StandbySettings};
pub use presence::find_missing;
pub use record::{FoundArchives, find_archives, record_instance};
pub use recovery::{RecoverySettings, Stop};
pub use restore::{FileOwner, Plan, RestoreOptions, RestoreReport, Target, find, plan, restore};
pub use retention::{RetentionPolicy, expire};
pub use store::{AzureCredentials, Encryption, Object, S3Credentials, Store, StoreConfig, StoreError, StoreErrorKind};
