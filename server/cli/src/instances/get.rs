//! `toygres instances get`

use clap::Args;
use cynic::QueryBuilder as _;
use serde::Serialize;

use super::{connect::connection_string, find};
use crate::{
    client::Client,
    contract::{
        AvailableUpdate, BigInt, Instance, MaintenanceWindow, OperationConnection, OperationKind, StorageAutoGrow, StorageUsage, lower_case, schema,
    },
    failure::Result,
    output::{OutputOptions, Table, age, print},
    progress::describe,
};

/// Show an instance: its state and health with the reason, and its last operation.
#[derive(Args, Debug)]
pub struct Get {
    /// Name or id of the instance.
    name: String,
    /// Print only the connection string, with the password unless it was changed by SQL.
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

#[derive(cynic::QueryFragment, Serialize)]
#[cynic(graphql_type = "Instance")]
#[serde(rename_all = "camelCase")]
struct Details {
    #[cynic(spread)]
    #[serde(flatten)]
    instance: Instance,
    available_operations: Vec<OperationKind>,
    upgrade_targets: Vec<UpgradeTarget>,
    // The rest is for people. Scripts query what they need of it.
    #[serde(skip)]
    latest_health_check: Option<HealthCheck>,
    #[serde(skip)]
    health_summary: HealthSummary,
    #[serde(skip)]
    #[arguments(first: 1)]
    operations: OperationConnection,
}

/// A newer version of PostgreSQL.
#[derive(cynic::QueryFragment, Serialize)]
#[serde(rename_all = "camelCase")]
struct UpgradeTarget {
    version: String,
    obstacle: Option<String>,
}

#[derive(cynic::QueryFragment)]
struct HealthCheck {
    at: chrono::DateTime<chrono::Utc>,
    latency_ms: Option<f64>,
    logged_in: Option<bool>,
}

#[derive(cynic::QueryFragment)]
struct HealthSummary {
    checks: i32,
    uptime: Option<f64>,
}

impl Get {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        if self.connection_string {
            return print(&(connection_string(client, &self.name).await? + "\n"));
        }
        let id = find(client, &self.name).await?.id;
        let DetailsQuery { instance } = client.run(DetailsQuery::build(Variables { id })).await?;
        self.output.output.print(&instance.ok_or_else(|| super::not_found(&self.name))?, page)
    }
}

/// The instance for people.
fn page(details: &Details) -> String {
    let Details { instance, available_operations, upgrade_targets, latest_health_check, health_summary, operations } = details;
    let mut table = Table::new();
    let mut line = |name: &str, value: String| table.row([name.to_owned(), value]);
    line("Name", instance.name.clone());
    line("ID", instance.id.inner().to_owned());
    line("State", lower_case(&instance.state) + if instance.deletion_protected { " (deletion protection is on)" } else { "" });
    let check = latest_health_check.as_ref().map(|check| match check.latency_ms {
        Some(latency) => {
            let login = if check.logged_in == Some(true) { " with login" } else { "" };
            format!(" (checked {} ago, {latency:.1}ms{login})", age(check.at))
        }
        None => format!(" (checked {} ago)", age(check.at)),
    });
    line("Health", lower_case(&instance.health) + &check.unwrap_or_default());
    if let HealthSummary { checks, uptime: Some(uptime) } = health_summary {
        line("Availability (24h)", format!("{:.2}% ({checks} checks)", uptime * 100.0));
    }
    if let Some(reason) = &instance.reason {
        line("Reason", format!("{}: {}", lower_case(&reason.code), reason.text()));
    }
    for notice in &instance.notices {
        line("Notice", format!("{}: {} ({} ago)", lower_case(&notice.code), notice.text(), age(notice.since)));
    }
    let possible: Vec<_> = upgrade_targets.iter().filter(|target| target.obstacle.is_none()).map(|target| target.version.as_str()).collect();
    let note = if possible.is_empty() { String::new() } else { format!(" (can be upgraded to {})", possible.join(", ")) };
    line("PostgreSQL", instance.postgres_version.clone() + &note);
    if let Some(AvailableUpdate { from, to }) = &instance.update_available {
        line("Update", format!("{from} runs, and {to} is available"));
    }
    line("Size", format!("{} GiB, {} vCPU, {} MiB memory", instance.storage_gb, f64::from(instance.cpu_millis) / 1000.0, instance.memory_mb));
    if let Some(usage) = &instance.storage_usage {
        line("Storage used", used(usage));
    }
    if let Some(StorageAutoGrow { threshold_percent, max_gb }) = &instance.storage_auto_grow {
        line("Storage grows", format!("at {threshold_percent}%, to {max_gb} GiB at the most"));
    }
    if let Some(MaintenanceWindow { weekday, start_time, duration_minutes }) = &instance.maintenance_window {
        line("Updated", format!("on {} from {start_time} UTC on, for {duration_minutes} minutes", lower_case(weekday)));
    }
    if let Some(minutes) = instance.idle_suspend_minutes {
        line("When idle", format!("suspended after {minutes} minutes"));
    }
    if let Some(endpoint) = &instance.endpoint {
        line("Endpoint", format!("{}:{}", endpoint.host, endpoint.port));
    }
    line("Username", instance.username.clone());
    line("Database", instance.database.clone());
    if !instance.labels.is_empty() {
        let labels: Vec<_> = instance.labels.iter().map(|label| format!("{}={}", label.key, label.value)).collect();
        line("Labels", labels.join(" "));
    }
    line("Revision", instance.revision.0.clone());
    line("Age", age(instance.created_at));
    if !available_operations.is_empty() {
        let kinds: Vec<_> = available_operations.iter().map(lower_case).collect();
        line("Available", kinds.join(", "));
    }
    let mut text = table.to_string();
    if let Some(operation) = operations.nodes.first() {
        text += &format!("\nLast operation: {}", describe(operation, None));
    }
    text
}

/// What an instance uses of its volume, for people.
fn used(usage: &StorageUsage) -> String {
    let StorageUsage { used_bytes, capacity_bytes, used_percent, read_only, measured_at, available_bytes: _ } = usage;
    let gib = |bytes: &BigInt| bytes.0.parse::<f64>().unwrap_or(f64::NAN) / f64::from(1 << 30);
    let note = if *read_only { ", takes no writes" } else { "" };
    format!("{used_percent}% ({:.2} of {:.2} GiB{note}; measured {} ago)", gib(used_bytes), gib(capacity_bytes), age(*measured_at))
}
