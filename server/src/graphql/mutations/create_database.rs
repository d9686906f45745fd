//! `createDatabase`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `createDatabase`.
#[derive(InputObject)]
pub struct CreateDatabaseInput {
    /// The ID of the instance.
    instance_id: ID,
    /// The name of the database.
    name: String,
    /// The user who owns it (default: `username` of the instance).
    owner: Option<String>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `createDatabase`.
    CreateDatabasePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CreateDatabaseMutation;

#[Object]
impl CreateDatabaseMutation {
    /// Creates a database in a running instance.
    #[graphql(guard = "operator()")]
    async fn create_database(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The database to create.")] input: CreateDatabaseInput,
    ) -> Result<CreateDatabasePayload> {
        let CreateDatabaseInput { instance_id, name, owner, revision, idempotency_key } = input;
        let revision = revision.map(|revision| revision.0);
        let input = app::create_database::CreateDatabase { instance_id: instance_id.0, name, owner, revision, idempotency_key };
        CreateDatabasePayload::new(app(ctx).create_database(input, requester(ctx)).await)
    }
}
