//! `toygres instances delete`

use clap::Args;
use cynic::MutationBuilder as _;

use super::{create::Accepted, find};
use crate::{
    client::Client,
    contract::{BigInt, DeleteInstanceInput, Instance, Operation, UserError, schema},
    failure::Result,
    follow::WaitOptions,
    input::confirm,
    output::OutputOptions,
};

#[derive(Args, Debug)]
pub struct Delete {
    /// Its name or id.
    name: String,
    /// Do not ask. Needed where nobody sits at a terminal.
    #[arg(long, short)]
    yes: bool,
    /// Keep the data.
    #[arg(long)]
    keep_volumes: bool,
    /// Delete it only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first answer.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    wait: WaitOptions,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: DeleteInstanceInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct DeleteInstance {
    #[arguments(input: $input)]
    delete_instance: DeleteInstancePayload,
}

#[derive(cynic::QueryFragment)]
struct DeleteInstancePayload {
    instance: Option<Instance>,
    operation: Option<Operation>,
    user_errors: Vec<UserError>,
}

impl Delete {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let instance = find(client, &self.name).await?;
        if !self.yes {
            let data = if self.keep_volumes { "keep its data" } else { "its data is lost" };
            confirm(&format!("Delete the instance {} ({data})?", instance.name), "--yes")?;
        }
        let input = DeleteInstanceInput {
            id: instance.id,
            keep_volumes: Some(self.keep_volumes),
            revision: self.revision.map(|revision| BigInt(revision.to_string())),
            idempotency_key: self.idempotency_key,
        };
        let DeleteInstance { delete_instance: DeleteInstancePayload { instance, operation, user_errors } } =
            client.run(DeleteInstance::build(Variables { input })).await?;
        Accepted::new(instance, operation, &user_errors)?.finish(client, self.wait, self.output).await
    }
}
