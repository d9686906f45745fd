//! `toygres operations`

use clap::Subcommand;
use cynic::QueryBuilder as _;

use super::{
    client::Client,
    contract::{Operation, schema},
    failure::{Failure, Kind, Result},
    instances,
};

mod change;
mod list;
mod watch;

/// What can be done with operations. Where one is named, the name or id of an instance means the latest one of that.
#[derive(Debug, Subcommand)]
pub enum OperationsCommand {
    /// List operations, the newest first.
    #[command(visible_alias = "ls")]
    List(list::List),
    /// Show an operation with its steps.
    Get(watch::Get),
    /// Follow an operation to its end: its steps in a terminal, a JSON object per line in a pipe.
    Watch(watch::Watch),
    /// Ask an operation to stop and to clean up.
    Cancel(change::Cancel),
    /// Try a failed or cancelled operation again, as a new operation.
    Retry(change::Retry),
}

pub(super) async fn run(command: OperationsCommand, client: &Client) -> Result<()> {
    match command {
        OperationsCommand::List(list) => list.run(client).await,
        OperationsCommand::Get(get) => get.run(client).await,
        OperationsCommand::Watch(watch) => watch.run(client).await,
        OperationsCommand::Cancel(cancel) => cancel.run(client).await,
        OperationsCommand::Retry(retry) => retry.run(client).await,
    }
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct OperationQuery {
    #[arguments(id: $id)]
    operation: Option<Operation>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct LatestQuery {
    #[arguments(id: $id)]
    instance: Option<WithLatest>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct WithLatest {
    #[arguments(first: 1)]
    operations: OperationConnection,
}

#[derive(cynic::QueryFragment)]
struct OperationConnection {
    nodes: Vec<Operation>,
}

/// The operation with this id, or the latest one of the instance of this name or id.
async fn find(client: &Client, id: &str) -> Result<Operation> {
    let missing = || {
        Failure::new(Kind::NotFound, format!("there is no operation {id}, nor an instance of this name; `toygres operations list` shows the latest"))
    };
    let OperationQuery { operation } = client.run(OperationQuery::build(Variables { id: cynic::Id::new(id) })).await?;
    if let Some(operation) = operation {
        return Ok(operation);
    }
    let instance = match instances::find_id(client, id).await {
        Err(failure) if failure.kind() == Kind::NotFound => return Err(missing()),
        found => found?,
    };
    let LatestQuery { instance } = client.run(LatestQuery::build(Variables { id: instance })).await?;
    instance.and_then(|instance| instance.operations.nodes.into_iter().next()).ok_or_else(missing)
}
