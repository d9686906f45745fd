//! `toygres users drop`

use clap::Args;

use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    input::confirm,
    instances::find_id,
    mutation::{OperationOptions, operation_mutation},
};

/// Drop a user of an instance, and end its sessions.
///
/// What it owns is reassigned to another user, in every database.
#[derive(Args, Debug)]
pub struct Drop {
    /// Name or id of the instance.
    #[arg(value_name = "INSTANCE")]
    instance_id: String,
    /// Name of the user.
    name: String,
    /// User who gets what it owns [default: the owner of the instance].
    #[arg(long, value_name = "USER")]
    reassign_to: Option<String>,
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
struct DropDatabaseUserInput {
    instance_id: cynic::Id,
    name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    reassign_to: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(DropDatabaseUserInput: "dropDatabaseUser" -> "DropDatabaseUserPayload");

impl Drop {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        if !self.yes {
            confirm(&format!("Drop the user {} of {}?", self.name, self.instance_id), "--yes")?;
        }
        let input = DropDatabaseUserInput {
            instance_id: find_id(client, &self.instance_id).await?,
            name: self.name.clone(),
            reassign_to: self.reassign_to,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run_on::<Self>(client, input, Some(&self.name)).await
    }
}
