//! API tokens: who may do what.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::instance::text_enum;

text_enum! {
    /// What the bearer of a token may do; each role may do what those before it may.
    pub enum TokenRole {
        /// See everything but secrets.
        Viewer,
        /// See secrets; create, change and delete instances; cancel and retry operations.
        Operator,
        /// Create and revoke tokens.
        Admin,
    }
}

/// An API token, without its secret, which nobody has but its bearer.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// Its identity.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What its bearer may do.
    pub role: TokenRole,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When somebody ended it.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    /// Whether its bearer is let in now.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > Utc::now())
    }
}
