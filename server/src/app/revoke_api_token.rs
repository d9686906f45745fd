//! Revokes an API token.

use toygres_domain::{Error, Result, UserErrorCode, token::ApiToken};

use super::App;

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct RevokeApiToken {
    /// The id of the token.
    pub id: String,
}

impl App {
    /// Revokes a token at once. Its open sessions end with it.
    ///
    /// # Errors
    /// [`Error::User`] with `NotFound`.
    pub async fn revoke_api_token(&self, input: RevokeApiToken) -> Result<ApiToken> {
        let RevokeApiToken { id } = input;
        match id.parse() {
            Ok(id) => self.store.revoke_token(id).await,
            Err(_) => Err(Error::user(UserErrorCode::NotFound, "id", format!("no token has the id {id}"))),
        }
    }
}
