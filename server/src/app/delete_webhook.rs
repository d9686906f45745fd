//! Deletes a webhook.

use toygres_domain::{Result, webhook::WebhookId};

use super::{App, webhooks::webhook_id};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct DeleteWebhook {
    /// The id of the webhook.
    pub id: String,
    /// The revision that the webhook must have.
    pub revision: Option<i64>,
}

impl App {
    /// Deletes a webhook at once. A message that is under way may still arrive.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with `NotFound` or `RevisionMismatch`.
    pub async fn delete_webhook(&self, input: DeleteWebhook) -> Result<WebhookId> {
        let DeleteWebhook { id, revision } = input;
        let id = webhook_id(&id)?;
        self.store.delete_webhook(id, revision).await?;
        Ok(id)
    }
}
