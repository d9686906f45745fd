//! `restartInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `restartInstance`.
#[derive(InputObject)]
pub struct RestartInstanceInput {
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
    /// Payload of `restartInstance`.
    RestartInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RestartInstanceMutation;

#[Object]
impl RestartInstanceMutation {
    /// Stops the server of a running instance and starts it again. Clients lose their connections. Health checks pause while
    /// the instance restarts. Parameters that wait for a restart take effect; if the server does not start with them, it gets its former
    /// ones again.
    #[graphql(guard = "operator()")]
    async fn restart_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to restart.")] input: RestartInstanceInput,
    ) -> Result<RestartInstancePayload> {
        let RestartInstanceInput { id, timeout_seconds, revision, idempotency_key } = input;
        let input =
            app::restart_instance::RestartInstance { id: id.0, timeout_seconds, revision: revision.map(|revision| revision.0), idempotency_key };
        RestartInstancePayload::new(app(ctx).restart_instance(input, requester(ctx)).await)
    }
}
