//! `createDatabaseUser`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use toygres_domain::secret::Secret;

use super::{app, requester};
use crate::{
    app,
    graphql::{
        errors::UserError,
        guard::operator,
        types::{BigInt, DatabaseAccess, Instance, Operation},
    },
};

/// Input of `createDatabaseUser`.
#[derive(InputObject)]
pub struct CreateDatabaseUserInput {
    /// The ID of the instance.
    instance_id: ID,
    /// The name of the user: 1 to 63 lower-case letters, digits or underscores.
    name: String,
    /// What the user may do.
    access: DatabaseAccess,
    /// The database in which the user may do that (default for `READ_WRITE` and `READ_ONLY`: `database` of the instance; for `OWNER`: none, so
    /// that the user owns the databases that are created for it).
    database: Option<String>,
    /// The password: 8 to 99 bytes (default: generated).
    password: Option<String>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer, without the password.
    idempotency_key: Option<String>,
}

/// Payload of `createDatabaseUser`.
#[derive(SimpleObject)]
pub struct CreateDatabaseUserPayload {
    /// The instance as it is now. Null if there are user errors.
    instance: Option<Instance>,
    /// The operation that carries out the request. Null if there are user errors.
    operation: Option<Operation>,
    /// The password of the user. It is not stored and cannot be read again. Null if there are user errors, or if this repeats an earlier
    /// request.
    password: Option<String>,
    /// The errors in the input. Empty if the request was accepted.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CreateDatabaseUserMutation;

#[Object]
impl CreateDatabaseUserMutation {
    /// Creates a user in a running instance. Its password is only in this payload, and works when the operation has succeeded. The names of
    /// the platform are refused, and more than 40 users.
    #[graphql(guard = "operator()")]
    async fn create_database_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to create.")] input: CreateDatabaseUserInput,
    ) -> Result<CreateDatabaseUserPayload> {
        let CreateDatabaseUserInput { instance_id, name, access, database, password, revision, idempotency_key } = input;
        let input = app::create_database_user::CreateDatabaseUser {
            instance_id: instance_id.0,
            name,
            access: access.0,
            database,
            password: password.map(Secret::new),
            revision: revision.map(|revision| revision.0),
            idempotency_key,
        };
        let (outcome, password) = match app(ctx).create_database_user(input, requester(ctx)).await {
            Ok((accepted, password)) => (Ok(accepted), password),
            Err(error) => (Err(error), None),
        };
        let (instance, operation, user_errors) = super::accepted(outcome)?;
        Ok(CreateDatabaseUserPayload { instance, operation, password: password.map(|password| password.expose().to_owned()), user_errors })
    }
}
