//! `toygres instances upgrade`

use clap::Args;

use super::find_id;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    mutation::{OperationOptions, operation_mutation},
};

/// Upgrade an instance to a newer major version of PostgreSQL, or apply an update of the one that it has.
///
/// The server is stopped while pg_upgrade transfers the data. Until a login to the new server has worked, clients are kept out and the former
/// data stays: if anything fails before, the instance is as before. Afterwards there is no way back. A suspended instance is suspended again at
/// the end.
#[derive(Args, Debug)]
pub struct Upgrade {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Major version to upgrade to. The present one applies an update that is available, by a restart.
    #[arg(long = "to", value_name = "VERSION")]
    version: String,
    /// Only find out whether the upgrade is possible. The server is stopped for some seconds, as for a restart.
    #[arg(long)]
    check_only: bool,
    /// Go on although logical replication slots are lost, which versions before 17 cannot take along.
    #[arg(long)]
    drop_logical_slots: bool,
    /// Upgrade the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of upgrading again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct UpgradeInstanceInput {
    id: cynic::Id,
    version: String,
    check_only: bool,
    drop_logical_slots: bool,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(UpgradeInstanceInput: "upgradeInstance" -> "UpgradeInstancePayload");

impl Upgrade {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = UpgradeInstanceInput {
            id: find_id(client, &self.id).await?,
            version: self.version,
            check_only: self.check_only,
            drop_logical_slots: self.drop_logical_slots,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
