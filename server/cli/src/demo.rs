//! `toygres demo`: what a newcomer would try, in half a minute, over the public contract and SQL alone.

use std::time::Instant;

use clap::Args;
use cynic::QueryBuilder as _;

use crate::{
    client::Client,
    context::ServerOptions,
    contract::{Instance, InstanceState, LabelInput, Operation, lower_case, schema},
    failure::{Failure, Kind, Result},
    follow::{Silent, check_outcome, follow},
    instances,
    mutation::Accepted,
    output::{print, printable},
};

mod death;
mod load;
mod requests;

use load::Load;

/// The instances of the demo. The first one is cloned, the second one dies.
const NAMES: [&str; 3] = ["demo-shop", "demo-blog", "demo-metrics"];
const COPY: &str = "demo-shop-copy";
const LABEL: (&str, &str) = ("demo", "true");

/// The arguments of `toygres demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Delete the instances of the demo and their backups, also those of one that was interrupted.
    #[arg(long)]
    clean: bool,
    /// The server.
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query")]
struct Overview {
    control_plane: ControlPlane,
}

#[derive(cynic::QueryFragment)]
struct ControlPlane {
    runtime: String,
}

pub(crate) async fn run(command: &Demo, client: &Client) -> Result<()> {
    let Overview { control_plane: ControlPlane { runtime } } = client.run(Overview::build(())).await?;
    if command.clean { clean(client).await } else { perform(client, &runtime).await }
}

async fn perform(client: &Client, runtime: &str) -> Result<()> {
    let began = Instant::now();
    print_line(&format!("Watch it live: {}", client.page()))?;
    print_line(&format!("1. Create {}, with the label demo=true.", NAMES.join(", ")))?;
    let mut creating = Vec::new();
    for name in NAMES {
        creating.push((name, prepare(client, name, requests::create(client, name, label())).await?));
    }
    for (name, accepted) in creating {
        finish(client, name, accepted).await?;
    }

    let mut loads = Vec::new();
    for name in NAMES {
        match Load::start(instances::psql(client, name).await).await {
            Ok(load) => loads.push(load),
            Err(reason) => {
                print_line(&format!("2. There is no load on {name}: {}", printable(&reason)))?;
                break;
            }
        }
    }
    if !loads.is_empty() {
        print_line(&format!("2. Load: {} rows in each, then some transactions a second for {} seconds.", load::ROWS, load::SECONDS))?;
    }

    print_line(&format!("3. Clone {} into {COPY}, with its data as it is now.", NAMES[0]))?;
    let source = instances::find_id(client, NAMES[0]).await?;
    let cloning = prepare(client, COPY, requests::clone(client, source, COPY, label())).await?;
    finish(client, COPY, cloning).await?;

    death::demonstrate(client, runtime, NAMES[1], 4).await?;

    for load in loads {
        load.finish().await;
    }
    print(&format!("\n{}\n", instances::table(&all(client).await?)))?;
    print(&look_at(client, began))
}

/// What a newcomer should see next.
fn look_at(client: &Client, began: Instant) -> String {
    format!(
        "That was {} seconds. Look at\n\
         - {}: the list, and {} with what happened to it\n\
         - toygres instances watch --label demo=true: the same in this terminal\n\
         - toygres operations list --instance {}: what was done, step by step\n\
         - toygres instances connect {} -- -c 'SELECT count(*) FROM purchase'\n\
         `toygres demo --clean` removes it all.\n",
        began.elapsed().as_secs(),
        client.page(),
        NAMES[1],
        NAMES[0],
        NAMES[0],
    )
}

/// Sends a request for a new instance, unless that is there already.
async fn prepare(client: &Client, name: &str, request: impl Future<Output = Result<Accepted>>) -> Result<Option<Operation>> {
    match instances::find(client, name).await {
        Ok(instance) if !is_of_demo(&instance) => Err(Failure::new(
            Kind::Conflict,
            format!(
                "there is an instance {name} that is not of the demo (it has no label demo=true): delete or keep it, and use another server for the demo"
            ),
        )),
        Ok(Instance { state: InstanceState::Creating | InstanceState::Running, .. }) => Ok(None),
        Ok(instance) => Err(Failure::new(
            Kind::Conflict,
            format!("{name} of an earlier demo is {}: `toygres demo --clean` removes it, then start again", lower_case(&instance.state)),
        )),
        Err(failure) if failure.kind() == Kind::NotFound => Ok(Some(request.await?.operation)),
        Err(failure) => Err(failure),
    }
}

/// Waits until an instance runs.
async fn finish(client: &Client, name: &str, operation: Option<Operation>) -> Result<()> {
    let Some(operation) = operation else {
        instances::until(client, name, |instance| instance.state != InstanceState::Creating).await?;
        return print_line(&format!("   {name} is there already."));
    };
    let operation = follow(client, &operation.id, None, &mut Silent).await?;
    check_outcome(&operation)?;
    let Instance { endpoint, postgres_version, .. } = instances::find(client, name).await?;
    let place = endpoint.map(|endpoint| format!(" at {}:{}", endpoint.host, endpoint.port)).unwrap_or_default();
    let seconds = (operation.finished_at.unwrap_or(operation.created_at) - operation.created_at).as_seconds_f64();
    print_line(&format!("   {name}: PostgreSQL {postgres_version} runs{place} after {seconds:.1}s."))
}

async fn clean(client: &Client) -> Result<()> {
    let instances: Vec<_> = all(client).await?;
    let mut deleting = Vec::new();
    for Instance { id, name, state, .. } in instances {
        if state != InstanceState::Deleting {
            requests::delete(client, id.clone()).await?;
        }
        deleting.push((id, name));
    }
    if deleting.is_empty() {
        return print_line("There is nothing of the demo on this server.");
    }
    for (id, name) in deleting {
        instances::until(client, id.inner(), |instance| instance.state == InstanceState::Deleted).await?;
        print_line(&format!("{name} is deleted."))?;
    }
    Ok(())
}

async fn all(client: &Client) -> Result<Vec<Instance>> {
    let labelled = instances::all_with_label(client, label()).await?;
    Ok(labelled.into_iter().filter(|instance| instance.name.starts_with("demo-")).collect())
}

fn is_of_demo(instance: &Instance) -> bool {
    instance.labels.iter().any(|label| (label.key.as_str(), label.value.as_str()) == LABEL)
}

fn label() -> LabelInput {
    LabelInput { key: LABEL.0.to_owned(), value: LABEL.1.to_owned() }
}

fn print_line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}
