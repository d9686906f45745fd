//! `toygres instances delete`

use clap::Args;

use super::find;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    input::confirm,
    mutation::{OperationOptions, operation_mutation},
};

/// Delete an instance and its data.
#[derive(Args, Debug)]
#[command(visible_alias = "rm")]
pub struct Delete {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Do not ask for confirmation. Required when stdin is not a terminal.
    #[arg(long, short)]
    yes: bool,
    /// Keep the volumes with the data.
    #[arg(long)]
    keep_volumes: bool,
    /// Days for which its backups are kept; 0 deletes them at once, unless one is locked [default: those of the instance].
    #[arg(long, value_name = "DAYS")]
    backup_retention_days: Option<i32>,
    /// Take a base backup before anything is removed. The deletion waits for it; --final-backup=false has one that waits go on without.
    #[arg(long, value_name = "BOOL", default_missing_value = "true", num_args = 0..=1, require_equals = true)]
    final_backup: Option<bool>,
    /// Delete the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct DeleteInstanceInput {
    id: cynic::Id,
    keep_volumes: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    backup_retention_days: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    final_backup: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(DeleteInstanceInput: "deleteInstance" -> "DeleteInstancePayload");

impl Delete {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let instance = find(client, &self.id).await?;
        if !self.yes {
            let data = if self.keep_volumes { "its data is kept" } else { "its data is lost" };
            confirm(&format!("Delete the instance {} ({data})?", instance.name), "--yes")?;
        }
        let input = DeleteInstanceInput {
            id: instance.id,
            keep_volumes: Some(self.keep_volumes),
            backup_retention_days: self.backup_retention_days,
            final_backup: self.final_backup,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
