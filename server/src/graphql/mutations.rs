//! Mutations. Each is a file with its input, its payload and its resolver, which calls the use case of the same name.

use std::sync::Arc;

use async_graphql::{Context, MergedObject};

use super::{
    errors::{UserError, user_errors},
    types::{Instance, Operation},
};
use crate::{access::Caller, app::App};

/// Declares the modules of mutations and merges their objects into the root.
macro_rules! mutations {
    ($($module:ident :: $object:ident),* $(,)?) => {
        $(mod $module;)*

        /// The root of mutations. A mutation records what is requested and returns at once; a workflow carries it out.
        #[derive(MergedObject, Default)]
        pub struct Mutation($($module::$object),*);
    };
}

/// Declares the payload of a mutation that starts an operation.
macro_rules! operation_payload {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            /// The instance as it is now. Null if there are user errors.
            instance: Option<crate::graphql::types::Instance>,
            /// The operation that carries out the request. Null if there are user errors.
            operation: Option<crate::graphql::types::Operation>,
            /// The errors in the input. Empty if the request was accepted.
            user_errors: Vec<crate::graphql::errors::UserError>,
        }

        impl $name {
            fn new(outcome: toygres_domain::Result<toygres_store::Accepted>) -> async_graphql::Result<Self> {
                let (instance, operation, user_errors) = super::accepted(outcome)?;
                Ok(Self { instance, operation, user_errors })
            }
        }
    };
}

mod like_source;

mutations! {
    create_instance::CreateInstanceMutation,
    delete_instance::DeleteInstanceMutation,
    restart_instance::RestartInstanceMutation,
    repair_instance::RepairInstanceMutation,
    suspend_instance::SuspendInstanceMutation,
    resume_instance::ResumeInstanceMutation,
    resize_instance::ResizeInstanceMutation,
    upgrade_instance::UpgradeInstanceMutation,
    set_parameters::SetParametersMutation,
    rotate_password::RotatePasswordMutation,
    create_database_user::CreateDatabaseUserMutation,
    drop_database_user::DropDatabaseUserMutation,
    create_database::CreateDatabaseMutation,
    drop_database::DropDatabaseMutation,
    create_backup::CreateBackupMutation,
    restore_instance::RestoreInstanceMutation,
    clone_instance::CloneInstanceMutation,
    update_backup::UpdateBackupMutation,
    delete_backup::DeleteBackupMutation,
    import_backups::ImportBackupsMutation,
    update_instance::UpdateInstanceMutation,
    cancel_operation::CancelOperationMutation,
    retry_operation::RetryOperationMutation,
    cancel_query::CancelQueryMutation,
    terminate_session::TerminateSessionMutation,
    create_api_token::CreateApiTokenMutation,
    revoke_api_token::RevokeApiTokenMutation,
    rotate_certificate_authority::RotateCertificateAuthorityMutation,
    create_webhook::CreateWebhookMutation,
    update_webhook::UpdateWebhookMutation,
    rotate_webhook_secret::RotateWebhookSecretMutation,
    delete_webhook::DeleteWebhookMutation,
    test_webhook::TestWebhookMutation,
}

type Accepted = (Option<Instance>, Option<Operation>, Vec<UserError>);

/// The fields of a payload that [`operation_payload`] declares.
fn accepted(outcome: toygres_domain::Result<toygres_store::Accepted>) -> async_graphql::Result<Accepted> {
    let (accepted, user_errors) = user_errors(outcome)?;
    let (instance, operation) = accepted.map(|accepted| (Instance(Arc::new(accepted.instance)), Operation(Arc::new(accepted.operation)))).unzip();
    Ok((instance, operation, user_errors))
}

fn app<'a>(ctx: &Context<'a>) -> &'a App {
    ctx.data_unchecked::<App>()
}

/// The name of the caller's token.
fn requester(ctx: &Context<'_>) -> Option<String> {
    ctx.data_opt::<Caller>().and_then(|caller| caller.name.as_deref().map(str::to_owned))
}
