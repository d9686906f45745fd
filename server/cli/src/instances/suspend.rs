//! `toygres instances suspend`

use clap::{Args, value_parser};

use super::find_id;
use crate::{
    client::Client,
    contract::{BigInt, schema},
    failure::Result,
    mutation::{OperationOptions, operation_mutation},
};

/// Stop the PostgreSQL server of an instance until it is resumed.
///
/// Clients lose their connections, and nobody can connect. The data and the address stay.
#[derive(Args, Debug)]
pub struct Suspend {
    /// Name or id of the instance.
    #[arg(value_name = "NAME")]
    id: String,
    /// Seconds that the server may take to shut down gracefully before it is stopped immediately [default: 60].
    #[arg(long = "timeout", value_name = "SECONDS", value_parser = value_parser!(i32).range(1..))]
    timeout_seconds: Option<i32>,
    /// Suspend the instance only at this revision.
    #[arg(long)]
    revision: Option<u64>,
    /// Repeating the command with the same key returns the first result instead of suspending again.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct SuspendInstanceInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<i32>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    revision: Option<BigInt>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(SuspendInstanceInput: "suspendInstance" -> "SuspendInstancePayload");

impl Suspend {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = SuspendInstanceInput {
            id: find_id(client, &self.id).await?,
            timeout_seconds: self.timeout_seconds,
            revision: self.revision.map(BigInt::from),
            idempotency_key: self.idempotency_key,
        };
        self.options.run::<Self>(client, input).await
    }
}
