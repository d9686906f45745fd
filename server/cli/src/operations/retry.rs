//! `toygres operations retry`

use clap::Args;

use super::find;
use crate::{
    client::Client,
    contract::schema,
    failure::Result,
    follow::check_outcome,
    mutation::{OperationOptions, operation_mutation},
};

/// Retry a failed or cancelled operation, as a new operation.
#[derive(Args, Debug)]
pub struct Retry {
    /// Id of the operation, or name or id of its instance.
    #[arg(value_name = "OPERATION")]
    id: String,
    /// Repeating the command with the same key returns the first result.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct RetryOperationInput {
    id: cynic::Id,
    #[cynic(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
}

operation_mutation!(RetryOperationInput: "retryOperation" -> "RetryOperationPayload");

impl Retry {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = RetryOperationInput { id: find(client, &self.id).await?.id, idempotency_key: self.idempotency_key };
        check_outcome(&self.options.run_on_operation::<Self>(client, input).await?)
    }
}
