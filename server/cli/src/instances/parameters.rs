//! `toygres instances parameters`

use std::collections::BTreeMap;

use clap::Args;
use cynic::QueryBuilder as _;
use serde::Serialize;

use super::find;
use crate::{
    client::Client,
    contract::{ParameterType, schema},
    failure::Result,
    output::{OutputOptions, Table},
};

/// List the parameters that can be set for an instance, with those that are set.
#[derive(Args, Debug)]
pub struct Parameters {
    /// Name or id of the instance.
    name: String,
    /// List only those that are set or wait for a restart.
    #[arg(long)]
    set: bool,
    #[command(flatten)]
    output: OutputOptions,
}

#[derive(cynic::QueryVariables)]
struct Variables {
    id: cynic::Id,
    postgres_version: String,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct ParametersQuery {
    #[arguments(id: $id)]
    instance: Option<InstanceParameters>,
    control_plane: ControlPlane,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Instance")]
struct InstanceParameters {
    parameters: Vec<InstanceParameter>,
}

#[derive(Clone, Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct InstanceParameter {
    name: String,
    value: Option<String>,
    pending_restart: bool,
    pending_value: Option<String>,
}

#[derive(cynic::QueryFragment)]
#[cynic(variables = "Variables")]
struct ControlPlane {
    #[arguments(postgresVersion: $postgres_version)]
    parameters: Vec<Parameter>,
}

#[derive(cynic::QueryFragment, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameter {
    name: String,
    #[cynic(rename = "type")]
    #[serde(rename = "type")]
    kind: ParameterType,
    unit: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    enum_values: Option<Vec<String>>,
    default: String,
    needs_restart: bool,
    description: String,
}

/// A parameter, and what the instance has of it.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    parameter: Parameter,
    #[serde(rename = "instance")]
    set: Option<InstanceParameter>,
}

impl Parameters {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        let instance = find(client, &self.name).await?;
        let variables = Variables { id: instance.id, postgres_version: instance.postgres_version };
        let ParametersQuery { instance, control_plane } = client.run(ParametersQuery::build(variables)).await?;
        let set = instance.ok_or_else(|| super::not_found(&self.name))?.parameters;
        let mut set: BTreeMap<_, _> = set.into_iter().map(|parameter| (parameter.name.clone(), parameter)).collect();
        let lines = control_plane.parameters.into_iter().map(|parameter| Line { set: set.remove(&parameter.name), parameter });
        let lines: Vec<_> = lines.filter(|line| line.set.is_some() || !self.set).collect();
        self.output.output.print(&lines, |lines| table(lines).to_string())
    }
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::with_header(["NAME", "VALUE", "DEFAULT", "VALUES", "RESTART", "DESCRIPTION"]);
    for Line { parameter, set } in lines {
        let restart = if parameter.needs_restart { "yes" } else { "" };
        table.row([
            parameter.name.clone(),
            set.as_ref().map_or_else(String::new, value),
            parameter.default.clone(),
            short(values(parameter)),
            restart.to_owned(),
            parameter.description.clone(),
        ]);
    }
    table
}

fn value(set: &InstanceParameter) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "default".to_owned());
    match set.pending_restart {
        true => format!("{} ({} after a restart)", text(&set.value), text(&set.pending_value)),
        false => text(&set.value),
    }
}

/// What of the values the table has room for; `-o json` has all.
fn short(values: String) -> String {
    const ROOM: usize = 40;
    match values.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", &values[..end]),
        None => values,
    }
}

fn values(parameter: &Parameter) -> String {
    let Parameter { kind, unit, min, max, enum_values, .. } = parameter;
    match (kind, enum_values, min.zip(*max)) {
        (ParameterType::Bool, ..) => "on, off".to_owned(),
        (_, Some(values), _) => values.join(", "),
        (_, None, Some((min, max))) => format!("{min} to {max}{}", unit.as_ref().map(|unit| format!(" ({unit})")).unwrap_or_default()),
        (_, None, None) => "text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_waits_is_shown_beside_the_present_one() {
        let set = |value: Option<&str>, pending_restart, pending_value: Option<&str>| value_of(value, pending_restart, pending_value);
        assert_eq!(set(Some("8MB"), false, None), "8MB");
        assert_eq!(set(Some("50"), true, Some("60")), "50 (60 after a restart)");
        assert_eq!(set(None, true, Some("on")), "default (on after a restart)");
        assert_eq!(set(Some("on"), true, None), "on (default after a restart)");
    }

    fn value_of(value: Option<&str>, pending_restart: bool, pending_value: Option<&str>) -> String {
        let (name, value, pending_value) = ("x".to_owned(), value.map(str::to_owned), pending_value.map(str::to_owned));
        super::value(&InstanceParameter { name, value, pending_restart, pending_value })
    }
}
