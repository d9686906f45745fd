//! `toygres instances get`

use clap::Args;
use cynic::QueryBuilder as _;

use super::{connect::connection_string, find};
use crate::{
    client::Client,
    contract::{Instance, Operation, schema, word},
    failure::Result,
    follow::describe,
    output::{Format, OutputOptions, ago, print, printable},
};

#[derive(Args, Debug)]
pub struct Get {
    /// Its name or id.
    name: String,
    /// Print its connection string, with the password in it, and nothing else.
    #[arg(long, conflicts_with = "output")]
    connection_string: bool,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct DetailsQuery {
    #[arguments(id: $id)]
    instance: Option<Details>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct Details {
    latest_health_check: Option<HealthCheck>,
    health_summary: HealthSummary,
    #[arguments(first: 1)]
    operations: OperationConnection,
}

#[derive(cynic::QueryFragment)]
struct HealthCheck {
    at: chrono::DateTime<chrono::Utc>,
    latency_ms: Option<f64>,
}

#[derive(cynic::QueryFragment)]
struct HealthSummary {
    checks: i32,
    uptime: Option<f64>,
}

#[derive(cynic::QueryFragment)]
struct OperationConnection {
    nodes: Vec<Operation>,
}

impl Get {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        if self.connection_string {
            return print(&(connection_string(client, &self.name).await? + "\n"));
        }
        let instance = find(client, &self.name).await?;
        if self.output.output != Format::Table {
            return self.output.output.print(&instance, |_| String::new());
        }
        let DetailsQuery { instance: details } = client.run(DetailsQuery::build(Variables { id: instance.id.clone() })).await?;
        print(&page(&instance, details))
    }
}

/// What people see.
fn page(instance: &Instance, details: Option<Details>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| text += &format!("{name:<10} {}\n", printable(&value));
    line("Name", instance.name.clone());
    line("Id", instance.id.inner().to_owned());
    line("State", word(&instance.state) + if instance.deletion_protected { " (protected against deletion)" } else { "" });
    let details = details.as_ref();
    let check = details.and_then(|details| details.latest_health_check.as_ref());
    let check = check.map(|check| match check.latency_ms {
        Some(latency) => format!(" (checked {} ago, {latency:.1} ms)", ago(check.at)),
        None => format!(" (checked {} ago)", ago(check.at)),
    });
    line("Health", word(&instance.health) + &check.unwrap_or_default());
    if let Some(HealthSummary { checks, uptime: Some(uptime) }) = details.map(|details| &details.health_summary) {
        line("Last 24 h", format!("{:.2} % of {checks} checks succeeded", uptime * 100.0));
    }
    if let Some(reason) = &instance.reason {
        line("Reason", format!("{}: {}", word(&reason.code), reason.message));
    }
    line("PostgreSQL", instance.postgres_version.clone());
    line("Size", format!("{} GiB, {} m of a core, {} MiB", instance.storage_gb, instance.cpu_millis, instance.memory_mb));
    if let Some(endpoint) = &instance.endpoint {
        line("Endpoint", format!("{}:{}", endpoint.host, endpoint.port));
    }
    line("Login", format!("{} on {}", instance.username, instance.database));
    if !instance.labels.is_empty() {
        let labels: Vec<_> = instance.labels.iter().map(|label| format!("{}={}", label.key, label.value)).collect();
        line("Labels", labels.join(" "));
    }
    line("Revision", instance.revision.0.clone());
    line("Age", ago(instance.created_at));
    if let Some(operation) = details.and_then(|details| details.operations.nodes.first()) {
        text += &format!("\nLast operation: {}", describe(operation));
    }
    text
}
