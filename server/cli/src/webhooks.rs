//! `toygres webhooks`: who is sent the events of instances.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    contract::{BigInt, WebhookDisabledCode, WebhookEventType, WebhookState, lower_case, schema},
    output::{Table, age},
    subcommands::subcommands,
    words::worded,
};

subcommands! {
    /// A subcommand of `toygres webhooks`.
    pub enum WebhooksCommand {
        list::List,
        create::Create,
        update::Update,
        enable::Enable,
        disable::Disable,
        rotate_secret::RotateSecret,
        test::Test,
        delete::Delete,
    }
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    id: cynic::Id,
    url: String,
    description: String,
    events: Vec<WebhookEventType>,
    state: WebhookState,
    disabled: Option<WebhookDisabled>,
    last_delivered_at: Option<DateTime<Utc>>,
    last_attempt: Option<WebhookAttempt>,
    failing_since: Option<DateTime<Utc>>,
    next_attempt_at: Option<DateTime<Utc>>,
    pending_events: i32,
    lag_seconds: f64,
    former_secret_until: Option<DateTime<Utc>>,
    revision: BigInt,
    created_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
struct WebhookDisabled {
    code: WebhookDisabledCode,
    message: String,
    since: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
struct WebhookAttempt {
    at: DateTime<Utc>,
    status: Option<i32>,
    error: Option<String>,
}

/// The webhooks for people.
fn table<'a>(webhooks: impl IntoIterator<Item = &'a Webhook>) -> Table {
    let mut table = Table::with_header(["ID", "URL", "EVENTS", "STATE", "PENDING", "LAST DELIVERED", "AGE"]);
    for webhook in webhooks {
        let events: Vec<_> = webhook.events.iter().map(lower_case).collect();
        let why = match (&webhook.disabled, webhook.last_attempt.as_ref().and_then(|attempt| attempt.error.as_ref())) {
            (Some(disabled), _) => format!(": {}", worded(&disabled.message)),
            (None, Some(error)) => format!(", failing: {error}"),
            (None, None) => String::new(),
        };
        table.row([
            webhook.id.inner().to_owned(),
            webhook.url.clone(),
            if events.is_empty() { "all".to_owned() } else { events.join(", ") },
            lower_case(&webhook.state) + &why,
            webhook.pending_events.to_string(),
            webhook.last_delivered_at.map(|at| format!("{} ago", age(at))).unwrap_or_default(),
            age(webhook.created_at),
        ]);
    }
    table
}
