//! `toygres webhooks update`

use clap::{ArgGroup, Args};
use cynic::MutationBuilder as _;

use super::{Webhook, table};
use crate::{
    client::Client,
    contract::{BigInt, UserError, WebhookEventType, WebhookState, schema},
    failure::{Failure, Kind, Result},
    output::OutputOptions,
};

/// Change where a webhook sends messages, which ones, or its description.
// Without a change, `--url` is meant as the target, and the request with the token would go there.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("change").required(true).multiple(true).args(["target", "events", "all_events", "description"]))]
pub struct Update {
    /// Id of the webhook.
    #[arg(value_name = "WEBHOOK")]
    id: String,
    /// Where messages are sent: an https:// URL. (--url is that of the server.)
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// A kind of message to send; repeat it for several.
    #[arg(long = "event", value_name = "KIND", value_enum, ignore_case = true)]
    events: Vec<WebhookEventType>,
    /// Send every kind of message.
    #[arg(long, conflicts_with = "events")]
    all_events: bool,
    /// What the webhook is for.
    #[arg(long)]
    description: Option<String>,
    /// Change the webhook only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    #[command(flatten)]
    output: OutputOptions,
}

// No `Debug`, because the URL may contain a credential.
#[derive(cynic::InputObject)]
pub(super) struct UpdateWebhookInput {
    pub(super) id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<Vec<WebhookEventType>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<WebhookState>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<BigInt>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: UpdateWebhookInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    update_webhook: UpdateWebhookPayload,
}

#[derive(cynic::QueryFragment)]
struct UpdateWebhookPayload {
    webhook: Option<Webhook>,
    user_errors: Vec<UserError>,
}

impl Update {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let Self { id, target, events, all_events, description, revision, output } = self;
        let input = UpdateWebhookInput {
            id: cynic::Id::new(id),
            url: target,
            events: (all_events || !events.is_empty()).then_some(events),
            description,
            state: None,
            revision: revision.map(BigInt::from),
        };
        send::<Self>(client, input, output).await
    }
}

/// Sends the changes of a webhook, and prints it. `C` is the command that they came from.
pub(super) async fn send<C: Args>(client: &Client, input: UpdateWebhookInput, output: OutputOptions) -> Result<()> {
    let UpdateWebhookPayload { webhook, user_errors } = client.run(Mutation::build(Variables { input })).await?.update_webhook;
    match webhook {
        _ if !user_errors.is_empty() => Err(Failure::user_errors::<C>(&user_errors)),
        Some(webhook) => output.output.print(&webhook, |webhook| table([webhook]).to_string()),
        None => Err(Failure::new(Kind::Failed, "the server accepted the request, but returned no webhook")),
    }
}
