//! `toygres operations cancel` and `retry`

use clap::Args;
use cynic::MutationBuilder as _;

use super::find;
use crate::{
    client::Client,
    contract::{CancelOperationInput, Operation, OperationStatus, RetryOperationInput, UserError, schema},
    failure::{Failure, Kind, Result},
    follow::{Progress, WaitOptions, describe, follow, verdict},
    output::OutputOptions,
};

#[derive(Args, Debug)]
pub struct Cancel {
    /// Its id, or an instance.
    id: String,
    #[command(flatten)]
    wait: WaitOptions,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(Args, Debug)]
pub struct Retry {
    /// Its id, or an instance.
    id: String,
    /// Repeating the command with the same key returns the first answer.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    wait: WaitOptions,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct CancelVariables {
    input: CancelOperationInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "CancelVariables")]
struct CancelOperation {
    #[arguments(input: $input)]
    cancel_operation: CancelOperationPayload,
}

#[derive(cynic::QueryFragment)]
struct CancelOperationPayload {
    operation: Option<Operation>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct RetryVariables {
    input: RetryOperationInput,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "RetryVariables")]
struct RetryOperation {
    #[arguments(input: $input)]
    retry_operation: RetryOperationPayload,
}

#[derive(cynic::QueryFragment)]
struct RetryOperationPayload {
    operation: Option<Operation>,
    user_errors: Vec<UserError>,
}

impl Cancel {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = CancelOperationInput { id: find(client, &self.id).await?.id };
        let CancelOperationPayload { operation, user_errors } = client.run(CancelOperation::build(CancelVariables { input })).await?.cancel_operation;
        let mut operation = accepted(operation, &user_errors)?;
        if self.wait.wait {
            operation = follow(client, &operation.id, self.wait.timeout, &mut Progress::on_stderr()).await?;
        }
        self.output.output.print(&operation, describe)?;
        // Here it is the end that was asked for.
        match operation.status {
            OperationStatus::Succeeded => Err(Failure::new(Kind::Conflict, "the operation succeeded before it could be cancelled")),
            OperationStatus::Failed => verdict(&operation),
            _ => Ok(()),
        }
    }
}

impl Retry {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let input = RetryOperationInput { id: find(client, &self.id).await?.id, idempotency_key: self.idempotency_key };
        let RetryOperationPayload { operation, user_errors } = client.run(RetryOperation::build(RetryVariables { input })).await?.retry_operation;
        let mut operation = accepted(operation, &user_errors)?;
        if self.wait.wait {
            operation = follow(client, &operation.id, self.wait.timeout, &mut Progress::on_stderr()).await?;
        }
        self.output.output.print(&operation, describe)?;
        verdict(&operation)
    }
}

fn accepted(operation: Option<Operation>, mistakes: &[UserError]) -> Result<Operation> {
    match operation {
        _ if !mistakes.is_empty() => Err(Failure::refused(mistakes)),
        Some(operation) => Ok(operation),
        None => Err(Failure::new(Kind::Failed, "the server accepted the request without saying what it does about it")),
    }
}
