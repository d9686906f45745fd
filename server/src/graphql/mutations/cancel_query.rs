//! `cancelQuery`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{app, requester};
use crate::{
    app::terminate_session::SessionInput,
    graphql::{
        errors::{UserError, user_errors},
        guard::operator,
    },
};

/// Input of `cancelQuery`.
#[derive(InputObject)]
pub struct CancelQueryInput {
    /// The ID of the instance.
    instance_id: ID,
    /// The ID of the session, from `activity`.
    session_id: ID,
}

/// Payload of `cancelQuery`.
#[derive(SimpleObject)]
pub struct CancelQueryPayload {
    /// The ID of the session. Null if there are user errors.
    session_id: Option<ID>,
    /// The errors in the input. Empty if the session was told to cancel its statement.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CancelQueryMutation;

#[Object]
impl CancelQueryMutation {
    /// Cancels the statement that a session of a client runs. Its transaction fails; the session goes on. It takes effect at once, and is not an
    /// operation: there is nothing to follow. Sessions of the platform are refused.
    #[graphql(guard = "operator()")]
    async fn cancel_query(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session whose statement to cancel.")] input: CancelQueryInput,
    ) -> Result<CancelQueryPayload> {
        let CancelQueryInput { instance_id, session_id } = input;
        let input = SessionInput { instance_id: instance_id.0, session_id: session_id.0 };
        let (session, user_errors) = user_errors(app(ctx).cancel_query(input, requester(ctx).as_deref()).await)?;
        Ok(CancelQueryPayload { session_id: session.map(ID), user_errors })
    }
}
