//! `Parameter`, `InstanceParameter` and `ParameterInput`.

use std::collections::BTreeSet;

use async_graphql::{Enum, InputObject, SimpleObject};
use toygres_domain::{
    instance::InstanceSpec,
    parameter::catalog::{self, ParameterType as Kind, Range},
};

/// What the values of a parameter are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ParameterType {
    /// `on` or `off`.
    Bool,
    /// A whole number, with a unit if the parameter has one.
    Integer,
    /// A number, with a unit if the parameter has one.
    Real,
    /// One of `enumValues`.
    Enum,
    /// A text.
    String,
}

/// A parameter of PostgreSQL that the owner of an instance can set.
#[derive(Clone, Debug, SimpleObject)]
pub struct Parameter {
    /// The name.
    name: String,
    /// What the values are.
    #[graphql(name = "type")]
    kind: ParameterType,
    /// What a number without a unit counts, for example `kB`, `8kB` or `ms`. Null if the values have no unit.
    unit: Option<String>,
    /// The smallest number, in the unit. An instance may have a narrower range.
    min: Option<f64>,
    /// The largest number, in the unit. An instance may have a narrower range.
    max: Option<f64>,
    /// The values of the type `ENUM`.
    enum_values: Option<Vec<String>>,
    /// The value that is built into PostgreSQL, in the unit. The platform may compute another one, for example from the memory.
    default: String,
    /// Whether a new value takes effect at a restart of the server only.
    needs_restart: bool,
    /// The chapter of PostgreSQL's documentation.
    category: String,
    /// One sentence about the parameter.
    description: String,
}

impl From<&catalog::Parameter> for Parameter {
    fn from(parameter: &catalog::Parameter) -> Self {
        let catalog::Parameter { name, kind, needs_restart, default, category, description } = parameter.clone();
        let (kind, range, enum_values) = match kind {
            Kind::Bool => (ParameterType::Bool, None, None),
            Kind::Integer(range) => (ParameterType::Integer, Some(range), None),
            Kind::Real(range) => (ParameterType::Real, Some(range), None),
            Kind::Enum(values) => (ParameterType::Enum, None, Some(values)),
            Kind::String => (ParameterType::String, None, None),
        };
        let unit = range.and_then(|Range { unit, .. }| unit).map(|unit| unit.name().to_owned());
        let (min, max) = range.map(|Range { min, max, .. }| (min, max)).unzip();
        Self { name, kind, unit, min, max, enum_values, default, needs_restart, category, description }
    }
}

/// A parameter that the owner of an instance has set.
#[derive(Clone, Debug, SimpleObject)]
pub struct InstanceParameter {
    /// The name.
    name: String,
    /// The value that the server has, as it was set. Null if it is the default.
    value: Option<String>,
    /// The value that is built into PostgreSQL. The platform may compute another one, for example from the memory.
    default: Option<String>,
    /// Whether another value takes effect at the next restart.
    pending_restart: bool,
    /// The value after the next restart, if `pendingRestart`. Null is the default.
    pending_value: Option<String>,
}

impl InstanceParameter {
    /// Those of an instance, by name.
    pub fn of(spec: &InstanceSpec) -> Vec<Self> {
        let parameters = &spec.parameters;
        let names: BTreeSet<_> = parameters.values.keys().chain(parameters.pending.keys()).collect();
        let of = |name: &String| Self {
            name: name.clone(),
            value: parameters.values.get(name).cloned(),
            default: catalog::find(spec.postgres_version, name).map(|parameter| parameter.default.clone()),
            pending_restart: parameters.pending.contains_key(name),
            pending_value: parameters.pending.get(name).cloned().flatten(),
        };
        names.into_iter().map(of).collect()
    }
}

/// A parameter and its new value.
#[derive(Clone, Debug, InputObject)]
pub struct ParameterInput {
    /// The name, for example `work_mem`.
    name: String,
    /// The value, for example `64MB`. Null gives the parameter its default again.
    value: Option<String>,
}

/// Parameters as use cases take them.
pub(in crate::graphql) fn values(parameters: Vec<ParameterInput>) -> Vec<(String, Option<String>)> {
    parameters.into_iter().map(|ParameterInput { name, value }| (name, value)).collect()
}
