//! `toygres instances list`

use clap::Args;
use cynic::QueryBuilder as _;

use super::{filter::FilterOptions, table};
use crate::{
    client::Client,
    contract::{Instance, InstanceFilter, PageInfo, schema},
    failure::Result,
    output::{Format, OutputOptions},
};

/// A page that keeps within the server's limit of complexity.
const PAGE: i32 = 200;

#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    filter: FilterOptions,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    first: i32,
    after: Option<String>,
    filter: InstanceFilter,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct ListInstances {
    #[arguments(first: $first, after: $after, filter: $filter)]
    instances: InstanceConnection,
}

#[derive(cynic::QueryFragment)]
struct InstanceConnection {
    nodes: Vec<Instance>,
    page_info: PageInfo,
}

impl List {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let variables = Variables { first: PAGE, after, filter: self.filter.filter() };
            let ListInstances { instances: InstanceConnection { nodes, page_info } } = client.run(ListInstances::build(variables)).await?;
            all.extend(nodes);
            if !page_info.has_next_page {
                break;
            }
            after = page_info.end_cursor;
        }
        if all.is_empty() && self.output.output == Format::Table {
            eprintln!("There are no such instances; `toygres instances create NAME` makes one.");
            return Ok(());
        }
        self.output.output.print(&all, |all| table(all).render())
    }
}
