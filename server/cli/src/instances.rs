//! `toygres instances`

use clap::Subcommand;

use super::{
    client::Client,
    contract::{Instance, word},
    failure::{Failure, Kind, Result},
    output::{Table, ago, printable},
};

mod connect;
mod create;
mod delete;
mod filter;
mod get;
mod list;
mod resolve;
mod update;
mod watch;

pub(super) use resolve::{find, find_id};

/// What can be done with instances.
#[derive(Debug, Subcommand)]
pub enum InstancesCommand {
    /// Create an instance.
    Create(create::Create),
    /// List instances.
    #[command(visible_alias = "ls")]
    List(list::List),
    /// Show an instance: how it is and why, and how its last operation went.
    Get(get::Get),
    /// Show instances live: a table in a terminal, a JSON object per line in a pipe.
    Watch(watch::Watch),
    /// Change labels or deletion protection.
    Update(update::Update),
    /// Delete instances and their data.
    #[command(visible_alias = "rm")]
    Delete(delete::Delete),
    /// Open psql on an instance. Its password is not shown, nor in the arguments of any process.
    Connect(connect::Connect),
}

pub(super) async fn run(command: InstancesCommand, client: &Client) -> Result<()> {
    match command {
        InstancesCommand::Create(create) => create.run(client).await,
        InstancesCommand::List(list) => list.run(client).await,
        InstancesCommand::Get(get) => get.run(client).await,
        InstancesCommand::Watch(watch) => watch.run(client).await,
        InstancesCommand::Update(update) => update.run(client).await,
        InstancesCommand::Delete(delete) => delete.run(client).await,
        InstancesCommand::Connect(connect) => connect.run(client).await,
    }
}

/// The table of instances.
fn table<'a>(instances: impl IntoIterator<Item = &'a Instance>) -> Table {
    let mut table = Table::new(&["NAME", "STATE", "HEALTH", "VERSION", "STORAGE", "ENDPOINT", "AGE", "REASON"]);
    for instance in instances {
        let endpoint = instance.endpoint.as_ref().map_or_else(|| "-".to_owned(), |endpoint| format!("{}:{}", endpoint.host, endpoint.port));
        let reason = instance.reason.as_ref().map(|reason| printable(&reason.message)).unwrap_or_default();
        table.row([
            instance.name.clone(),
            word(&instance.state),
            word(&instance.health),
            instance.postgres_version.clone(),
            format!("{} GiB", instance.storage_gb),
            endpoint,
            ago(instance.created_at),
            reason,
        ]);
    }
    table
}

fn missing(name: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("there is no instance {name}; `toygres instances list` shows those there are"))
}
