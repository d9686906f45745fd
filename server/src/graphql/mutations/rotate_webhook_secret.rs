//! `rotateWebhookSecret`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use toygres_domain::secret::Secret;

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::{BigInt, Webhook},
    },
};

/// Input of `rotateWebhookSecret`.
#[derive(InputObject)]
pub struct RotateWebhookSecretInput {
    /// The ID of the webhook.
    id: ID,
    /// What signs messages from now on: `whsec_` and the base64 of 24 to 64 random bytes (default: a generated one).
    secret: Option<String>,
    /// The revision that the webhook must have. Any other is refused.
    revision: Option<BigInt>,
}

/// Payload of `rotateWebhookSecret`.
#[derive(SimpleObject)]
pub struct RotateWebhookSecretPayload {
    /// The webhook as it is now. Null if there are user errors.
    webhook: Option<Webhook>,
    /// The new secret. It cannot be read again.
    secret: Option<String>,
    /// The errors in the input. Empty if the secret was replaced.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RotateWebhookSecretMutation;

#[Object]
impl RotateWebhookSecretMutation {
    /// Gives a webhook another secret at once. For a day, messages are signed with the former secret too, so that the receiver can be given the new one.
    #[graphql(guard = "admin()")]
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The webhook, and its new secret.")] input: RotateWebhookSecretInput,
    ) -> Result<RotateWebhookSecretPayload> {
        let RotateWebhookSecretInput { id, secret, revision } = input;
        let revision = revision.map(|revision| revision.0);
        let input = app::rotate_webhook_secret::RotateWebhookSecret { id: id.0, secret: secret.map(Secret::new), revision };
        let (rotated, user_errors) = user_errors(app(ctx).rotate_webhook_secret(input).await)?;
        let (webhook, secret) = rotated.map(|(webhook, secret)| (Webhook(webhook), secret.text().expose().to_owned())).unzip();
        Ok(RotateWebhookSecretPayload { webhook, secret, user_errors })
    }
}
