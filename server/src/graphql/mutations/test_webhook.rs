//! `testWebhook`.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::app;
use crate::{
    app,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
    },
    webhooks::Answer,
};

/// Input of `testWebhook`.
#[derive(InputObject)]
pub struct TestWebhookInput {
    /// The ID of the webhook.
    id: ID,
}

/// What came of a message that was sent once.
#[derive(SimpleObject)]
pub struct WebhookAnswer {
    /// Whether the receiver accepted the message: it answered with a status from 200 to 299.
    delivered: bool,
    /// The HTTP status of the answer. Null if there was none.
    status: Option<i32>,
    /// Why the message was not delivered. Null if it was.
    error: Option<String>,
    /// The beginning of the body of the answer: up to 1000 bytes.
    body: String,
    /// How long the attempt took, in milliseconds.
    duration_ms: f64,
}

/// Payload of `testWebhook`.
#[derive(SimpleObject)]
pub struct TestWebhookPayload {
    /// What came of the message. Null if there are user errors.
    answer: Option<WebhookAnswer>,
    /// The errors in the input. Empty if the message was sent.
    user_errors: Vec<UserError>,
}

impl From<Answer> for WebhookAnswer {
    fn from(answer: Answer) -> Self {
        let Answer { status, error, body, retry_after: _, duration } = answer;
        Self { delivered: error.is_none(), status: status.map(i32::from), error, body, duration_ms: duration.as_secs_f64() * 1000.0 }
    }
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct TestWebhookMutation;

#[Object]
impl TestWebhookMutation {
    /// Sends a message `webhook.test` to a webhook, enabled or not, and waits up to 15 seconds for the answer. Deliveries are not affected.
    #[graphql(guard = "admin()")]
    async fn test_webhook(&self, ctx: &Context<'_>, #[graphql(desc = "The webhook to test.")] input: TestWebhookInput) -> Result<TestWebhookPayload> {
        let TestWebhookInput { id } = input;
        let (answer, user_errors) = user_errors(app(ctx).test_webhook(app::test_webhook::TestWebhook { id: id.0 }).await)?;
        Ok(TestWebhookPayload { answer: answer.map(WebhookAnswer::from), user_errors })
    }
}
