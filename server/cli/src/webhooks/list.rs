//! `toygres webhooks list`

use clap::Args;
use cynic::QueryBuilder as _;

use super::{Webhook, table};
use crate::{
    client::Client,
    contract::{PageInfo, schema},
    failure::Result,
    output::OutputOptions,
};

/// List the webhooks, the newest first.
#[derive(Args, Debug)]
#[command(visible_alias = "ls")]
pub struct List {
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct Query {
    #[arguments(first: 500, after: $after)]
    webhooks: WebhookConnection,
}

#[derive(cynic::QueryFragment)]
struct WebhookConnection {
    nodes: Vec<Webhook>,
    page_info: PageInfo,
}

impl List {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let Query { webhooks: WebhookConnection { nodes, page_info } } = client.run(Query::build(Variables { after })).await?;
            all.extend(nodes);
            if !page_info.has_next_page {
                break;
            }
            after = page_info.end_cursor;
        }
        self.output.output.print(&all, |webhooks| table(webhooks).to_string())
    }
}
