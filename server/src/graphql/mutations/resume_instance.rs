//! `resumeInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `resumeInstance`.
#[derive(InputObject)]
pub struct ResumeInstanceInput {
    /// The ID of the instance.
    id: ID,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `resumeInstance`.
    ResumeInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct ResumeInstanceMutation;

#[Object]
impl ResumeInstanceMutation {
    /// Starts the server of a suspended instance, and waits until clients can connect. After a failure the instance is suspended again.
    #[graphql(guard = "operator()")]
    async fn resume_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to resume.")] input: ResumeInstanceInput,
    ) -> Result<ResumeInstancePayload> {
        let ResumeInstanceInput { id, revision, idempotency_key } = input;
        let input = app::resume_instance::ResumeInstance { id: id.0, revision: revision.map(|revision| revision.0), idempotency_key };
        ResumeInstancePayload::new(app(ctx).resume_instance(input, requester(ctx)).await)
    }
}
