//! `toygres databases create`

use clap::Args;

use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    instances::find_id,
    mutation::{OperationOptions, operation_mutation},
};

/// Create a database in an instance.
#[derive(Args, Debug)]
pub struct Create {
    /// Name or id of the instance.
    #[arg(value_name = "INSTANCE")]
    instance_id: String,
    /// Name of the database.
    name: String,
    /// User who owns it [default: the owner of the instance].
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// Do it only at this revision of the instance.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of doing it again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct CreateDatabaseInput {
    instance_id: cynic::Id,
    name: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(CreateDatabaseInput: "createDatabase" -> "CreateDatabasePayload");

impl Create {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = CreateDatabaseInput {
            instance_id: find_id(client, &self.instance_id).await?,
            name: self.name.clone(),
            owner: self.owner,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run_on::<Self>(client, input, Some(&self.name)).await
    }
}
