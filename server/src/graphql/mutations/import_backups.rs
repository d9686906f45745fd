//! `importBackups`.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{app, requester};
use crate::{
    app::import_backups::{ImportBackups, ImportedBackups},
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::{Instance, Operation},
    },
};

/// Input of `importBackups`.
#[derive(InputObject)]
pub struct ImportBackupsInput {
    /// Whether each instance is restored at once, to its latest point and under its own name. Default: false.
    restore: Option<bool>,
}

/// Payload of `importBackups`.
#[derive(SimpleObject)]
pub struct ImportBackupsPayload {
    /// The instances that were imported, now or earlier, and are not restored yet, in the order of their names. They are deleted, and can be restored.
    instances: Vec<Instance>,
    /// The restorations that have begun.
    operations: Vec<Operation>,
    /// Why nothing was imported, or why some of the instances are not imported or not restored.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct ImportBackupsMutation;

#[Object]
impl ImportBackupsMutation {
    /// Looks for backups in the store that this control plane does not know, and makes a deleted instance of each archive, which
    /// `restoreInstance` restores: after the loss of the metadata database, or of the machine. The newest backup of each is locked.
    #[graphql(guard = "admin()")]
    async fn import_backups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do with them.")] input: ImportBackupsInput,
    ) -> Result<ImportBackupsPayload> {
        let ImportBackupsInput { restore } = input;
        let outcome = app(ctx).import_backups(ImportBackups { restore: restore.unwrap_or_default() }, requester(ctx)).await;
        let (imported, mut user_errors) = user_errors(outcome)?;
        let ImportedBackups { instances, restorations, errors } = imported.unwrap_or_default();
        user_errors.extend(errors.into_iter().map(UserError::from));
        Ok(ImportBackupsPayload {
            instances: instances.into_iter().map(|instance| Instance(Arc::new(instance))).collect(),
            operations: restorations.into_iter().map(|accepted| Operation(Arc::new(accepted.operation))).collect(),
            user_errors,
        })
    }
}
