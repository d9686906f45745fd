//! Webhooks: the events of instances as signed HTTP requests, after the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>).

mod secret;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use self::secret::SigningSecret;
use crate::{
    event::{Cursor, EventKind},
    instance::text_enum,
    secret::Secret,
};

/// What the id of a webhook begins with.
const PREFIX: &str = "webhook-";

/// The identity of a webhook: `webhook-<uuid>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebhookId(pub Uuid);

impl WebhookId {
    /// A new, unique id. Ids sort by age.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id of a message to this webhook, which is the same however often it is sent. A restored log can have another event at the same
    /// number, so the time is part of it. `part` counts the messages of one event.
    #[must_use]
    pub fn message(self, cursor: Cursor, part: usize) -> String {
        let id = format!("msg_{}_{cursor}", self.0.simple());
        if part == 0 { id } else { format!("{id}-{part}") }
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

impl FromStr for WebhookId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix(PREFIX).unwrap_or(text).parse().map(Self)
    }
}

text_enum! {
    /// What a webhook is told.
    pub enum WebhookEventType {
        /// `instance.created`: the creation of an instance was accepted.
        InstanceCreated,
        /// `instance.state_changed`: the state of an instance changed.
        InstanceStateChanged,
        /// `instance.health_changed`: the health of an instance changed.
        InstanceHealthChanged,
        /// `instance.updated`: another field of an instance changed.
        InstanceUpdated,
        /// `instance.repaired`: something of an instance that somebody had deleted or edited was put back.
        InstanceRepaired,
        /// `operation.created`: an operation was accepted.
        OperationCreated,
        /// `operation.changed`: the status of an operation changed.
        OperationChanged,
        /// `operation.progressed`: a step of an operation began, ended or failed.
        OperationProgressed,
        /// `notice.raised`: an instance has a notice that it did not have.
        NoticeRaised,
        /// `notice.cleared`: an instance does not have a notice any more.
        NoticeCleared,
    }
}

impl WebhookEventType {
    /// The `type` of the message.
    #[must_use]
    pub fn message_type(self) -> &'static str {
        match self {
            Self::InstanceCreated => "instance.created",
            Self::InstanceStateChanged => "instance.state_changed",
            Self::InstanceHealthChanged => "instance.health_changed",
            Self::InstanceUpdated => "instance.updated",
            Self::InstanceRepaired => "instance.repaired",
            Self::OperationCreated => "operation.created",
            Self::OperationChanged => "operation.changed",
            Self::OperationProgressed => "operation.progressed",
            Self::NoticeRaised => "notice.raised",
            Self::NoticeCleared => "notice.cleared",
        }
    }
}

impl From<EventKind> for WebhookEventType {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::InstanceCreated => Self::InstanceCreated,
            EventKind::StateChanged => Self::InstanceStateChanged,
            EventKind::HealthChanged => Self::InstanceHealthChanged,
            EventKind::InstanceUpdated => Self::InstanceUpdated,
            EventKind::InstanceRepaired => Self::InstanceRepaired,
            EventKind::OperationCreated => Self::OperationCreated,
            EventKind::OperationChanged => Self::OperationChanged,
            EventKind::OperationProgressed => Self::OperationProgressed,
        }
    }
}

text_enum! {
    /// Whether a webhook is sent messages.
    pub enum WebhookState {
        /// Messages are sent.
        Enabled,
        /// Nothing is sent until it is enabled again.
        Disabled,
    }
}

text_enum! {
    /// Why a webhook is disabled.
    pub enum WebhookDisabledCode {
        /// Somebody asked for it.
        Requested,
        /// Every attempt of a day failed.
        Failing,
        /// The receiver answered 410 Gone.
        Gone,
    }
}

/// Why and since when a webhook is disabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// The kind of reason.
    pub code: WebhookDisabledCode,
    /// One sentence for people.
    pub message: String,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// The last attempt to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// A webhook, without its secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// The identity.
    pub id: WebhookId,
    /// Where messages are sent. Its path often holds a credential.
    pub url: Secret,
    /// What it is for.
    pub description: String,
    /// The kinds of messages that are sent; empty for all.
    pub events: Vec<WebhookEventType>,
    /// Why it is disabled; `None` while it is enabled.
    pub disabled: Option<Disabled>,
    /// Until when messages are signed with the former secret too.
    pub former_secret_until: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Counts its changes by people.
    pub revision: i64,
    /// The last message that was delivered.
    pub last_delivered_at: Option<DateTime<Utc>>,
    /// The last attempt.
    pub last_attempt: Option<Attempt>,
    /// Since when every attempt has failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// When the next attempt is due, after a failure.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The events of the log that it has not come to, counted up to [`MOST_PENDING`].
    pub pending_events: i64,
    /// The age of the oldest of them in seconds.
    pub lag_seconds: f64,
}

/// Pending events are not counted further.
pub const MOST_PENDING: i64 = 10_000;

impl Webhook {
    /// Whether it is sent messages.
    #[must_use]
    pub fn state(&self) -> WebhookState {
        if self.disabled.is_some() { WebhookState::Disabled } else { WebhookState::Enabled }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_id() {
        let id: WebhookId = "webhook-018f0000-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.0.to_string().parse(), Ok(id), "without the prefix too");
        let cursor = Cursor { seq: 7, at: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap() };
        assert_eq!(id.message(cursor, 0), "msg_018f0000000070008000000000000001_7-1700000000000001");
        assert_ne!(id.message(cursor, 1), id.message(cursor, 0));
    }

    #[test]
    fn every_event_has_a_type_after_the_specification() {
        for kind in WebhookEventType::ALL {
            let text = kind.message_type();
            assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)), "{text}");
            assert_eq!(text.replace('.', "_"), kind.as_str());
        }
    }
}
