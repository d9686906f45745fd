//! Instances by name or id.

use cynic::QueryBuilder as _;

use super::not_found;
use crate::{
    client::Client,
    contract::{Instance, schema},
    failure::Result,
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
    instance_by_name.ok_or_else(|| not_found(name))
}

/// Waits until the instance with this name or id is as expected.
pub(crate) async fn until(client: &Client, name: &str, expected: impl Fn(&Instance) -> bool) -> Result<Instance> {
    poll(async || Ok(Some(find(client, name).await?).filter(&expected))).await
}

/// The id of the instance with this name or id.
pub(crate) async fn find_id(client: &Client, name: &str) -> Result<cynic::Id> {
    Ok(find(client, name).await?.id)
}
