//! `updateBackup`.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::operator,
        types::Backup,
    },
};

/// Input of `updateBackup`.
#[derive(InputObject)]
pub struct UpdateBackupInput {
    /// The ID of the backup.
    id: ID,
    /// Whether the backup is kept until it is unlocked, whatever the retention of its instance.
    locked: Option<bool>,
    /// Until when the backup is kept at least. Null leaves that to the retention of its instance.
    keep_until: MaybeUndefined<DateTime<Utc>>,
}

/// Payload of `updateBackup`.
#[derive(SimpleObject)]
pub struct UpdateBackupPayload {
    /// The backup as it is now. Null if there are user errors.
    backup: Option<Backup>,
    /// The errors in the input. Empty if the request was accepted.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct UpdateBackupMutation;

#[Object]
impl UpdateBackupMutation {
    /// Keeps a backup longer than the retention of its instance, or does so no more, at once. A backup that is kept like this can be restored
    /// to its end; whether to later points depends on the retention.
    #[graphql(guard = "operator()")]
    async fn update_backup(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: UpdateBackupInput) -> Result<UpdateBackupPayload> {
        let UpdateBackupInput { id, locked, keep_until } = input;
        let keep_until = match keep_until {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(until) => Some(Some(until)),
        };
        let (backup, user_errors) = user_errors(app(ctx).update_backup(app::update_backup::UpdateBackup { id: id.0, locked, keep_until }).await)?;
        Ok(UpdateBackupPayload { backup: backup.map(Backup), user_errors })
    }
}
