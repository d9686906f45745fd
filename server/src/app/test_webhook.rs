//! Sends a message that tries a webhook out.

use toygres_domain::Result;

use super::{App, webhooks::webhook_id};
use crate::webhooks::{Answer, test_message};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct TestWebhook {
    /// The id of the webhook.
    pub id: String,
}

impl App {
    /// Sends one message to a webhook, enabled or not, and returns what came of it. What is to be delivered to the webhook is not touched.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with `NotFound`.
    pub async fn test_webhook(&self, input: TestWebhook) -> Result<Answer> {
        let TestWebhook { id } = input;
        let id = webhook_id(&id)?;
        let (url, secrets) = self.store.webhook_to_test(id).await?;
        Ok(self.webhooks.send(&url, &secrets, &test_message(id)).await)
    }
}
