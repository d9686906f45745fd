//! `deleteBackup`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::operator,
        types::Backup,
    },
};

/// Input of `deleteBackup`.
#[derive(InputObject)]
pub struct DeleteBackupInput {
    /// The ID of the backup.
    id: ID,
}

/// Payload of `deleteBackup`.
#[derive(SimpleObject)]
pub struct DeleteBackupPayload {
    /// The backup as it is now. Null if there are user errors.
    backup: Option<Backup>,
    /// The errors in the input. Empty if the request was accepted.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct DeleteBackupMutation;

#[Object]
impl DeleteBackupMutation {
    /// Deletes a backup, and with it the points that only it can restore. It vanishes from the list once it is gone from the store. The newest
    /// backup of an instance that is backed up is refused.
    #[graphql(guard = "operator()")]
    async fn delete_backup(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The backup to delete.")] input: DeleteBackupInput,
    ) -> Result<DeleteBackupPayload> {
        let (backup, user_errors) = user_errors(app(ctx).delete_backup(app::delete_backup::DeleteBackup { id: input.id.0 }).await)?;
        Ok(DeleteBackupPayload { backup: backup.map(Backup), user_errors })
    }
}
