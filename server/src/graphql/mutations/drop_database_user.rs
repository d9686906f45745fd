//! `dropDatabaseUser`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `dropDatabaseUser`.
#[derive(InputObject)]
pub struct DropDatabaseUserInput {
    /// The ID of the instance.
    instance_id: ID,
    /// The name of the user.
    name: String,
    /// The user who gets what it owns (default: `username` of the instance).
    reassign_to: Option<String>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `dropDatabaseUser`.
    DropDatabaseUserPayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct DropDatabaseUserMutation;

#[Object]
impl DropDatabaseUserMutation {
    /// Drops a user that was made by `createDatabaseUser`, and ends its sessions. What it owns is reassigned to another user in every
    /// database; the step `DROP_DATABASE_USER` says how many objects that were.
    #[graphql(guard = "operator()")]
    async fn drop_database_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to drop.")] input: DropDatabaseUserInput,
    ) -> Result<DropDatabaseUserPayload> {
        let DropDatabaseUserInput { instance_id, name, reassign_to, revision, idempotency_key } = input;
        let revision = revision.map(|revision| revision.0);
        let input = app::drop_database_user::DropDatabaseUser { instance_id: instance_id.0, name, reassign_to, revision, idempotency_key };
        DropDatabaseUserPayload::new(app(ctx).drop_database_user(input, requester(ctx)).await)
    }
}
