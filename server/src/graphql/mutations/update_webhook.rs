//! `updateWebhook`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use toygres_domain::secret::Secret;

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::{BigInt, Webhook, WebhookEventType, WebhookState},
    },
};

/// Input of `updateWebhook`. Fields that are omitted stay as they are.
#[derive(InputObject)]
pub struct UpdateWebhookInput {
    /// The ID of the webhook.
    id: ID,
    /// Where messages are sent.
    url: Option<String>,
    /// The kinds of messages to send. Empty for all.
    events: Option<Vec<WebhookEventType>>,
    /// What the webhook is for.
    description: Option<String>,
    /// Whether messages are sent. A webhook that is enabled again continues where it stopped; if events after that are no longer kept, it is told so by
    /// a message `webhook.gap`.
    state: Option<WebhookState>,
    /// The revision that the webhook must have. Any other is refused.
    revision: Option<BigInt>,
}

/// Payload of `updateWebhook`.
#[derive(SimpleObject)]
pub struct UpdateWebhookPayload {
    /// The webhook as it is now. Null if there are user errors.
    webhook: Option<Webhook>,
    /// The errors in the input. Empty if the webhook was changed.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct UpdateWebhookMutation;

#[Object]
impl UpdateWebhookMutation {
    /// Changes, enables or disables a webhook at once.
    #[graphql(guard = "admin()")]
    async fn update_webhook(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: UpdateWebhookInput) -> Result<UpdateWebhookPayload> {
        let UpdateWebhookInput { id, url, events, description, state, revision } = input;
        let input = app::update_webhook::UpdateWebhook {
            id: id.0,
            url: url.map(Secret::new),
            description,
            events: events.map(|events| events.into_iter().map(|kind| kind.0).collect()),
            state: state.map(|state| state.0),
            revision: revision.map(|revision| revision.0),
        };
        let (webhook, user_errors) = user_errors(app(ctx).update_webhook(input).await)?;
        Ok(UpdateWebhookPayload { webhook: webhook.map(Webhook), user_errors })
    }
}
