//! `toygres instances resume`

use clap::Args;

use super::find_id;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    mutation::{OperationOptions, operation_mutation},
};

/// Start the PostgreSQL server of a suspended instance.
///
/// The instance is UPDATING until clients can connect, and suspended again if that fails.
#[derive(Args, Debug)]
pub struct Resume {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Resume the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of resuming again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct ResumeInstanceInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(ResumeInstanceInput: "resumeInstance" -> "ResumeInstancePayload");

impl Resume {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = ResumeInstanceInput {
            id: find_id(client, &self.id).await?,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
