//! `cancelOperation`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::app;
use crate::{app, graphql::guard::operator};

/// Input of `cancelOperation`.
#[derive(InputObject)]
pub struct CancelOperationInput {
    /// The ID of the operation.
    id: ID,
}

operation_payload! {
    /// Payload of `cancelOperation`.
    CancelOperationPayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CancelOperationMutation;

#[Object]
impl CancelOperationMutation {
    /// Cancels an operation. What it has done so far is reverted. `Operation.canCancel` tells whether it can be cancelled.
    #[graphql(guard = "operator()")]
    async fn cancel_operation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The operation to cancel.")] input: CancelOperationInput,
    ) -> Result<CancelOperationPayload> {
        let CancelOperationInput { id } = input;
        CancelOperationPayload::new(app(ctx).cancel_operation(app::cancel_operation::CancelOperation { id: id.0 }).await)
    }
}
