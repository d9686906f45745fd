//! `createWebhook`.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use toygres_domain::secret::Secret;

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::{Webhook, WebhookEventType},
    },
};

/// Input of `createWebhook`.
#[derive(InputObject)]
pub struct CreateWebhookInput {
    /// Where messages are sent: an `https://` URL of up to 2048 characters. Loopback, private and other special addresses are refused unless the server
    /// is configured to allow them.
    url: String,
    /// The kinds of messages to send (default: all).
    events: Option<Vec<WebhookEventType>>,
    /// What signs the messages: `whsec_` and the base64 of 24 to 64 random bytes (default: a generated one).
    secret: Option<String>,
    /// What the webhook is for: up to 200 characters.
    description: Option<String>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

/// Payload of `createWebhook`.
#[derive(SimpleObject)]
pub struct CreateWebhookPayload {
    /// The webhook. Null if there are user errors.
    webhook: Option<Webhook>,
    /// The secret that signs the messages. It cannot be read again.
    secret: Option<String>,
    /// The errors in the input. Empty if the webhook was created.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct CreateWebhookMutation;

#[Object]
impl CreateWebhookMutation {
    /// Creates a webhook, which is sent messages about what happens from now on. Its secret is only in this payload.
    #[graphql(guard = "admin()")]
    async fn create_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The webhook to create.")] input: CreateWebhookInput,
    ) -> Result<CreateWebhookPayload> {
        let CreateWebhookInput { url, events, secret, description, idempotency_key } = input;
        let input = app::create_webhook::CreateWebhook {
            url: Secret::new(url),
            description: description.unwrap_or_default(),
            events: events.unwrap_or_default().into_iter().map(|kind| kind.0).collect(),
            secret: secret.map(Secret::new),
            idempotency_key,
        };
        let (created, user_errors) = user_errors(app(ctx).create_webhook(input).await)?;
        let (webhook, secret) = created.map(|created| (Webhook(created.webhook), created.secret.text().expose().to_owned())).unzip();
        Ok(CreateWebhookPayload { webhook, secret, user_errors })
    }
}
