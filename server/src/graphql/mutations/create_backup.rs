//! `createBackup`.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{app, requester};
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::operator,
        types::{Backup, BigInt, Instance, Operation},
    },
};

/// Input of `createBackup`.
#[derive(InputObject)]
pub struct CreateBackupInput {
    /// The ID of the instance.
    instance_id: ID,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

/// Payload of `createBackup`.
#[derive(SimpleObject)]
pub struct CreateBackupPayload {
    /// The backup as it is now. Null if there are user errors.
    backup: Option<Backup>,
    /// The instance as it is now. Null if there are user errors.
    instance: Option<Instance>,
    /// The operation that waits for the backup. Null if there are user errors.
    operation: Option<Operation>,
    /// The errors in the input. Empty if the request was accepted.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CreateBackupMutation;

#[Object]
impl CreateBackupMutation {
    /// Takes a base backup of a running instance, besides those that are due. Every later point is restored from the newest one before it, so
    /// another one makes restores faster.
    #[graphql(guard = "operator()")]
    async fn create_backup(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The backup to take.")] input: CreateBackupInput,
    ) -> Result<CreateBackupPayload> {
        let CreateBackupInput { instance_id, revision, idempotency_key } = input;
        let input = app::create_backup::CreateBackup { instance_id: instance_id.0, revision: revision.map(|revision| revision.0), idempotency_key };
        let (created, user_errors) = user_errors(app(ctx).create_backup(input, requester(ctx)).await)?;
        let (accepted, backup) = created.unzip();
        let (instance, operation) = accepted.map(|accepted| (Instance(Arc::new(accepted.instance)), Operation(Arc::new(accepted.operation)))).unzip();
        Ok(CreateBackupPayload { backup: backup.map(Backup), instance, operation, user_errors })
    }
}
