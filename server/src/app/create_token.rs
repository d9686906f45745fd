//! Making an API token.

use chrono::{TimeDelta, Utc};
use toygres_domain::{
    Error, FieldError, Result, UserErrorCode,
    secret::Secret,
    token::{ApiToken, TokenRole},
};
use toygres_store::Store;

use super::App;

impl App {
    /// Makes a token; its secret is in this answer only.
    ///
    /// # Errors
    /// [`Error::User`] with every mistake in the input.
    pub async fn create_token(&self, name: &str, role: TokenRole, expires_in_days: Option<i32>) -> Result<(ApiToken, Secret)> {
        create_token(&self.store, name, role, expires_in_days).await
    }
}

/// The same for the command line, which works on the database itself.
pub(crate) async fn create_token(store: &Store, name: &str, role: TokenRole, expires_in_days: Option<i32>) -> Result<(ApiToken, Secret)> {
    let mut mistakes = Vec::new();
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        mistakes.push(FieldError::new(UserErrorCode::Invalid, "name", "must have 1 to 100 characters that say what the token is for"));
    }
    if let Some(days) = expires_in_days
        && !(1..=3650).contains(&days)
    {
        mistakes.push(FieldError::new(UserErrorCode::OutOfRange, "expiresInDays", format!("must be 1 to 3650 days, not {days}")));
    }
    if !mistakes.is_empty() {
        return Err(Error::User(mistakes));
    }
    store.create_token(name, role, expires_in_days.map(|days| Utc::now() + TimeDelta::days(days.into()))).await
}
