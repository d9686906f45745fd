//! `toygres instances watch`

use std::{collections::BTreeMap, io, pin::pin, time::Duration};

use clap::Args;
use cynic::SubscriptionBuilder as _;
use serde::Serialize;
use tokio::time::interval;

use super::{filter::FilterOptions, find_id, table};
use crate::{
    client::Client,
    contract::{Instance, InstanceChangeType, InstanceFilter, InstanceState, schema},
    failure::{Failure, Kind, Result},
    follow::{TimeoutOption, passed},
    live::{Live, Next},
    output::{Display, notice, print_line, stdout_is_terminal},
};

#[derive(Args, Debug)]
pub struct Watch {
    /// Only the instance of this name or id; ends when that is deleted.
    #[arg(conflicts_with_all = ["FilterOptions", "after"])]
    name: Option<String>,
    #[command(flatten)]
    filter: FilterOptions,
    /// Resume behind this cursor of an earlier run, in a pipe: only what changed since then comes.
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
    kind: InstanceChangeType,
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
                Some(name) => one(client, find_id(client, name).await?).await,
                None => self.all(client).await,
            }
        };
        tokio::select! {
            outcome = watching => outcome,
            () = passed(self.timeout.timeout) => Err(Failure::new(Kind::TimedOut, "the time to watch is over")),
        }
    }

    async fn all(&self, client: &Client) -> Result<()> {
        let mut view = View::new();
        let mut live = view.subscriber(client);
        let away = live.away();
        let mut after = self.after.clone();
        // Half a snapshot cannot be continued, so after a loss amid one the stream begins anew.
        let mut in_snapshot = false;
        let mut ticks = interval(Duration::from_secs(1));
        loop {
            let request = InstancesSubscription::build(ListVariables { filter: self.filter.filter(), after: after.clone() });
            let next = {
                let mut next = pin!(live.next::<InstancesSubscription>(&request));
                loop {
                    tokio::select! {
                        next = &mut next => break next?,
                        _ = ticks.tick() => view.draw(away.get())?,
                    }
                }
            };
            match next {
                Next::Item(InstancesSubscription { instances: change }) => {
                    in_snapshot = change.kind == InstanceChangeType::Snapshot;
                    if !in_snapshot {
                        after = Some(change.cursor.clone());
                    }
                    view.changed(change)?;
                }
                Next::Again if !in_snapshot => {}
                Next::Again => view.reset()?,
                Next::MustRefetch => {
                    after = None;
                    view.reset()?;
                }
                Next::End => return Ok(()),
            }
        }
    }
}

async fn one(client: &Client, id: cynic::Id) -> Result<()> {
    let mut view = View::new();
    let mut live = view.subscriber(client);
    let away = live.away();
    let mut ticks = interval(Duration::from_secs(1));
    let request = InstanceSubscription::build(InstanceVariables { id });
    loop {
        let mut next = pin!(live.next::<InstanceSubscription>(&request));
        let next = loop {
            tokio::select! {
                next = &mut next => break next?,
                _ = ticks.tick() => view.draw(away.get())?,
            }
        };
        match next {
            Next::Item(InstanceSubscription { instance }) => match &mut view {
                View::Lines => print_line(&instance)?,
                View::Table { instances, there, .. } => {
                    *there = true;
                    instances.insert((instance.created_at, instance.id.inner().to_owned()), instance);
                    view.draw(false)?;
                }
            },
            Next::Again | Next::MustRefetch => {}
            Next::End => return Ok(()),
        }
    }
}

/// Where changes go.
enum View {
    /// For people: the list as it is now, the oldest first.
    Table { display: Display<io::Stdout>, instances: BTreeMap<(chrono::DateTime<chrono::Utc>, String), Instance>, there: bool },
    /// For scripts: every change.
    Lines,
}

impl View {
    fn new() -> Self {
        match stdout_is_terminal() {
            true => Self::Table { display: Display::new(io::stdout()), instances: BTreeMap::new(), there: false },
            false => Self::Lines,
        }
    }

    /// A display shows by itself that the server is away.
    fn subscriber<'a>(&self, client: &'a Client) -> Live<'a> {
        match self {
            Self::Table { .. } => Live::silent(client),
            Self::Lines => Live::new(client),
        }
    }

    fn changed(&mut self, change: InstanceChange) -> Result<()> {
        let Self::Table { instances, there, .. } = self else { return print_line(&change) };
        if let Some(id) = &change.instance_id {
            instances.retain(|(_, known), _| known != id.inner());
        }
        let snapshot = change.kind == InstanceChangeType::Snapshot;
        match (change.kind, change.instance) {
            (InstanceChangeType::Snapshot | InstanceChangeType::Upserted, Some(instance)) if instance.state != InstanceState::Deleted => {
                instances.insert((instance.created_at, instance.id.inner().to_owned()), instance);
            }
            _ => {}
        }
        // A snapshot is shown when it is whole.
        *there = !snapshot;
        self.draw(false)
    }

    /// What was received is superseded by what follows.
    fn reset(&mut self) -> Result<()> {
        match self {
            Self::Table { instances, there, .. } => {
                instances.clear();
                *there = false;
                Ok(())
            }
            Self::Lines => print_line(&serde_json::json!({ "type": "RESET" })),
        }
    }

    /// Draws it; ages change by themselves.
    fn draw(&mut self, away: bool) -> Result<()> {
        match self {
            Self::Table { display, instances, there: true } => display.draw(&(table(instances.values()).render() + notice(away))),
            Self::Table { .. } | Self::Lines => Ok(()),
        }
    }
}
