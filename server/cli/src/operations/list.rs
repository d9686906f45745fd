//! `toygres operations list`

use clap::{Args, value_parser};
use cynic::QueryBuilder as _;

use crate::{
    client::Client,
    contract::{Operation, OperationKind, OperationStatus, lower_case, schema},
    failure::Result,
    instances,
    output::{Format, OutputOptions, Table, age, format_duration, report},
};

/// List operations, the newest first.
#[derive(Args, Debug)]
#[command(visible_alias = "ls")]
pub struct List {
    /// Only operations on the instance with this name or id.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Only operations of these kinds, separated by commas.
    #[arg(long, value_delimiter = ',')]
    kind: Vec<OperationKind>,
    /// Only operations with one of these statuses, separated by commas.
    #[arg(long, value_delimiter = ',')]
    status: Vec<OperationStatus>,
    /// Maximum number of operations, up to 200.
    #[arg(long, default_value = "50", value_parser = value_parser!(i32).range(1..=200))]
    limit: i32,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::InputObject)]
struct OperationFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    instance_id: Option<cynic::Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    kind: Option<Vec<OperationKind>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    status: Option<Vec<OperationStatus>>,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    first: i32,
    filter: OperationFilter,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct ListOperations {
    #[arguments(first: $first, filter: $filter)]
    operations: CountedOperations,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "OperationConnection")]
struct CountedOperations {
    nodes: Vec<Operation>,
    total_count: i32,
}

impl List {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let instance_id = match &self.instance {
            Some(name) => Some(instances::find_id(client, name).await?),
            None => None,
        };
        let filter = OperationFilter {
            instance_id,
            kind: (!self.kind.is_empty()).then_some(self.kind),
            status: (!self.status.is_empty()).then_some(self.status),
        };
        let ListOperations { operations: CountedOperations { nodes, total_count } } =
            client.run(ListOperations::build(Variables { first: self.limit, filter })).await?;
        if nodes.is_empty() && self.output.output == Format::Table {
            report("No operations found.");
            return Ok(());
        }
        let shown = nodes.len();
        self.output.output.print(&nodes, |nodes| table(nodes).to_string())?;
        if i32::try_from(shown).is_ok_and(|shown| shown < total_count) {
            report(&format!("({shown} of {total_count}; use --limit to show more)"));
        }
        Ok(())
    }
}

fn table(operations: &[Operation]) -> Table {
    let mut table = Table::with_header(["OPERATION", "INSTANCE", "STATUS", "AGE", "DURATION", "ERROR"]);
    for operation in operations {
        table.row([
            operation.id.inner().to_owned(),
            operation.instance.name.clone(),
            lower_case(&operation.status),
            age(operation.created_at),
            operation.finished_at.map(|end| format_duration(end - operation.created_at)).unwrap_or_default(),
            operation.error.as_ref().map(|reason| reason.text()).unwrap_or_default(),
        ]);
    }
    table
}
