//! The Services: the one that clients connect to, and the headless one that a StatefulSet requires.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};
use toygres_domain::{instance::Exposure, name::InstanceName};

use super::names::{self, Meta, PORT};
use crate::Settings;

/// The annotation for a DNS label of the public address in Azure.
pub(crate) const AZURE_DNS_LABEL: &str = "service.beta.kubernetes.io/azure-dns-label-name";

pub(super) fn client(meta: &Meta<'_>, name: &InstanceName, exposure: &Exposure, settings: &Settings) -> Service {
    let mut annotations = settings.service_annotations.clone();
    let (kind, source_ranges) = match exposure {
        Exposure::Cluster => ("ClusterIP", None),
        Exposure::LoadBalancer { source_ranges, dns_label } => {
            if let Some(label) = dns_label {
                annotations.insert(AZURE_DNS_LABEL.to_owned(), label.clone());
            }
            ("LoadBalancer", Some(source_ranges.clone()).filter(|ranges| !ranges.is_empty()))
        }
    };
    let mut metadata = meta.object(name.to_string());
    metadata.annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
    Service {
        metadata,
        spec: Some(ServiceSpec {
            type_: Some(kind.to_owned()),
            selector: Some(meta.pod_selector()),
            ports: Some(vec![port()]),
            load_balancer_source_ranges: source_ranges,
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

pub(super) fn headless(meta: &Meta<'_>) -> Service {
    Service {
        metadata: meta.object(names::headless_service(meta.id)),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            selector: Some(meta.pod_selector()),
            ports: Some(vec![port()]),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn port() -> ServicePort {
    ServicePort {
        name: Some(PORT.1.to_owned()),
        port: PORT.0,
        // Part of the key of the list entry in server-side apply.
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String(PORT.1.to_owned())),
        ..ServicePort::default()
    }
}
