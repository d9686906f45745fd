//! `toygres webhooks rotate-secret`

use std::path::PathBuf;

use clap::Args;
use cynic::MutationBuilder as _;

use crate::{
    client::Client,
    contract::{UserError, schema},
    failure::{Failure, Kind, Result},
    input::read_secret,
    output::{print, report},
};

/// Give a webhook another secret, and print it. It cannot be shown again. For a day, messages are signed with the former one too.
#[derive(Args, Debug)]
pub struct RotateSecret {
    /// Id of the webhook.
    #[arg(value_name = "WEBHOOK")]
    id: String,
    /// Read the secret from a file, or from stdin (-): whsec_ and the base64 of 24 to 64 bytes [default: generate one].
    #[arg(long = "secret-file", value_name = "FILE")]
    secret: Option<PathBuf>,
}

// No `Debug`, because it contains a secret.
#[derive(cynic::InputObject)]
struct RotateWebhookSecretInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: RotateWebhookSecretInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    rotate_webhook_secret: RotateWebhookSecretPayload,
}

#[derive(cynic::QueryFragment)]
struct RotateWebhookSecretPayload {
    secret: Option<String>,
    user_errors: Vec<UserError>,
}

impl RotateSecret {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = RotateWebhookSecretInput { id: cynic::Id::new(self.id.clone()), secret: self.secret.as_deref().map(read_secret).transpose()? };
        let RotateWebhookSecretPayload { secret, user_errors } = client.run(Mutation::build(Variables { input })).await?.rotate_webhook_secret;
        match secret {
            _ if !user_errors.is_empty() => Err(Failure::user_errors::<Self>(&user_errors)),
            Some(secret) => {
                report(&format!("{} has another secret, which cannot be shown again:", self.id));
                print(&(secret + "\n"))
            }
            None => Err(Failure::new(Kind::Failed, "the server accepted the request, but returned no secret")),
        }
    }
}
