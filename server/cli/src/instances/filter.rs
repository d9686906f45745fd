//! Filters of lists of instances.

use clap::Args;

use crate::{
    contract::{HealthStatus, InstanceState, LabelInput, schema},
    input::parse_label,
};

/// An instance must match every option that is given.
#[derive(Args, Clone, Debug)]
pub struct FilterOptions {
    /// Only instances in one of these states, separated by commas [default: all but deleted].
    #[arg(long, value_delimiter = ',')]
    state: Vec<InstanceState>,
    /// Only instances with one of these health statuses, separated by commas.
    #[arg(long, value_delimiter = ',')]
    health: Vec<HealthStatus>,
    /// Only instances whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    name_contains: Option<String>,
    /// Only instances with this label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<LabelInput>,
}

#[derive(Clone, Debug, cynic::InputObject)]
pub(super) struct InstanceFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    state: Option<Vec<InstanceState>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    health: Option<Vec<HealthStatus>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    name_contains: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<LabelInput>>,
}

impl InstanceFilter {
    /// The deleted instances whose name contains a text.
    pub(super) fn of_deleted(name: &str) -> Self {
        Self { state: Some(vec![InstanceState::Deleted]), health: None, name_contains: Some(name.to_owned()), labels: None }
    }

    pub(super) fn of_label(label: LabelInput) -> Self {
        Self { state: None, health: None, name_contains: None, labels: Some(vec![label]) }
    }
}

impl FilterOptions {
    /// Whether every instance matches that is not deleted.
    pub(super) fn is_empty(&self) -> bool {
        let Self { state, health, name_contains, labels } = self;
        state.is_empty() && health.is_empty() && name_contains.is_none() && labels.is_empty()
    }

    pub(super) fn filter(&self) -> InstanceFilter {
        fn non_empty<T: Clone>(values: &[T]) -> Option<Vec<T>> {
            (!values.is_empty()).then(|| values.to_vec())
        }
        InstanceFilter {
            state: non_empty(&self.state),
            health: non_empty(&self.health),
            name_contains: self.name_contains.clone(),
            labels: non_empty(&self.labels),
        }
    }
}
