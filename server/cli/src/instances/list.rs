//! `toygres instances list`

use clap::Args;
use cynic::QueryBuilder as _;

use super::{
    filter::{FilterOptions, InstanceFilter},
    table,
};
use crate::{
    client::Client,
    contract::{Instance, LabelInput, PageInfo, schema},
    failure::Result,
    output::{Format, OutputOptions, report},
};

/// A page of this size is within the server's default limit of complexity.
const PAGE_SIZE: i32 = 200;

/// List instances.
#[derive(Args, Debug)]
#[command(visible_alias = "ls")]
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
        let all = all(client, self.filter.filter()).await?;
        if all.is_empty() && self.output.output == Format::Table {
            report(if self.filter.is_empty() { "No instances found; `toygres instances create NAME` creates one." } else { "No instance matches." });
            return Ok(());
        }
        self.output.output.print(&all, |all| table(all).to_string())
    }
}

/// The instances with a label.
pub(crate) async fn all_with_label(client: &Client, label: LabelInput) -> Result<Vec<Instance>> {
    all(client, InstanceFilter::of_label(label)).await
}

async fn all(client: &Client, filter: InstanceFilter) -> Result<Vec<Instance>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let variables = Variables { first: PAGE_SIZE, after, filter: filter.clone() };
        let ListInstances { instances: InstanceConnection { nodes, page_info } } = client.run(ListInstances::build(variables)).await?;
        all.extend(nodes);
        if !page_info.has_next_page {
            return Ok(all);
        }
        after = page_info.end_cursor;
    }
}
