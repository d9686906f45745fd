//! `resizeInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `resizeInstance`. What is omitted stays as it is.
#[derive(InputObject)]
pub struct ResizeInstanceInput {
    /// The ID of the instance.
    id: ID,
    /// The CPU in millicores.
    cpu_millis: Option<i32>,
    /// The memory in MiB.
    memory_mb: Option<i32>,
    /// The size of the volume in GiB. It can only grow.
    storage_gb: Option<i32>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `resizeInstance`.
    ResizeInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct ResizeInstanceMutation;

#[Object]
impl ResizeInstanceMutation {
    /// Changes the CPU, the memory and the volume of an instance that is running or suspended. Another CPU or memory may restart its server; a
    /// volume grows while it runs. If it fails, the instance is as before, except that a volume that has grown stays so.
    #[graphql(guard = "operator()")]
    async fn resize_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to resize, and its new size.")] input: ResizeInstanceInput,
    ) -> Result<ResizeInstancePayload> {
        let ResizeInstanceInput { id, cpu_millis, memory_mb, storage_gb, revision, idempotency_key } = input;
        let revision = revision.map(|revision| revision.0);
        let input = app::resize_instance::ResizeInstance { id: id.0, cpu_millis, memory_mb, storage_gb, revision, idempotency_key };
        ResizeInstancePayload::new(app(ctx).resize_instance(input, requester(ctx)).await)
    }
}
