//! `ApiToken`.

use async_graphql::{Enum, ID, Object};
use chrono::{DateTime, Utc};
use toygres_domain::token as domain;

/// What the bearer of a token may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::TokenRole")]
pub enum TokenRole {
    /// See everything but secrets.
    Viewer,
    /// See secrets; create, change and delete instances; cancel and retry operations.
    Operator,
    /// Create and revoke tokens.
    Admin,
}

/// A token that lets its bearer in.
#[derive(Clone)]
pub struct ApiToken(pub domain::ApiToken);

/// A token that lets its bearer in. Its secret is only in the answer that made it.
#[Object]
impl ApiToken {
    /// Its identity.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
    /// What it is for.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What its bearer may do.
    async fn role(&self) -> TokenRole {
        self.0.role.into()
    }
    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When it ends by itself.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }
    /// When somebody ended it.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }
    /// When it was used last, to the minute.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }
}
