//! `terminateSession`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{app, requester};
use crate::{
    app::terminate_session::SessionInput,
    graphql::{
        errors::{UserError, user_errors},
        guard::operator,
    },
};

/// Input of `terminateSession`.
#[derive(InputObject)]
pub struct TerminateSessionInput {
    /// The ID of the instance.
    instance_id: ID,
    /// The ID of the session, from `activity`.
    session_id: ID,
}

/// Payload of `terminateSession`.
#[derive(SimpleObject)]
pub struct TerminateSessionPayload {
    /// The ID of the session. Null if there are user errors.
    session_id: Option<ID>,
    /// Whether the session has ended. False if it was told to end and has not within two seconds, because what it does cannot be interrupted
    /// at once. Null if there are user errors.
    ended: Option<bool>,
    /// The errors in the input. Empty if the session was told to end.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct TerminateSessionMutation;

#[Object]
impl TerminateSessionMutation {
    /// Ends a session of a client. Its transaction is rolled back, and its connection is closed. It takes effect at once, and is not an operation:
    /// there is nothing to follow. Sessions of the platform are refused.
    #[graphql(guard = "operator()")]
    async fn terminate_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session to end.")] input: TerminateSessionInput,
    ) -> Result<TerminateSessionPayload> {
        let TerminateSessionInput { instance_id, session_id } = input;
        let input = SessionInput { instance_id: instance_id.0, session_id: session_id.0 };
        let (ended, user_errors) = user_errors(app(ctx).terminate_session(input, requester(ctx).as_deref()).await)?;
        let (session, ended) = ended.unzip();
        Ok(TerminateSessionPayload { session_id: session.map(ID), ended, user_errors })
    }
}
