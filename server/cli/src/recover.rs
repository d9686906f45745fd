//! `toygres recover`

use clap::Args;
use cynic::MutationBuilder as _;
use serde::Serialize;

use crate::{
    client::Client,
    context::ServerOptions,
    contract::{UserError, schema},
    failure::{Failure, Kind, Result},
    output::{OutputOptions, Table},
    words::worded,
};

/// The arguments of `toygres recover`.
#[derive(Args, Debug)]
pub struct Recover {
    /// Restore each instance that is found, to its latest point and under its own name.
    #[arg(long)]
    restore: bool,
    #[command(flatten)]
    output: OutputOptions,
    /// The server, which has the store of the backups.
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(cynic::InputObject)]
struct ImportBackupsInput {
    restore: Option<bool>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    input: ImportBackupsInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "Variables")]
struct Mutation {
    #[arguments(input: $input)]
    import_backups: ImportBackupsPayload,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ImportBackupsPayload {
    instances: Vec<Instance>,
    operations: Vec<Operation>,
    #[serde(skip)]
    user_errors: Vec<UserError>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Instance {
    id: cynic::Id,
    name: String,
    postgres_version: String,
    recovery: Option<Recovery>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Recovery {
    to: Option<chrono::DateTime<chrono::Utc>>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Operation {
    id: cynic::Id,
    instance: NewInstance,
    restoration: Option<Restoration>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "OperationRestoration")]
#[serde(rename_all = "camelCase")]
struct Restoration {
    source_id: cynic::Id,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct NewInstance {
    id: cynic::Id,
    name: String,
}

pub(crate) async fn run(command: &Recover, client: &Client) -> Result<()> {
    let variables = Variables { input: ImportBackupsInput { restore: Some(command.restore) } };
    let found = client.run(Mutation::build(variables)).await?.import_backups;
    command.output.output.print(&found, page)?;
    if found.user_errors.is_empty() {
        return Ok(());
    }
    // Each is about another instance.
    let messages: Vec<_> = found.user_errors.iter().map(|error| error.message.as_str()).collect();
    Err(Failure::new(Kind::Conflict, worded(&messages.join("\n"))))
}

fn page(ImportBackupsPayload { instances, operations, user_errors }: &ImportBackupsPayload) -> String {
    if instances.is_empty() && !user_errors.is_empty() {
        return String::new();
    }
    if instances.is_empty() {
        return "The store has no backups that the server does not know.\n".to_owned();
    }
    let mut table = Table::with_header(["ID", "NAME", "VERSION", "RECOVERABLE TO", "RESTORED AS"]);
    for instance in instances {
        let to = instance.recovery.as_ref().and_then(|recovery| recovery.to);
        let restores = |operation: &&Operation| operation.restoration.as_ref().is_some_and(|restoration| restoration.source_id == instance.id);
        let restored = operations.iter().find(restores);
        table.row([
            instance.id.inner().to_owned(),
            instance.name.clone(),
            instance.postgres_version.clone(),
            to.map(|to| to.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default(),
            restored.map(|operation| operation.instance.id.inner().to_owned()).unwrap_or_default(),
        ]);
    }
    let next =
        if operations.is_empty() { "Restore all with: toygres recover --restore\nRestore one with: toygres instances restore ID NAME\n" } else { "" };
    table.to_string() + next
}
