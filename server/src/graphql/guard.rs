//! Guards of fields, which check the role of the caller.

use async_graphql::{Context, Guard, Result};
use toygres_domain::token::TokenRole;

use super::errors::coded;
use crate::access::Caller;

/// Allows callers that have at least this role.
pub(super) struct AtLeast(pub(super) TokenRole);

impl Guard for AtLeast {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        match ctx.data_opt::<Caller>() {
            Some(caller) if caller.role >= self.0 => Ok(()),
            _ => {
                let above = if self.0 == TokenRole::Admin { "" } else { " or above" };
                Err(coded("FORBIDDEN", format!("this needs a token of the role {}{above}", self.0.as_str().to_uppercase())))
            }
        }
    }
}

/// See [`AtLeast`].
pub(super) fn operator() -> AtLeast {
    AtLeast(TokenRole::Operator)
}

/// See [`AtLeast`].
pub(super) fn admin() -> AtLeast {
    AtLeast(TokenRole::Admin)
}
