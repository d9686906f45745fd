//! API tokens and their roles.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::instance::text_enum;

text_enum! {
    /// What the bearer of a token may do. Each role includes those before it.
    pub enum TokenRole {
        /// See everything but secrets.
        Viewer,
        /// See secrets; create, change and delete instances; cancel and retry operations.
        Operator,
        /// Create and revoke tokens, manage webhooks, import backups, and rotate the certificate authority.
        Admin,
    }
}

/// An API token, without its secret.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// Not the secret, which only the bearer has.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What its bearer may do.
    pub role: TokenRole,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The last use, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    /// Whether it is accepted now.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > Utc::now())
    }
}
