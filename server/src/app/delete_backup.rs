//! Deletes a base backup.

use toygres_domain::{Result, backup::Backup, instance::InstanceState};

use super::{App, update_backup::backup_id};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct DeleteBackup {
    /// The id of the backup.
    pub id: String,
}

impl App {
    /// Has a worker remove a backup from the store.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] as [`toygres_store::Store::delete_backup`] has it.
    pub async fn delete_backup(&self, input: DeleteBackup) -> Result<Backup> {
        let id = backup_id(&input.id)?;
        let instance = match self.store.backup(id).await? {
            Some(backup) => self.store.instance(backup.instance).await?,
            None => None,
        };
        // What is committed from now on needs a backup. A deleted instance commits nothing.
        let required = instance.is_some_and(|instance| {
            instance.state != InstanceState::Deleted && self.backups.store.is_some() && instance.backups.or(self.backups.policy).enabled
        });
        self.store.delete_backup(id, required).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_id_is_the_id_of_nothing() {
        assert!(matches!(backup_id("x"), Err(toygres_domain::Error::User(_))));
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(backup_id(&format!("backup-{id}")).ok(), backup_id(id).ok());
    }
}
