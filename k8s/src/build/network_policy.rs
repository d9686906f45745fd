//! The NetworkPolicy: it allows connections to PostgreSQL and denies all outgoing ones, so that no instance reaches another one
//! or anything else in the cluster.

use k8s_openapi::{
    api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPort, NetworkPolicySpec},
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::names::{self, Meta, PORT};

pub(super) fn network_policy(meta: &Meta<'_>) -> NetworkPolicy {
    NetworkPolicy {
        metadata: meta.object(names::object(meta.id)),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector { match_labels: Some(meta.pod_selector()), ..LabelSelector::default() }),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            // From any source: behind a load balancer that translates addresses, clients have the address of a node, so the source
            // ranges are enforced by the Service.
            ingress: Some(vec![NetworkPolicyIngressRule {
                ports: Some(vec![NetworkPolicyPort {
                    port: Some(IntOrString::Int(PORT.0)),
                    protocol: Some("TCP".to_owned()),
                    ..NetworkPolicyPort::default()
                }]),
                ..NetworkPolicyIngressRule::default()
            }]),
            egress: Some(Vec::new()),
        }),
    }
}
