//! `toygres instances watch`

use std::{collections::BTreeMap, io};

use chrono::{DateTime, Utc};
use clap::Args;
use cynic::SubscriptionBuilder as _;
use serde::Serialize;

use super::{
    filter::{FilterOptions, InstanceFilter},
    find_id, table,
};
use crate::{
    client::Client,
    contract::{Instance, InstanceChangeType, InstanceState, schema},
    failure::{Failure, Kind, Result},
    follow::{TimeoutOption, expired},
    output::{Display, connection_notice, print_line, stdout_is_terminal},
    subscription::{Event, Subscription},
};

/// Show instances live: a table in a terminal, a JSON object per line in a pipe.
#[derive(Args, Debug)]
pub struct Watch {
    /// Name or id of one instance; the command ends when that is deleted.
    #[arg(conflicts_with_all = ["FilterOptions", "after"])]
    name: Option<String>,
    #[command(flatten)]
    filter: FilterOptions,
    /// Resume after this cursor, which an earlier run printed. Only for pipes.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    #[command(flatten)]
    timeout: TimeoutOption,
}

#[derive(cynic::QueryVariables)]
struct ListVariables {
    filter: InstanceFilter,
    after: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "ListVariables")]
struct InstancesSubscription {
    #[arguments(filter: $filter, after: $after)]
    instances: InstanceChange,
}

#[derive(cynic::QueryFragment, Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceChange {
    #[cynic(rename = "type")]
    #[serde(rename = "type")]
    change_type: InstanceChangeType,
    instance: Option<Instance>,
    instance_id: Option<cynic::Id>,
    cursor: String,
}

#[derive(cynic::QueryVariables)]
struct InstanceVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Subscription", variables = "InstanceVariables")]
struct InstanceSubscription {
    #[arguments(id: $id)]
    instance: Instance,
}

impl Watch {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let watching = async {
            match &self.name {
                Some(name) => watch_one(client, find_id(client, name).await?).await,
                None => self.watch_all(client).await,
            }
        };
        tokio::select! {
            result = watching => result,
            () = expired(self.timeout.timeout) => Err(Failure::new(Kind::TimedOut, "the timeout expired")),
        }
    }

    async fn watch_all(&self, client: &Client) -> Result<()> {
        let mut view = View::new();
        let mut subscription = view.subscription(client);
        let mut after = self.after.clone();
        // A snapshot has no cursor to resume from: when the connection is lost in it, the stream starts over.
        let mut in_snapshot = false;
        loop {
            let request = InstancesSubscription::build(ListVariables { filter: self.filter.filter(), after: after.clone() });
            match subscription.next_with_ticks(&request, |disconnected| view.draw(disconnected)).await? {
                Event::Item(InstancesSubscription { instances: change }) => {
                    in_snapshot = change.change_type == InstanceChangeType::Snapshot;
                    if !in_snapshot {
                        after = Some(change.cursor.clone());
                    }
                    view.apply(change)?;
                }
                Event::Reconnected if !in_snapshot => {}
                Event::Reconnected => view.reset()?,
                Event::MustRefetch => {
                    after = None;
                    view.reset()?;
                }
                Event::Complete => return Ok(()),
            }
        }
    }
}

async fn watch_one(client: &Client, id: cynic::Id) -> Result<()> {
    let mut view = View::new();
    let mut subscription = view.subscription(client);
    let request = InstanceSubscription::build(InstanceVariables { id });
    loop {
        match subscription.next_with_ticks(&request, |disconnected| view.draw(disconnected)).await? {
            Event::Item(InstanceSubscription { instance }) => view.show(instance)?,
            Event::Reconnected | Event::MustRefetch => {}
            Event::Complete => return Ok(()),
        }
    }
}

/// Where changes are shown.
enum View {
    /// In a terminal: the present list.
    Table(TableView),
    /// In a pipe: every change.
    Lines,
}

struct TableView {
    display: Display<io::Stdout>,
    /// In the order of creation.
    instances: BTreeMap<(DateTime<Utc>, String), Instance>,
    /// Whether the snapshot is complete. It is not shown before.
    complete: bool,
}

impl View {
    fn new() -> Self {
        match stdout_is_terminal() {
            true => Self::Table(TableView { display: Display::new(io::stdout()), instances: BTreeMap::new(), complete: false }),
            false => Self::Lines,
        }
    }

    /// A subscription for this view. The table shows a lost connection itself.
    fn subscription<'a>(&self, client: &'a Client) -> Subscription<'a> {
        match self {
            Self::Table(_) => Subscription::quiet(client),
            Self::Lines => Subscription::new(client),
        }
    }

    /// Shows one instance.
    fn show(&mut self, instance: Instance) -> Result<()> {
        match self {
            Self::Table(table) => {
                table.complete = true;
                table.insert(instance);
                table.draw(false)
            }
            Self::Lines => print_line(&instance),
        }
    }

    /// Shows a change of the list.
    fn apply(&mut self, change: InstanceChange) -> Result<()> {
        match self {
            Self::Table(table) => {
                table.apply(change);
                table.draw(false)
            }
            Self::Lines => print_line(&change),
        }
    }

    /// Discards what was received: a new snapshot follows.
    fn reset(&mut self) -> Result<()> {
        match self {
            Self::Table(table) => {
                table.instances.clear();
                table.complete = false;
                Ok(())
            }
            Self::Lines => print_line(&serde_json::json!({ "type": "RESET" })),
        }
    }

    /// Draws the table again, because ages and the connection change without an event.
    fn draw(&mut self, disconnected: bool) -> Result<()> {
        match self {
            Self::Table(table) => table.draw(disconnected),
            Self::Lines => Ok(()),
        }
    }
}

impl TableView {
    fn insert(&mut self, instance: Instance) {
        self.instances.insert((instance.created_at, instance.id.inner().to_owned()), instance);
    }

    fn apply(&mut self, change: InstanceChange) {
        if let Some(id) = &change.instance_id {
            self.instances.retain(|(_, known), _| known != id.inner());
        }
        self.complete = change.change_type != InstanceChangeType::Snapshot;
        let upserted = matches!(change.change_type, InstanceChangeType::Snapshot | InstanceChangeType::Upserted);
        if let Some(instance) = change.instance.filter(|instance| upserted && instance.state != InstanceState::Deleted) {
            self.insert(instance);
        }
    }

    fn draw(&mut self, disconnected: bool) -> Result<()> {
        match self.complete {
            true => self.display.draw(&(table(self.instances.values()).to_string() + connection_notice(disconnected))),
            false => Ok(()),
        }
    }
}
