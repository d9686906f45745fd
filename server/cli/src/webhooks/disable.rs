//! `toygres webhooks disable`

use clap::Args;

use super::update::{UpdateWebhookInput, send};
use crate::{client::Client, contract::WebhookState, failure::Result, output::OutputOptions};

/// Disable a webhook: nothing is sent until it is enabled again.
#[derive(Args, Debug)]
pub struct Disable {
    /// Id of the webhook.
    #[arg(value_name = "WEBHOOK")]
    id: String,
    #[command(flatten)]
    output: OutputOptions,
}

impl Disable {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let Self { id, output } = self;
        let state = Some(WebhookState::Disabled);
        let input = UpdateWebhookInput { id: cynic::Id::new(id), url: None, events: None, description: None, state, revision: None };
        send::<Self>(client, input, output).await
    }
}
