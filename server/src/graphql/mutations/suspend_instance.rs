//! `suspendInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `suspendInstance`.
#[derive(InputObject)]
pub struct SuspendInstanceInput {
    /// The ID of the instance.
    id: ID,
    /// The seconds that the server may take to shut down gracefully before it is stopped immediately (default 60).
    timeout_seconds: Option<i32>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `suspendInstance`.
    SuspendInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct SuspendInstanceMutation;

#[Object]
impl SuspendInstanceMutation {
    /// Stops the server of a running instance and keeps it stopped, until `resumeInstance`. The data and the address stay. Clients lose
    /// their connections and nobody can connect. There are no health checks meanwhile, and no outage.
    #[graphql(guard = "operator()")]
    async fn suspend_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to suspend.")] input: SuspendInstanceInput,
    ) -> Result<SuspendInstancePayload> {
        let SuspendInstanceInput { id, timeout_seconds, revision, idempotency_key } = input;
        let input =
            app::suspend_instance::SuspendInstance { id: id.0, timeout_seconds, revision: revision.map(|revision| revision.0), idempotency_key };
        SuspendInstancePayload::new(app(ctx).suspend_instance(input, requester(ctx)).await)
    }
}
