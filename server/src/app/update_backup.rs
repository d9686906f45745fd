//! Keeps a base backup, or does so no more.

use chrono::{DateTime, Utc};
use toygres_domain::{
    Error, Result, UserErrorCode,
    backup::{Backup, BackupId},
};
use toygres_store::BackupUpdate;

use super::App;

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct UpdateBackup {
    /// The id of the backup.
    pub id: String,
    /// Whether it is kept until it is unlocked.
    pub locked: Option<bool>,
    /// Until when it is kept at least; `Some(None)` for the retention of its instance alone.
    pub keep_until: Option<Option<DateTime<Utc>>>,
}

impl App {
    /// Changes a backup at once.
    ///
    /// # Errors
    /// [`Error::User`] as [`toygres_store::Store::update_backup`] has it, or with `OutOfRange` for a time that is over.
    pub async fn update_backup(&self, input: UpdateBackup) -> Result<Backup> {
        let UpdateBackup { id, locked, keep_until } = input;
        let id = backup_id(&id)?;
        if keep_until.flatten().is_some_and(|until| until <= self.store.now()) {
            return Err(Error::user(UserErrorCode::OutOfRange, "keepUntil", "must be in the future; delete the backup instead"));
        }
        self.store.update_backup(id, &BackupUpdate { locked, keep_until }).await
    }
}

/// The id of a backup. A text that is not an id is the id of nothing.
pub(super) fn backup_id(text: &str) -> Result<BackupId> {
    let bare = text.strip_prefix(super::backups::ID_PREFIX).unwrap_or(text);
    bare.parse().map_err(|_| Error::user(UserErrorCode::NotFound, "id", format!("no backup has the id {text}")))
}
