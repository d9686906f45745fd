//! `Exposure` and `ExposureInput`.

use async_graphql::{InputObject, SimpleObject};
use toygres_domain::instance as domain;

use super::ExposureType;
use crate::app::create_instance::{ExposureKind, ExposureSettings};

/// The network access of an instance.
#[derive(Clone, Debug, SimpleObject)]
pub struct Exposure {
    /// The kind of network access.
    r#type: ExposureType,
    /// The IP ranges (CIDR) that may connect to the load balancer. Empty means all.
    source_ranges: Vec<String>,
    /// The DNS label of the load balancer's address.
    dns_label: Option<String>,
}

impl From<&domain::Exposure> for Exposure {
    fn from(exposure: &domain::Exposure) -> Self {
        match exposure {
            domain::Exposure::Cluster => Self { r#type: ExposureKind::Cluster.into(), source_ranges: Vec::new(), dns_label: None },
            domain::Exposure::LoadBalancer { source_ranges, dns_label } => {
                Self { r#type: ExposureKind::LoadBalancer.into(), source_ranges: source_ranges.clone(), dns_label: dns_label.clone() }
            }
        }
    }
}

/// The network access of an instance.
#[derive(Clone, InputObject)]
pub struct ExposureInput {
    /// The kind of network access.
    r#type: ExposureType,
    /// The IP ranges (CIDR) that may connect to the load balancer (default: all).
    source_ranges: Option<Vec<String>>,
    /// The DNS label that the cloud gives the load balancer's address.
    dns_label: Option<String>,
}

impl From<ExposureInput> for ExposureSettings {
    fn from(input: ExposureInput) -> Self {
        let ExposureInput { r#type, source_ranges, dns_label } = input;
        Self { kind: r#type.0, source_ranges, dns_label }
    }
}
