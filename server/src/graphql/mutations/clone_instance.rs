//! `cloneInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, like_source::LikeSourceInput, requester};
use crate::{app::clone_instance::CloneInstance, graphql::guard::operator};

/// Input of `cloneInstance`. What is omitted is as in the source, whose user, database and version of PostgreSQL the new instance has.
#[derive(InputObject)]
pub struct CloneInstanceInput {
    /// The ID of the instance whose data the new one gets. It runs; with `controlPlane.copiesInstances`, it may also be suspended.
    source_id: ID,
    #[graphql(flatten)]
    instance: LikeSourceInput,
}

operation_payload! {
    /// Payload of `cloneInstance`.
    CloneInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CloneInstanceMutation;

#[Object]
impl CloneInstanceMutation {
    /// Creates an instance with the data of another one, as it is now: everything that was committed when the request was accepted. The
    /// source stays as it is, and goes on. The operation is of the kind `RESTORE`, and its `restoration.method` says how the data got there.
    /// Returns at once; subscribe to the operation to follow it.
    #[graphql(guard = "operator()")]
    async fn clone_instance(&self, ctx: &Context<'_>, #[graphql(desc = "What to clone.")] input: CloneInstanceInput) -> Result<CloneInstancePayload> {
        let CloneInstanceInput { source_id, instance } = input;
        let input = CloneInstance { source_id: source_id.0, instance: instance.into() };
        CloneInstancePayload::new(app(ctx).clone_instance(input, requester(ctx)).await)
    }
}
