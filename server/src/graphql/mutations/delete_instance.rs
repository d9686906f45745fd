//! `deleteInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `deleteInstance`.
#[derive(InputObject)]
pub struct DeleteInstanceInput {
    /// The ID of the instance.
    id: ID,
    /// Whether to keep the volumes (default false).
    keep_volumes: Option<bool>,
    /// The days for which the backups of the instance are kept from its deletion on (default: `backupPolicy.retentionDays`). With 0 they are
    /// deleted at once, unless one is locked.
    backup_retention_days: Option<i32>,
    /// Whether a base backup is taken before anything is removed (default false), which takes an instance that is backed up. The deletion waits
    /// for it: meanwhile it can be cancelled, and another request with `finalBackup: false` has it go on without. Without a final backup too,
    /// everything that was committed is archived, if backups are kept.
    final_backup: Option<bool>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `deleteInstance`.
    DeleteInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct DeleteInstanceMutation;

#[Object]
impl DeleteInstanceMutation {
    /// Deletes an instance, whatever its state. Returns at once; the name is free again when the instance is deleted.
    #[graphql(guard = "operator()")]
    async fn delete_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to delete.")] input: DeleteInstanceInput,
    ) -> Result<DeleteInstancePayload> {
        let DeleteInstanceInput { id, keep_volumes, backup_retention_days, final_backup, revision, idempotency_key } = input;
        let revision = revision.map(|revision| revision.0);
        let input = app::delete_instance::DeleteInstance { id: id.0, keep_volumes, backup_retention_days, final_backup, revision, idempotency_key };
        DeleteInstancePayload::new(app(ctx).delete_instance(input, requester(ctx)).await)
    }
}
