//! `toygres databases drop`

use clap::Args;

use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    input::confirm,
    instances::find_id,
    mutation::{OperationOptions, operation_mutation},
};

/// Drop a database of an instance, with everything in it.
///
/// This cannot be undone.
#[derive(Args, Debug)]
pub struct Drop {
    /// Name or id of the instance.
    #[arg(value_name = "INSTANCE")]
    instance_id: String,
    /// Name of the database.
    name: String,
    /// End the sessions in it, which otherwise refuse it.
    #[arg(long)]
    force: bool,
    /// Do it only at this revision of the instance.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of doing it again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Do not ask for confirmation. Required when stdin is not a terminal.
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct DropDatabaseInput {
    instance_id: cynic::Id,
    name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    force: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(DropDatabaseInput: "dropDatabase" -> "DropDatabasePayload");

impl Drop {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        if !self.yes {
            confirm(&format!("Drop the database {} of {} with everything in it?", self.name, self.instance_id), "--yes")?;
        }
        let input = DropDatabaseInput {
            instance_id: find_id(client, &self.instance_id).await?,
            name: self.name.clone(),
            force: self.force.then_some(true),
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run_on::<Self>(client, input, Some(&self.name)).await
    }
}
