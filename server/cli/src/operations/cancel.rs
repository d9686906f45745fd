//! `toygres operations cancel`

use clap::Args;

use super::find;
use crate::{
    client::Client,
    contract::{OperationStatus, schema},
    failure::{Failure, Kind, Result},
    follow::check_outcome,
    mutation::{OperationOptions, operation_mutation},
};

/// Cancel an operation. What it has created so far is removed.
#[derive(Args, Debug)]
pub struct Cancel {
    /// Id of the operation, or name or id of its instance.
    #[arg(value_name = "OPERATION")]
    id: String,
    #[command(flatten)]
    options: OperationOptions,
}

#[derive(cynic::InputObject)]
struct CancelOperationInput {
    id: cynic::Id,
}

operation_mutation!(CancelOperationInput: "cancelOperation" -> "CancelOperationPayload");

impl Cancel {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = CancelOperationInput { id: find(client, &self.id).await?.id };
        let operation = self.options.run_on_operation::<Self>(client, input).await?;
        match operation.status {
            OperationStatus::Succeeded => Err(Failure::new(Kind::Conflict, "the operation succeeded before it could be cancelled")),
            OperationStatus::Cancelled => Ok(()),
            _ => check_outcome(&operation),
        }
    }
}
