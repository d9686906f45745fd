//! The NetworkPolicy: clients may come in to PostgreSQL, nothing may go out, so that no instance reaches another or
//! anything else in the cluster.

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
            // Any source: a load balancer that translates addresses would hide its clients behind a node's, so the
            // source ranges are the Service's to enforce.
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
