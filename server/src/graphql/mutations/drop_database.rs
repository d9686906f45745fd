//! `dropDatabase`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `dropDatabase`.
#[derive(InputObject)]
pub struct DropDatabaseInput {
    /// The ID of the instance.
    instance_id: ID,
    /// The name of the database.
    name: String,
    /// Whether sessions in it are ended (default false). Otherwise they refuse it.
    force: Option<bool>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `dropDatabase`.
    DropDatabasePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct DropDatabaseMutation;

#[Object]
impl DropDatabaseMutation {
    /// Drops a database that was made by `createDatabase`, with everything in it. That cannot be undone.
    #[graphql(guard = "operator()")]
    async fn drop_database(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The database to drop.")] input: DropDatabaseInput,
    ) -> Result<DropDatabasePayload> {
        let DropDatabaseInput { instance_id, name, force, revision, idempotency_key } = input;
        let revision = revision.map(|revision| revision.0);
        let input = app::drop_database::DropDatabase { instance_id: instance_id.0, name, force, revision, idempotency_key };
        DropDatabasePayload::new(app(ctx).drop_database(input, requester(ctx)).await)
    }
}
