//! What the use cases of webhooks have in common.

use toygres_domain::{
    Error, Result, UserErrorCode,
    secret::Secret,
    webhook::{SigningSecret, WebhookEventType, WebhookId},
};

use super::{input::FieldErrors, limits};
use crate::webhooks::AddressPolicy;

/// The id of a webhook. A text that is not an id is the id of nothing.
pub(super) fn webhook_id(text: &str) -> Result<WebhookId> {
    text.parse().map_err(|_| Error::user(UserErrorCode::NotFound, "id", format!("no webhook has the id {text}")))
}

impl FieldErrors {
    /// The URL of a webhook; otherwise adds what is wrong with it. Its name is resolved when a message is sent.
    pub(super) fn webhook_url(&mut self, url: &Secret, policy: &AddressPolicy) {
        let length = limits::WEBHOOK_URL_LENGTH;
        if length.contains_length(url.expose().len()) {
            self.parsed("url", policy.check(url.expose()));
        } else {
            self.add(UserErrorCode::Invalid, "url", format!("must have {} to {} characters", length.min, length.max));
        }
    }

    /// The description of a webhook; otherwise adds an error.
    pub(super) fn webhook_description(&mut self, description: String) -> String {
        let length = limits::WEBHOOK_DESCRIPTION_LENGTH;
        if !length.contains_length(description.chars().count()) || description.chars().any(char::is_control) {
            self.add(UserErrorCode::Invalid, "description", format!("must have at most {} characters on one line", length.max));
        }
        description
    }

    /// The secret of a webhook, or a generated one; adds an error when it is not one after the specification.
    pub(super) fn signing_secret(&mut self, secret: Option<Secret>) -> Option<SigningSecret> {
        match secret {
            Some(secret) => self.parsed("secret", SigningSecret::parse(secret)),
            None => Some(SigningSecret::generate()),
        }
    }
}

/// The kinds of messages, each once, in the order of the contract.
pub(super) fn distinct(mut events: Vec<WebhookEventType>) -> Vec<WebhookEventType> {
    events.sort_unstable();
    events.dedup();
    events
}
