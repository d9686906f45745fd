//! `repairInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `repairInstance`.
#[derive(InputObject)]
pub struct RepairInstanceInput {
    /// The ID of the instance.
    id: ID,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `repairInstance`.
    RepairInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RepairInstanceMutation;

#[Object]
impl RepairInstanceMutation {
    /// Compares a running instance with what was deployed, puts back what somebody has deleted or edited, and waits until it is ready.
    /// The step `REPAIR_POSTGRES` says what that was. It fails with `DATA_LOST` if the data is gone. The control plane repairs
    /// instances also without being asked.
    #[graphql(guard = "operator()")]
    async fn repair_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to repair.")] input: RepairInstanceInput,
    ) -> Result<RepairInstancePayload> {
        let RepairInstanceInput { id, revision, idempotency_key } = input;
        let input = app::repair_instance::RepairInstance { id: id.0, revision: revision.map(|revision| revision.0), idempotency_key };
        RepairInstancePayload::new(app(ctx).repair_instance(input, requester(ctx)).await)
    }
}
