//! `revokeApiToken`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::ApiToken,
    },
};

/// Input of `revokeApiToken`.
#[derive(InputObject)]
pub struct RevokeApiTokenInput {
    /// The ID of the token.
    id: ID,
}

/// Payload of `revokeApiToken`.
#[derive(SimpleObject)]
pub struct RevokeApiTokenPayload {
    /// The token as it is now. Null if there are user errors.
    api_token: Option<ApiToken>,
    /// The errors in the input. Empty if the token was revoked.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RevokeApiTokenMutation;

#[Object]
impl RevokeApiTokenMutation {
    /// Revokes an API token at once. Its open connections are closed.
    #[graphql(guard = "admin()")]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to revoke.")] input: RevokeApiTokenInput,
    ) -> Result<RevokeApiTokenPayload> {
        let RevokeApiTokenInput { id } = input;
        let (token, user_errors) = user_errors(app(ctx).revoke_api_token(app::revoke_api_token::RevokeApiToken { id: id.0 }).await)?;
        Ok(RevokeApiTokenPayload { api_token: token.map(ApiToken), user_errors })
    }
}
