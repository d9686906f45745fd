//! `Webhook`.

use async_graphql::{ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::webhook as domain;

use super::{BigInt, WebhookDisabledCode, WebhookEventType, WebhookState};

/// See the GraphQL type below.
#[derive(Clone)]
pub struct Webhook(pub domain::Webhook);

/// Why and since when a webhook is disabled.
#[derive(Clone, SimpleObject)]
pub struct WebhookDisabled {
    /// The kind of reason. Stable, for programs.
    code: WebhookDisabledCode,
    /// One sentence for people.
    message: String,
    /// Since when.
    since: DateTime<Utc>,
}

/// An attempt to send a message.
#[derive(Clone, SimpleObject)]
pub struct WebhookAttempt {
    /// When it ended.
    at: DateTime<Utc>,
    /// The HTTP status of the answer. Null if there was none.
    status: Option<i32>,
    /// Why it failed. Null if it did not.
    error: Option<String>,
}

/// Messages about events, sent to a URL and signed after the Standard Webhooks specification: each at least once, in the order of the event log. The
/// secret is only in the payload of the mutation that set it.
#[Object]
impl Webhook {
    /// The ID of the webhook.
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }
    /// Where messages are sent.
    async fn url(&self) -> &str {
        self.0.url.expose()
    }
    /// What the webhook is for.
    async fn description(&self) -> &str {
        &self.0.description
    }
    /// The kinds of messages that are sent. Empty for all.
    async fn events(&self) -> Vec<WebhookEventType> {
        self.0.events.iter().copied().map(Into::into).collect()
    }
    /// Whether messages are sent.
    async fn state(&self) -> WebhookState {
        self.0.state().into()
    }
    /// Why and since when the webhook is disabled. Null while it is enabled.
    async fn disabled(&self) -> Option<WebhookDisabled> {
        self.0.disabled.as_ref().map(|domain::Disabled { code, message, since }| WebhookDisabled {
            code: (*code).into(),
            message: message.clone(),
            since: *since,
        })
    }
    /// When the last message was delivered.
    async fn last_delivered_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_delivered_at
    }
    /// The last attempt to send a message, but those of `testWebhook`.
    async fn last_attempt(&self) -> Option<WebhookAttempt> {
        self.0.last_attempt.as_ref().map(|domain::Attempt { at, status, error }| WebhookAttempt {
            at: *at,
            status: status.map(i32::from),
            error: error.clone(),
        })
    }
    /// Since when every attempt has failed. Null if the last one did not. After a day, the webhook is disabled.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.0.failing_since
    }
    /// When the next attempt is due, after one that failed.
    async fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.0.next_attempt_at
    }
    /// The number of events that the webhook has not come to, counted up to 10,000.
    async fn pending_events(&self) -> i32 {
        i32::try_from(self.0.pending_events).unwrap_or(i32::MAX)
    }
    /// The age in seconds of the oldest event that the webhook has not come to. 0 if there is none.
    async fn lag_seconds(&self) -> f64 {
        self.0.lag_seconds
    }
    /// Until when messages are signed with the former secret too. Null if they are not.
    async fn former_secret_until(&self) -> Option<DateTime<Utc>> {
        self.0.former_secret_until
    }
    /// The revision of the webhook, which counts its changes by mutations and that it was disabled.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }
    /// When the webhook was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}
