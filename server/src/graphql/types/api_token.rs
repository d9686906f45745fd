//! `ApiToken`.

use async_graphql::{ID, Object};
use chrono::{DateTime, Utc};
use toygres_domain::token as domain;

use super::TokenRole;

/// See the GraphQL type below.
#[derive(Clone)]
pub struct ApiToken(pub domain::ApiToken);

/// A token that gives its bearer access to the API. Its secret is only in the payload of `createApiToken`.
#[Object]
impl ApiToken {
    /// The ID of the token.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
    /// What the token is for.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What the bearer may do.
    async fn role(&self) -> TokenRole {
        self.0.role.into()
    }
    /// When the token was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When the token expires. Null if it does not.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
    /// When the token was revoked.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
    /// When the token was last used, to the minute.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }
}
