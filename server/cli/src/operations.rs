//! `toygres operations`

use cynic::QueryBuilder as _;

use crate::{
    client::Client,
    contract::{Operation, OperationConnection, schema},
    failure::{Failure, Kind, Result},
    instances,
    subcommands::subcommands,
};

subcommands! {
    /// A subcommand of `toygres operations`. The name or id of an instance stands for the last operation of that instance.
    pub enum OperationsCommand {
        list::List,
        get::Get,
        watch::Watch,
        cancel::Cancel,
        retry::Retry,
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
struct LastOperationQuery {
    #[arguments(id: $id)]
    instance: Option<LastOperation>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct LastOperation {
    #[arguments(first: 1)]
    operations: OperationConnection,
}

/// The operation with this id, or the last operation of the instance with this name or id.
async fn find(client: &Client, id: &str) -> Result<Operation> {
    let not_found =
        || Failure::new(Kind::NotFound, format!("there is no operation or instance {id}; `toygres operations list` lists the operations"));
    let OperationQuery { operation } = client.run(OperationQuery::build(Variables { id: cynic::Id::new(id) })).await?;
    if let Some(operation) = operation {
        return Ok(operation);
    }
    let instance = match instances::find_id(client, id).await {
        Err(failure) if failure.kind() == Kind::NotFound => return Err(not_found()),
        found => found?,
    };
    let LastOperationQuery { instance } = client.run(LastOperationQuery::build(Variables { id: instance })).await?;
    instance.and_then(|instance| instance.operations.nodes.into_iter().next()).ok_or_else(not_found)
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _};

    use super::OperationsCommand;

    #[test]
    fn every_subcommand_and_argument_has_a_help_text() {
        let command = OperationsCommand::augment_subcommands(Command::new("operations"));
        command.clone().debug_assert();
        for subcommand in command.get_subcommands() {
            assert!(subcommand.get_about().is_some(), "{}", subcommand.get_name());
            for argument in subcommand.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", subcommand.get_name(), argument.get_id());
            }
        }
    }
}
