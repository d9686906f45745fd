//! `createApiToken`.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::{ApiToken, TokenRole},
    },
};

/// Input of `createApiToken`.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// What the token is for: 1 to 100 characters.
    name: String,
    /// What the bearer may do.
    role: TokenRole,
    /// The days after which the token expires, 1 to 3650 (default 90).
    expires_in_days: Option<i32>,
    /// Whether the token does not expire. Excludes `expiresInDays`.
    #[graphql(default)]
    never_expires: bool,
}

/// Payload of `createApiToken`.
#[derive(SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The token. Null if there are user errors.
    api_token: Option<ApiToken>,
    /// The secret of the token. It is not stored and cannot be read again.
    secret: Option<String>,
    /// The errors in the input. Empty if the token was created.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CreateApiTokenMutation;

#[Object]
impl CreateApiTokenMutation {
    /// Creates an API token. Its secret is only in this payload.
    #[graphql(guard = "admin()")]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token to create.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let CreateApiTokenInput { name, role, expires_in_days, never_expires } = input;
        let input = app::create_api_token::CreateApiToken { name, role: role.0, expires_in_days, never_expires };
        let (created, user_errors) = user_errors(app(ctx).create_api_token(input).await)?;
        let (api_token, secret) = created.map(|(token, secret)| (ApiToken(token), secret.expose().to_owned())).unzip();
        Ok(CreateApiTokenPayload { api_token, secret, user_errors })
    }
}
