//! `toygres users list`

use chrono::{DateTime, Utc};
use clap::Args;
use cynic::QueryBuilder as _;
use serde::Serialize;

use crate::{
    client::Client,
    contract::{DatabaseAccess, PageInfo, lower_case, schema},
    failure::Result,
    instances::find_id,
    output::{OutputOptions, Table, age},
};

/// List the users of an instance that were made by it or by this command.
#[derive(Args, Debug)]
pub struct List {
    /// Name or id of the instance.
    #[arg(value_name = "INSTANCE")]
    instance_id: String,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct Query {
    #[arguments(id: $id)]
    instance: Option<Instance>,
}

#[derive(cynic::QueryFragment)]
#[cynic(variables = "Variables")]
struct Instance {
    #[arguments(first: 500, after: $after)]
    database_users: DatabaseUserConnection,
}

#[derive(cynic::QueryFragment)]
struct DatabaseUserConnection {
    nodes: Vec<DatabaseUser>,
    page_info: PageInfo,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct DatabaseUser {
    id: cynic::Id,
    name: String,
    access: DatabaseAccess,
    database: Option<String>,
    created_at: DateTime<Utc>,
}

impl List {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let id = find_id(client, &self.instance_id).await?;
        let (mut all, mut after) = (Vec::new(), None);
        while let Query { instance: Some(Instance { database_users }) } = client.run(Query::build(Variables { id: id.clone(), after })).await? {
            all.extend(database_users.nodes);
            if !database_users.page_info.has_next_page {
                break;
            }
            after = database_users.page_info.end_cursor;
        }
        self.output.output.print(&all, |all| table(all).to_string())
    }
}

fn table(all: &[DatabaseUser]) -> Table {
    let mut table = Table::with_header(["NAME", "ACCESS", "DATABASE", "AGE"]);
    for entry in all {
        table.row([entry.name.clone(), lower_case(&entry.access), entry.database.clone().unwrap_or_else(|| "-".to_owned()), age(entry.created_at)]);
    }
    table
}
