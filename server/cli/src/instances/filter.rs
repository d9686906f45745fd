//! Which instances are meant.

use clap::Args;

use crate::{
    contract::{HealthStatus, InstanceFilter, InstanceState, LabelInput},
    input::parse_label,
};

/// Every given condition must hold.
#[derive(Args, Clone, Debug)]
pub struct FilterOptions {
    /// Only those in one of these states [default: all but deleted].
    #[arg(long, value_delimiter = ',')]
    state: Vec<InstanceState>,
    /// Only those with one of these health statuses.
    #[arg(long, value_delimiter = ',')]
    health: Vec<HealthStatus>,
    /// Only those whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    name_contains: Option<String>,
    /// Only those with this label; may be repeated.
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
}

impl FilterOptions {
    pub(super) fn filter(&self) -> InstanceFilter {
        fn given<T: Clone>(values: &[T]) -> Option<Vec<T>> {
            (!values.is_empty()).then(|| values.to_vec())
        }
        let labels: Vec<_> = self.labels.iter().cloned().map(|(key, value)| LabelInput { key, value }).collect();
        InstanceFilter { state: given(&self.state), health: given(&self.health), name_contains: self.name_contains.clone(), labels: given(&labels) }
    }
}
