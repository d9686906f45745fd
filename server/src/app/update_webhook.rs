//! Changes a webhook.

use toygres_domain::{
    Result,
    secret::Secret,
    webhook::{Webhook, WebhookEventType, WebhookState},
};
use toygres_store::WebhookUpdate;

use super::{
    App,
    input::FieldErrors,
    webhooks::{distinct, webhook_id},
};

/// The input, unchecked. `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateWebhook {
    /// The id of the webhook.
    pub id: String,
    /// Where messages are sent.
    pub url: Option<Secret>,
    /// What it is for.
    pub description: Option<String>,
    /// The kinds of messages that are sent; empty for all.
    pub events: Option<Vec<WebhookEventType>>,
    /// Whether messages are sent.
    pub state: Option<WebhookState>,
    /// The revision that the webhook must have.
    pub revision: Option<i64>,
}

impl App {
    /// Changes a webhook at once.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::update_webhook`] has it.
    pub async fn update_webhook(&self, input: UpdateWebhook) -> Result<Webhook> {
        let UpdateWebhook { id, url, description, events, state, revision } = input;
        let id = webhook_id(&id)?;
        let mut errors = FieldErrors::default();
        if let Some(url) = &url {
            errors.webhook_url(url, self.webhooks.policy());
        }
        let description = description.map(|description| errors.webhook_description(description));
        errors.check(Some(()))?;
        let update = WebhookUpdate { url, description, events: events.map(distinct), state, revision };
        self.store.update_webhook(id, &update).await
    }
}
