//! `setParameters`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{
        guard::operator,
        types::{BigInt, ParameterInput, values},
    },
};

/// Input of `setParameters`.
#[derive(InputObject)]
pub struct SetParametersInput {
    /// The ID of the instance.
    id: ID,
    /// What to change. Other parameters stay as they are. With `allowRestart` the list may be empty: what waits for a restart then takes
    /// effect.
    parameters: Vec<ParameterInput>,
    /// Whether the server is restarted if a parameter needs that (default false). Otherwise such a parameter waits for the next
    /// `restartInstance` or the next `setParameters` that allows a restart. A suspended instance is started with all of them.
    allow_restart: Option<bool>,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `setParameters`.
    SetParametersPayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct SetParametersMutation;

#[Object]
impl SetParametersMutation {
    /// Changes parameters of the server of an instance that is running or suspended. `controlPlane.parameters` lists those that can be set.
    /// Each value is checked before anything changes. If the server does not accept the values, or does not start with them, it gets its
    /// former ones again and the operation fails with what the server says.
    #[graphql(guard = "operator()")]
    async fn set_parameters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance, and what to change.")] input: SetParametersInput,
    ) -> Result<SetParametersPayload> {
        let SetParametersInput { id, parameters, allow_restart, revision, idempotency_key } = input;
        let input = app::set_parameters::SetParameters {
            id: id.0,
            parameters: values(parameters),
            allow_restart,
            revision: revision.map(|revision| revision.0),
            idempotency_key,
        };
        SetParametersPayload::new(app(ctx).set_parameters(input, requester(ctx)).await)
    }
}
