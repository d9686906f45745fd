//! `toygres webhooks create`

use std::path::PathBuf;

use clap::Args;
use cynic::MutationBuilder as _;

use super::Webhook;
use crate::{
    client::Client,
    contract::{UserError, WebhookEventType, schema},
    failure::{Failure, Kind, Result},
    input::read_secret,
    output::{print, report},
};

/// Create a webhook, and print the secret that signs its messages. The secret cannot be shown again.
#[derive(Args, Debug)]
pub struct Create {
    /// Where messages are sent: an https:// URL.
    // Not `url`, which is that of the server.
    #[arg(value_name = "URL")]
    target: String,
    /// A kind of message to send; repeat it for several [default: all].
    #[arg(long = "event", value_name = "KIND", value_enum, ignore_case = true)]
    events: Vec<WebhookEventType>,
    /// What the webhook is for.
    #[arg(long)]
    description: Option<String>,
    /// Read the secret from a file, or from stdin (-): whsec_ and the base64 of 24 to 64 bytes [default: generate one].
    #[arg(long = "secret-file", value_name = "FILE")]
    secret: Option<PathBuf>,
    /// Repeating the command with the same key returns the first result instead of creating another webhook.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

// No `Debug`, because it contains a secret.
#[derive(cynic::InputObject)]
struct CreateWebhookInput {
    url: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<WebhookEventType>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: CreateWebhookInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    create_webhook: CreateWebhookPayload,
}

#[derive(cynic::QueryFragment)]
struct CreateWebhookPayload {
    webhook: Option<Webhook>,
    secret: Option<String>,
    user_errors: Vec<UserError>,
}

impl Create {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = CreateWebhookInput {
            url: self.target,
            events: Some(self.events).filter(|events| !events.is_empty()),
            secret: self.secret.as_deref().map(read_secret).transpose()?,
            description: self.description,
            idempotency_key: self.idempotency_key,
        };
        let CreateWebhookPayload { webhook, secret, user_errors } = client.run(Mutation::build(Variables { input })).await?.create_webhook;
        match (webhook, secret) {
            _ if !user_errors.is_empty() => Err(Failure::user_errors::<Self>(&user_errors)),
            (Some(webhook), Some(secret)) => {
                report(&format!("created {}; its secret cannot be shown again:", webhook.id.inner()));
                print(&(secret + "\n"))
            }
            _ => Err(Failure::new(Kind::Failed, "the server accepted the request, but returned no webhook")),
        }
    }
}
