//! `toygres instances queries`

use chrono::{DateTime, Utc};
use clap::Args;
use cynic::QueryBuilder as _;
use serde::Serialize;

use super::{
    activity::{one_line, unavailable},
    find_id, not_found,
};
use crate::{
    client::Client,
    contract::{BigInt, Reason, TopQueryOrder, schema},
    failure::Result,
    output::{OutputOptions, Table, age},
};

/// Show the statements that have cost an instance most since its statistics were reset.
#[derive(Args, Debug)]
pub struct Queries {
    /// Name or id of the instance.
    name: String,
    /// What comes first.
    #[arg(long, value_name = "ORDER", default_value = "total-time")]
    order_by: TopQueryOrder,
    /// Statements to show at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: i32,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    order_by: TopQueryOrder,
    first: i32,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct QueriesQuery {
    #[arguments(id: $id)]
    instance: Option<Instance>,
}

#[derive(cynic::QueryFragment)]
#[cynic(variables = "Variables")]
struct Instance {
    #[arguments(orderBy: $order_by, first: $first)]
    top_queries: TopQueries,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct TopQueries {
    since: Option<DateTime<Utc>>,
    evictions: Option<BigInt>,
    queries: Vec<TopQuery>,
    #[serde(skip)]
    reason: Option<Reason>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct TopQuery {
    query_id: BigInt,
    text: String,
    username: Option<String>,
    database: Option<String>,
    calls: BigInt,
    total_time_ms: f64,
    mean_time_ms: f64,
    rows: BigInt,
    io_bytes: BigInt,
    time_share: f64,
}

impl Queries {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let variables = Variables { id: find_id(client, &self.name).await?, order_by: self.order_by, first: self.limit };
        let QueriesQuery { instance } = client.run(QueriesQuery::build(variables)).await?;
        let Instance { top_queries } = instance.ok_or_else(|| not_found(&self.name))?;
        if let Some(reason) = &top_queries.reason {
            return Err(unavailable(&self.name, reason));
        }
        self.output.output.print(&top_queries, page)
    }
}

fn page(TopQueries { since, evictions, queries, .. }: &TopQueries) -> String {
    let mut table = Table::with_header(["SHARE", "TOTAL", "MEAN", "CALLS", "ROWS", "IO", "USER", "DATABASE", "STATEMENT"]);
    for query in queries {
        table.row([
            format!("{:.1}%", query.time_share * 100.0),
            time(query.total_time_ms),
            time(query.mean_time_ms),
            query.calls.0.clone(),
            query.rows.0.clone(),
            format!("{:.1} MiB", query.io_bytes.0.parse::<f64>().unwrap_or(f64::NAN) / f64::from(1 << 20)),
            query.username.clone().unwrap_or_default(),
            query.database.clone().unwrap_or_default(),
            one_line(&query.text),
        ]);
    }
    let reset = since.map_or_else(String::new, |since| format!("Since {} ({} ago)", since.format("%Y-%m-%dT%H:%M:%SZ"), age(since)));
    let dropped = evictions.as_ref().filter(|times| times.0 != "0");
    let dropped = dropped.map_or_else(String::new, |times| format!("; statements that were executed least were dropped {} times", times.0));
    format!("{reset}{dropped}\n{table}")
}

/// Milliseconds in a unit that is easy to read.
fn time(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 10.0 => format!("{ms:.2}ms"),
        ms if ms < 1_000.0 => format!("{ms:.0}ms"),
        ms if ms < 600_000.0 => format!("{:.1}s", ms / 1_000.0),
        ms => format!("{:.0}m", ms / 60_000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_easy_to_read() {
        assert_eq!([0.0123, 12.34, 1234.5, 720_000.0].map(time), ["0.01ms", "12ms", "1.2s", "12m"]);
    }
}
