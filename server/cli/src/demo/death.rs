//! What happens when the server of an instance dies: on this machine it is killed, elsewhere it is restarted.

use std::{fs, process::Stdio, time::Instant};

use tokio::process::Command;

use cynic::QueryBuilder as _;

use super::{print_line, requests};
use crate::{
    client::Client,
    contract::{HealthStatus, Instance, InstanceEventType, Reason, schema},
    failure::Result,
    follow::{Silent, check_outcome, follow, poll},
    instances,
    mutation::Accepted,
    output::printable,
};

/// The process that a server has for as long as it runs. Its parent is the server itself.
const CHECKPOINTER: &str = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    last: Option<i32>,
    first: Option<i32>,
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct EventsQuery {
    #[arguments(id: $id)]
    instance: Option<WithEvents>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance", variables = "Variables")]
struct WithEvents {
    #[arguments(first: $first, after: $after, last: $last)]
    events: InstanceEventConnection,
}

#[derive(cynic::QueryFragment)]
struct InstanceEventConnection {
    nodes: Vec<InstanceEvent>,
}

#[derive(cynic::QueryFragment)]
struct InstanceEvent {
    cursor: String,
    #[cynic(rename = "type")]
    event_type: InstanceEventType,
    to: Option<String>,
    reason: Option<Reason>,
}

/// Kills or restarts the server of an instance, as step `number` of the demo, and waits until it is healthy again.
pub(super) async fn demonstrate(client: &Client, runtime: &str, name: &str, number: u32) -> Result<()> {
    let instance = instances::until(client, name, |instance| instance.health == HealthStatus::Healthy).await?;
    let local = runtime == "process" && client.is_on_this_machine();
    let server = if local { find_server(client, &instance).await } else { None };
    let newest = events(client, &instance, Variables { id: instance.id.clone(), last: Some(1), first: None, after: None }).await?;
    let after = newest.into_iter().next().map(|event| event.cursor);
    let began = Instant::now();
    match server {
        Some(pid) if kill(pid).await => {
            print_line(&format!("{number}. Kill the server of {name} (process {pid}, SIGKILL)."))?;
            // The log has what happened, however short it was.
            let reason = poll(async || {
                let variables = Variables { id: instance.id.clone(), last: None, first: Some(100), after: after.clone() };
                let unhealthy = events(client, &instance, variables).await?.into_iter().find(is_unhealthy);
                Ok(unhealthy.map(|event| event.reason))
            })
            .await?;
            let reason = reason.map(|reason| format!(": {}", printable(&reason.text()))).unwrap_or_default();
            print_line(&format!("   {name}: unhealthy after {:.1}s{reason}.", began.elapsed().as_secs_f64()))?;
        }
        _ => {
            print_line(&format!(
                "{number}. Restart {name}: its server is not on this machine, or belongs to another user, so that it cannot be killed."
            ))?;
            let Accepted { operation, .. } = requests::restart(client, instance.id.clone()).await?;
            check_outcome(&follow(client, &operation.id, None, &mut Silent).await?)?;
        }
    }
    instances::until(client, name, |now| now.health == HealthStatus::Healthy).await?;
    print_line(&format!("   {name}: healthy again after {:.1}s.", began.elapsed().as_secs_f64()))
}

async fn events(client: &Client, instance: &Instance, variables: Variables) -> Result<Vec<InstanceEvent>> {
    let EventsQuery { instance: found } = client.run(EventsQuery::build(variables)).await?;
    found.map(|found| found.events.nodes).ok_or_else(|| instances::not_found(&instance.name))
}

fn is_unhealthy(event: &InstanceEvent) -> bool {
    event.event_type == InstanceEventType::HealthChanged && event.to.as_deref() == Some("UNHEALTHY")
}

/// The process of the instance's server, if it is one of this machine.
async fn find_server(client: &Client, instance: &Instance) -> Option<u32> {
    let mut psql = Command::from(instances::psql(client, &instance.name).await.ok()?);
    psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", CHECKPOINTER]);
    let checkpointer = output(&mut psql).await?.trim().parse().ok()?;
    let server = parent(checkpointer).await?;
    // The server may be in another PID namespace, where its numbers mean other processes.
    let arguments = arguments(server).await?;
    (arguments.contains("postgres") && arguments.contains(instance.id.inner())).then_some(server)
}

async fn kill(pid: u32) -> bool {
    // A builtin of the shell: the program is not everywhere.
    output(Command::new("sh").args(["-c", "kill -KILL \"$1\"", "sh", &pid.to_string()])).await.is_some()
}

async fn parent(pid: u32) -> Option<u32> {
    let parent = match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => status.lines().find_map(|line| line.strip_prefix("PPid:").map(str::to_owned))?,
        // macOS.
        Err(_) => output(Command::new("ps").args(["-o", "ppid=", "-p", &pid.to_string()])).await?,
    };
    parent.trim().parse().ok()
}

async fn arguments(pid: u32) -> Option<String> {
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).replace('\0', " ")),
        Err(_) => output(Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()])).await,
    }
}

/// What a program prints, if it succeeds.
async fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
