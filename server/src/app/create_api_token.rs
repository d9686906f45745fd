//! Creates an API token.

use chrono::{TimeDelta, Utc};
use toygres_domain::{
    Result, UserErrorCode,
    secret::Secret,
    token::{ApiToken, TokenRole},
};
use toygres_store::Store;

use super::{App, input::FieldErrors, limits};

/// The input, unchecked.
#[derive(Clone, Debug)]
pub struct CreateApiToken {
    /// What the token is for.
    pub name: String,
    /// What its bearer may do.
    pub role: TokenRole,
    /// See [`limits::TOKEN_EXPIRES_IN_DAYS`].
    pub expires_in_days: Option<i32>,
    /// Whether the token does not expire. A token that is forgotten is valid for ever then, so it has to be said.
    pub never_expires: bool,
}

impl App {
    /// Creates a token. Its secret is in this answer only.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input.
    pub async fn create_api_token(&self, input: CreateApiToken) -> Result<(ApiToken, Secret)> {
        input.create(&self.store).await
    }
}

impl CreateApiToken {
    /// The same for the command line, which works on the metadata database itself.
    pub(crate) async fn create(self, store: &Store) -> Result<(ApiToken, Secret)> {
        let Self { name, role, expires_in_days, never_expires } = self;
        let mut errors = FieldErrors::default();
        let name = name.trim();
        let length = limits::TOKEN_NAME_LENGTH;
        if !length.contains_length(name.chars().count()) || name.chars().any(char::is_control) {
            let message = format!("must have {} to {} characters that say what the token is for", length.min, length.max);
            errors.add(UserErrorCode::Invalid, "name", message);
        }
        if never_expires && expires_in_days.is_some() {
            errors.add(UserErrorCode::Invalid, "neverExpires", "excludes expiresInDays: give one of them");
        }
        let days = match never_expires {
            true => None,
            false => errors.in_range("expiresInDays", "days", expires_in_days, limits::TOKEN_EXPIRES_IN_DAYS),
        };
        let expires_at = errors.check(Some(days))?.map(|days| Utc::now() + TimeDelta::days(days.into()));
        store.create_token(name, role, expires_at).await
    }
}
