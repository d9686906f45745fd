//! `toygres webhooks test`

use clap::Args;
use cynic::MutationBuilder as _;
use serde::Serialize;

use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Kind, Result},
    output::OutputOptions,
};

/// Send a message webhook.test, and show what came back. Fails unless the receiver accepted it.
#[derive(Args, Debug)]
pub struct Test {
    /// Id of the webhook.
    #[arg(value_name = "WEBHOOK")]
    id: String,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::InputObject)]
struct TestWebhookInput {
    id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: TestWebhookInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    test_webhook: TestWebhookPayload,
}

#[derive(cynic::QueryFragment)]
struct TestWebhookPayload {
    answer: Option<WebhookAnswer>,
    user_errors: Vec<UserError>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct WebhookAnswer {
    delivered: bool,
    status: Option<i32>,
    error: Option<String>,
    body: String,
    duration_ms: f64,
}

impl Test {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = TestWebhookInput { id: cynic::Id::new(self.id.clone()) };
        let TestWebhookPayload { answer, user_errors } = client.run(Mutation::build(Variables { input })).await?.test_webhook;
        let answer = match answer {
            _ if !user_errors.is_empty() => return Err(Failure::user_errors::<Self>(&user_errors)),
            Some(answer) => answer,
            None => return Err(Failure::new(Kind::Failed, "the server accepted the request, but returned no answer")),
        };
        self.output.output.print(&answer, describe)?;
        match answer.error {
            None => Ok(()),
            Some(error) => Err(Failure::new(Kind::Failed, format!("the message was not delivered: {error}"))),
        }
    }
}

fn describe(answer: &WebhookAnswer) -> String {
    let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
    let body = if answer.body.is_empty() { String::new() } else { format!(": {}", answer.body) };
    format!("{status} after {:.0}ms{body}\n", answer.duration_ms)
}
