//! `toygres backups create`

use clap::Args;

use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    instances::find_id,
    mutation::{OperationOptions, operation_mutation},
};

/// Take a base backup of an instance now.
#[derive(Args, Debug)]
pub struct Create {
    /// Name or id of the instance.
    #[arg(value_name = "INSTANCE")]
    instance_id: String,
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
struct CreateBackupInput {
    instance_id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(CreateBackupInput: "createBackup" -> "CreateBackupPayload");

impl Create {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = CreateBackupInput {
            instance_id: find_id(client, &self.instance_id).await?,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
