//! The messages that webhooks are sent. `docs/API.md` documents them; what is there is not changed, only added to.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use toygres_domain::{
    event::Cursor,
    instance::{Instance, Reason},
    notice::Notice,
    operation::Operation,
    webhook::{WebhookEventType, WebhookId},
};
use uuid::Uuid;

use crate::live::Delivery;

/// The version of what `data` holds. It changes when a field is removed or gets another meaning.
const VERSION: u8 = 1;

/// A message: its id, which stays the same when it is sent again, and its body.
#[derive(Clone, Debug)]
pub struct Message {
    pub(super) id: String,
    pub(super) body: Vec<u8>,
}

#[derive(Serialize)]
struct Body<D> {
    r#type: &'static str,
    timestamp: String,
    data: D,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventData<'a> {
    version: u8,
    webhook_id: String,
    event_id: String,
    cursor: String,
    instance_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<NoticeData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<InstanceData<'a>>,
}

#[derive(Serialize)]
struct ReasonData<'a> {
    code: String,
    message: &'a str,
}

#[derive(Serialize)]
struct NoticeData<'a> {
    code: String,
    message: &'a str,
    since: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperationData<'a> {
    id: &'a str,
    kind: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ReasonData<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceData<'a> {
    id: String,
    name: &'a str,
    state: String,
    health: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonData<'a>>,
    notices: Vec<NoticeData<'a>>,
    labels: &'a std::collections::BTreeMap<String, String>,
    revision: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GapData {
    version: u8,
    webhook_id: String,
    after: String,
    resumes_after: String,
    message: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TestData {
    version: u8,
    webhook_id: String,
    message: &'static str,
}

/// The messages of an event, in their order, of which a webhook gets those that it selects.
pub(super) fn event_messages(webhook: WebhookId, delivery: &Delivery) -> Vec<(WebhookEventType, Message)> {
    let event = &delivery.event;
    let notices = event.notices.iter().map(|change| {
        let kind = if change.raised { WebhookEventType::NoticeRaised } else { WebhookEventType::NoticeCleared };
        (kind, Some(&change.notice))
    });
    std::iter::once((WebhookEventType::from(event.kind), None))
        .chain(notices)
        .enumerate()
        .map(|(part, (kind, notice))| {
            let data = EventData {
                version: VERSION,
                webhook_id: webhook.to_string(),
                event_id: format!("event-{}", event.cursor.seq),
                cursor: event.cursor.to_string(),
                instance_id: event.instance.to_string(),
                from: event.from.as_ref().filter(|_| notice.is_none()).map(|value| value.to_uppercase()),
                to: event.to.as_ref().filter(|_| notice.is_none()).map(|value| value.to_uppercase()),
                reason: event.reason.as_ref().filter(|_| notice.is_none()).map(reason),
                notice: notice.map(notice_data),
                operation: delivery.operation.as_deref().map(operation),
                instance: delivery.instance.as_deref().map(instance),
            };
            (kind, message(webhook.message(event.cursor, part), kind.message_type(), event.cursor.at, data))
        })
        .collect()
}

/// That events between two positions are lost, because they were deleted before they could be delivered.
pub(super) fn gap_message(webhook: WebhookId, after: Cursor, resumes_after: Cursor) -> Message {
    let data = GapData {
        version: VERSION,
        webhook_id: webhook.to_string(),
        after: after.to_string(),
        resumes_after: resumes_after.to_string(),
        message: "The events between these two positions are no longer kept, and will not be delivered: read the present state of the instances.",
    };
    message(format!("{}-gap", webhook.message(after, 0)), "webhook.gap", resumes_after.at, data)
}

/// A message that tries a webhook out.
#[must_use]
pub fn test_message(webhook: WebhookId) -> Message {
    let data = TestData { version: VERSION, webhook_id: webhook.to_string(), message: "This message tries the webhook out. Nothing has happened." };
    message(format!("msg_{}_test-{}", webhook.0.simple(), Uuid::new_v4().simple()), "webhook.test", Utc::now(), data)
}

fn message(id: String, r#type: &'static str, at: DateTime<Utc>, data: impl Serialize) -> Message {
    let body = Body { r#type, timestamp: time(at), data };
    Message { id, body: serde_json::to_vec(&body).expect("structs of texts are JSON") }
}

fn instance(instance: &Instance) -> InstanceData<'_> {
    InstanceData {
        id: instance.id.to_string(),
        name: instance.name.as_str(),
        state: upper(instance.state.as_str()),
        health: upper(instance.health.as_str()),
        reason: instance.reason.as_ref().map(reason),
        notices: instance.notices.iter().map(notice_data).collect(),
        labels: &instance.labels,
        revision: instance.revision.to_string(),
    }
}

fn operation(operation: &Operation) -> OperationData<'_> {
    OperationData {
        id: operation.id.as_str(),
        kind: upper(operation.kind().as_str()),
        status: upper(operation.status.as_str()),
        error: operation.error.as_ref().map(reason),
    }
}

fn reason(reason: &Reason) -> ReasonData<'_> {
    ReasonData { code: upper(reason.code.as_str()), message: &reason.message }
}

fn notice_data(notice: &Notice) -> NoticeData<'_> {
    NoticeData { code: upper(notice.code.as_str()), message: &notice.message, since: time(notice.since) }
}

/// The values of enums are those of the contract.
fn upper(value: &str) -> String {
    value.to_uppercase()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
