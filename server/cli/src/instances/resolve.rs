//! Instances by name or id.

use chrono::{DateTime, Utc};
use cynic::QueryBuilder as _;

use super::{filter::InstanceFilter, not_found};
use crate::{
    client::Client,
    contract::{Instance, schema},
    failure::{Failure, Kind, Result},
    follow::poll,
};

#[derive(cynic::QueryVariables)]
struct IdVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "IdVariables")]
struct ById {
    #[arguments(id: $id)]
    instance: Option<Instance>,
}

#[derive(cynic::QueryVariables)]
struct NameVariables {
    name: String,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "NameVariables")]
struct ByName {
    #[arguments(name: $name)]
    instance_by_name: Option<Instance>,
}

/// The instance with this name or id. An id also finds deleted instances.
pub(crate) async fn find(client: &Client, name: &str) -> Result<Instance> {
    if let Ok(id) = uuid::Uuid::parse_str(name) {
        let ById { instance } = client.run(ById::build(IdVariables { id: cynic::Id::new(id.to_string()) })).await?;
        if let Some(instance) = instance {
            return Ok(instance);
        }
    }
    // A name can have the form of an id.
    let ByName { instance_by_name } = client.run(ByName::build(NameVariables { name: name.to_owned() })).await?;
    match instance_by_name {
        Some(instance) => Ok(instance),
        None => Err(missing(client, name).await?),
    }
}

#[derive(cynic::QueryVariables)]
struct DeletedVariables {
    filter: InstanceFilter,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "DeletedVariables")]
struct DeletedInstances {
    #[arguments(first: 200, filter: $filter)]
    instances: DeletedConnection,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "InstanceConnection")]
struct DeletedConnection {
    nodes: Vec<Deleted>,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct Deleted {
    id: cynic::Id,
    name: String,
    deleted_at: Option<DateTime<Utc>>,
}

/// How many deleted instances of a name a message names.
const NAMED: usize = 5;

/// The failure for a name that no instance has: its deleted ones are found by their ids.
async fn missing(client: &Client, name: &str) -> Result<Failure> {
    let variables = DeletedVariables { filter: InstanceFilter::of_deleted(name) };
    let DeletedInstances { instances: DeletedConnection { nodes } } = client.run(DeletedInstances::build(variables)).await?;
    let mut deleted: Vec<_> = nodes.into_iter().filter(|instance| instance.name == name).collect();
    if deleted.is_empty() {
        return Ok(not_found(name));
    }
    deleted.sort_by_key(|instance| std::cmp::Reverse(instance.deleted_at));
    let mut message = format!("there is no instance {name} any more; deleted ones of that name:");
    for Deleted { id, deleted_at, .. } in deleted.iter().take(NAMED) {
        let at = deleted_at.map(|at| at.format("  deleted at %Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
        message += &format!("\n         {}{at}", id.inner());
    }
    message += "\n(`toygres backups list ID` shows the backups of one, `toygres instances restore ID NAME` makes an instance of them; \
                `toygres instances list --state deleted` lists all)";
    Ok(Failure::new(Kind::NotFound, message))
}

/// Waits until the instance with this name or id is as expected.
pub(crate) async fn until(client: &Client, name: &str, expected: impl Fn(&Instance) -> bool) -> Result<Instance> {
    poll(async || Ok(Some(find(client, name).await?).filter(&expected))).await
}

/// The id of the instance with this name or id.
pub(crate) async fn find_id(client: &Client, name: &str) -> Result<cynic::Id> {
    Ok(find(client, name).await?.id)
}
