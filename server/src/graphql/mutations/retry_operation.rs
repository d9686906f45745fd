//! `retryOperation`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{app, graphql::guard::operator};

/// Input of `retryOperation`.
#[derive(InputObject)]
pub struct RetryOperationInput {
    /// The ID of the operation that failed or was cancelled.
    id: ID,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `retryOperation`.
    RetryOperationPayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RetryOperationMutation;

#[Object]
impl RetryOperationMutation {
    /// Repeats an operation that failed or was cancelled, as a new operation with the same parameters. `Operation.canRetry`
    /// tells whether it can be repeated.
    #[graphql(guard = "operator()")]
    async fn retry_operation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The operation to repeat.")] input: RetryOperationInput,
    ) -> Result<RetryOperationPayload> {
        let RetryOperationInput { id, idempotency_key } = input;
        RetryOperationPayload::new(app(ctx).retry_operation(app::retry_operation::RetryOperation { id: id.0, idempotency_key }, requester(ctx)).await)
    }
}
