//! `rotatePassword`.

use async_graphql::{Context, ID, InputObject, Object, Result};
use toygres_domain::secret::Secret;

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `rotatePassword`.
#[derive(InputObject)]
pub struct RotatePasswordInput {
    /// The ID of the instance.
    id: ID,
    /// The new password of `username`: 8 to 99 bytes (default: generated).
    password: Option<String>,
    /// Whether the open sessions of `username` are ended once the new password is confirmed (default false).
    terminate_sessions: Option<bool>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `rotatePassword`.
    RotatePasswordPayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RotatePasswordMutation;

#[Object]
impl RotatePasswordMutation {
    /// Gives the role `username` of a running instance another password. `connectionString` has the one that works: the former until the new
    /// one is set. If the operation fails, the former is put back. The instance stays running, and open sessions stay open unless they are to
    /// be ended. Refused for instances that an earlier release without roles of the platform has created.
    #[graphql(guard = "operator()")]
    async fn rotate_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance, and the password.")] input: RotatePasswordInput,
    ) -> Result<RotatePasswordPayload> {
        let RotatePasswordInput { id, password, terminate_sessions, revision, idempotency_key } = input;
        let input = app::rotate_password::RotatePassword {
            id: id.0,
            password: password.map(Secret::new),
            terminate_sessions,
            revision: revision.map(|revision| revision.0),
            idempotency_key,
        };
        RotatePasswordPayload::new(app(ctx).rotate_password(input, requester(ctx)).await)
    }
}
