//! `toygres instances repair`

use clap::Args;

use super::find_id;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    mutation::{OperationOptions, operation_mutation},
};

/// Put back what somebody has deleted or edited of a running instance.
///
/// The instance is compared with what was deployed, and is UPDATING until it is ready. The operation says what differed. The control plane
/// does the same by itself within half a minute.
#[derive(Args, Debug)]
pub struct Repair {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Repair the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of repairing again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct RepairInstanceInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(RepairInstanceInput: "repairInstance" -> "RepairInstancePayload");

impl Repair {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = RepairInstanceInput {
            id: find_id(client, &self.id).await?,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
