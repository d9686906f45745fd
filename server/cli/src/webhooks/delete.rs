//! `toygres webhooks delete`

use clap::Args;
use cynic::MutationBuilder as _;

use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Result},
    input::confirm,
    output::print,
};

/// Delete a webhook. What was not delivered to it is not delivered any more.
#[derive(Args, Debug)]
#[command(visible_alias = "rm")]
pub struct Delete {
    /// Id of the webhook.
    #[arg(value_name = "WEBHOOK")]
    id: String,
    /// Do not ask for confirmation. Required when stdin is not a terminal.
    #[arg(long, short)]
    yes: bool,
}

#[derive(cynic::InputObject)]
struct DeleteWebhookInput {
    id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: DeleteWebhookInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    delete_webhook: DeleteWebhookPayload,
}

#[derive(cynic::QueryFragment)]
struct DeleteWebhookPayload {
    user_errors: Vec<UserError>,
}

impl Delete {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        if !self.yes {
            confirm(&format!("Delete the webhook {}?", self.id), "--yes")?;
        }
        let input = DeleteWebhookInput { id: cynic::Id::new(self.id.clone()) };
        let DeleteWebhookPayload { user_errors } = client.run(Mutation::build(Variables { input })).await?.delete_webhook;
        if user_errors.is_empty() { print(&format!("deleted webhook {}\n", self.id)) } else { Err(Failure::user_errors::<Self>(&user_errors)) }
    }
}
