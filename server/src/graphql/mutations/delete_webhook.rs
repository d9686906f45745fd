//! `deleteWebhook`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::BigInt,
    },
};

/// Input of `deleteWebhook`.
#[derive(InputObject)]
pub struct DeleteWebhookInput {
    /// The ID of the webhook.
    id: ID,
    /// The revision that the webhook must have. Any other is refused.
    revision: Option<BigInt>,
}

/// Payload of `deleteWebhook`.
#[derive(SimpleObject)]
pub struct DeleteWebhookPayload {
    /// The ID of the webhook that was deleted. Null if there are user errors.
    deleted_webhook_id: Option<ID>,
    /// The errors in the input. Empty if the webhook was deleted.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct DeleteWebhookMutation;

#[Object]
impl DeleteWebhookMutation {
    /// Deletes a webhook at once. What was not delivered to it is not delivered any more.
    #[graphql(guard = "admin()")]
    async fn delete_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The webhook to delete.")] input: DeleteWebhookInput,
    ) -> Result<DeleteWebhookPayload> {
        let DeleteWebhookInput { id, revision } = input;
        let input = app::delete_webhook::DeleteWebhook { id: id.0, revision: revision.map(|revision| revision.0) };
        let (deleted, user_errors) = user_errors(app(ctx).delete_webhook(input).await)?;
        Ok(DeleteWebhookPayload { deleted_webhook_id: deleted.map(|id| id.to_string().into()), user_errors })
    }
}
