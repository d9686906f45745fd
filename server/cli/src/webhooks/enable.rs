//! `toygres webhooks enable`

use clap::Args;

use super::update::{UpdateWebhookInput, send};
use crate::{client::Client, contract::WebhookState, failure::Result, output::OutputOptions};

/// Enable a webhook again. It continues where it stopped.
#[derive(Args, Debug)]
pub struct Enable {
    /// Id of the webhook.
    #[arg(value_name = "WEBHOOK")]
    id: String,
    #[command(flatten)]
    output: OutputOptions,
}

impl Enable {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let Self { id, output } = self;
        let state = Some(WebhookState::Enabled);
        let input = UpdateWebhookInput { id: cynic::Id::new(id), url: None, events: None, description: None, state, revision: None };
        send::<Self>(client, input, output).await
    }
}
