//! `Reason`.

use async_graphql::SimpleObject;
use toygres_domain::instance as domain;

use super::ReasonCode;

/// Why something is not as it should be, or what it waits for.
#[derive(Clone, Debug, SimpleObject)]
pub struct Reason {
    /// The kind of reason. Stable, for programs.
    pub code: ReasonCode,
    /// One sentence for people.
    pub message: String,
}

impl From<&domain::Reason> for Reason {
    fn from(reason: &domain::Reason) -> Self {
        Self { code: reason.code.into(), message: reason.message.clone() }
    }
}
