//! `InstanceFilter`.

use async_graphql::InputObject;
use toygres_domain::instance as domain;

use super::{HealthStatus, InstanceState, LabelInput};

/// Selects instances that meet every given condition.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "InstanceFilter")]
pub struct InstanceFilterInput {
    /// In one of these states (default: every state but `DELETED`).
    state: Option<Vec<InstanceState>>,
    /// With one of these health statuses.
    health: Option<Vec<HealthStatus>>,
    /// With a name that contains this text.
    name_contains: Option<String>,
    /// With all of these labels.
    labels: Option<Vec<LabelInput>>,
}

impl From<InstanceFilterInput> for domain::InstanceFilter {
    fn from(input: InstanceFilterInput) -> Self {
        let InstanceFilterInput { state, health, name_contains, labels } = input;
        Self {
            states: state.map(|all| all.into_iter().map(|state| state.0).collect()),
            health: health.map(|all| all.into_iter().map(|health| health.0).collect()),
            name_contains,
            labels: labels.into_iter().flatten().map(|label| (label.key, label.value)).collect(),
        }
    }
}
