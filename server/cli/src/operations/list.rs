//! `toygres operations list`

use clap::Args;
use cynic::QueryBuilder as _;

use crate::{
    client::Client,
    contract::{Operation, OperationFilter, OperationKind, OperationStatus, schema, word},
    failure::Result,
    instances,
    output::{Format, OutputOptions, Table, ago, printable, span},
};

#[derive(Args, Debug)]
pub struct List {
    /// Only those of the instance of this name or id.
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Only those of one of these kinds.
    #[arg(long, value_delimiter = ',')]
    kind: Vec<OperationKind>,
    /// Only those in one of these states.
    #[arg(long, value_delimiter = ',')]
    status: Vec<OperationStatus>,
    /// So many at the most, up to 200.
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(i32).range(1..=200))]
    limit: i32,
    #[command(flatten)]
    output: OutputOptions,
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
    operations: OperationConnection,
}

#[derive(cynic::QueryFragment)]
struct OperationConnection {
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
        let ListOperations { operations: OperationConnection { nodes, total_count } } =
            client.run(ListOperations::build(Variables { first: self.limit, filter })).await?;
        if nodes.is_empty() && self.output.output == Format::Table {
            eprintln!("There are no such operations.");
            return Ok(());
        }
        let shown = nodes.len();
        self.output.output.print(&nodes, |nodes| table(nodes).render())?;
        if i32::try_from(shown).is_ok_and(|shown| shown < total_count) {
            eprintln!("({shown} of {total_count}; --limit shows more)");
        }
        Ok(())
    }
}

fn table(operations: &[Operation]) -> Table {
    let mut table = Table::new(&["OPERATION", "INSTANCE", "STATUS", "AGE", "TOOK", "ERROR"]);
    for operation in operations {
        let took = operation.finished_at.map(|end| span(end - operation.created_at)).unwrap_or_default();
        let error = operation.error.as_ref().map(|reason| printable(&reason.message)).unwrap_or_default();
        table.row([
            operation.id.inner().to_owned(),
            operation.instance.name.clone(),
            word(&operation.status),
            ago(operation.created_at),
            took,
            error,
        ]);
    }
    table
}
