//! The state of an instance: `fetch` reads its objects, and the state is derived from them here without a client.

mod claim;
mod events;
mod fetch;
mod log_lines;
mod pod;

use std::time::Duration;

use k8s_openapi::{
    api::{
        apps::v1::StatefulSet,
        core::v1::{Event, PersistentVolumeClaim, Pod, Service},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
    jiff::Timestamp,
};
use toygres_domain::{
    InstanceId,
    address::Address,
    instance::{Endpoint, Exposure, Reason, ReasonCode},
    runtime::Observation,
};

pub(crate) use claim::{lost_claim, terminating_claim};
pub(crate) use events::{message as event_message, newest_of as newest_event, time as event_time};
pub(crate) use fetch::{events, observe, of_existing_objects};
pub(crate) use log_lines::last_lines;
pub(crate) use pod::{container_restarts, death, has_run, is_out_of_memory, is_ready, is_scheduled, not_started, not_stopped};

use crate::{
    Settings,
    build::names::{self, KEPT_LABEL, PORT, SUSPENDED_ANNOTATION},
    restart::Restarts,
    settings::EndpointHost,
    wording::refusal,
};

/// How long an ordinary start may wait for a volume or a mount before that becomes the reason.
const ORDINARY_WAIT: Duration = Duration::from_secs(20);

/// The objects of one instance from which its state is derived.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The StatefulSet.
    pub stateful_set: Option<StatefulSet>,
    /// The pods that carry the instance's id: one, or none. That of a restoration is gone before there is one of the server.
    pub pods: Vec<Pod>,
    /// The volume claims that carry the instance's id, kept ones too.
    pub claims: Vec<PersistentVolumeClaim>,
    /// The Services that carry the instance's id.
    pub services: Vec<Service>,
    /// Whether the NetworkPolicy exists, which is created first and deleted last.
    pub network_policy: bool,
    /// The events of the object that [`events_of_interest`] names.
    pub events: Vec<Event>,
}

/// Derives the state of an instance at the time `now`.
#[must_use]
pub fn observation(id: InstanceId, snapshot: &Snapshot, settings: &Settings, now: Timestamp) -> Observation {
    if is_absent(snapshot) {
        return Observation::Absent;
    }
    let Some(set) = &snapshot.stateful_set else {
        if snapshot.pods.iter().any(|pod| names::is_of_job(&pod.metadata)) {
            return starting("Its volume is being filled from a backup");
        }
        return pending(ReasonCode::Drifted, format!("Its StatefulSet {} does not exist", names::object(id)));
    };
    if set.metadata.deletion_timestamp.is_some() {
        return pending(ReasonCode::RemovalIncomplete, "It is being deleted");
    }
    if let Some(volume) = claim::recorded(set)
        && let Some(lost) = lost_claim(id, Some(&volume), &snapshot.claims)
    {
        return Observation::Failed(lost);
    }
    let terminating = terminating_claim(id, &snapshot.claims).map(Observation::Pending);
    if snapshot.pods.iter().any(|pod| names::is_of_job(&pod.metadata)) {
        return starting("Its data is being upgraded, or put back");
    }
    if set.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(SUSPENDED_ANNOTATION)) {
        return terminating.unwrap_or_else(|| pending(ReasonCode::Suspended, "Its StatefulSet is scaled to 0 until the instance is resumed"));
    }
    let Some(pod) = server_pod(snapshot) else {
        return terminating.unwrap_or_else(|| no_pod(set, &snapshot.events));
    };
    // The state of a pod that a restart has deleted is not the state of the instance. Without the deletion (it was refused, say)
    // the pod remains the server of the instance, whatever is recorded.
    if pod.metadata.deletion_timestamp.is_some() && Restarts::of(&set.metadata).stops(pod.metadata.uid.as_deref()) {
        return starting("It is being restarted");
    }
    if !is_current(set, pod) {
        return starting("Its pod is about to be replaced by a new one");
    }
    if let Some(problem) = pod::problem(pod, snapshot, now) {
        return terminating.unwrap_or(problem);
    }
    endpoint(snapshot, settings)
}

/// The kind and the name of the object whose events explain why the instance is not ready; `None` if it is.
#[must_use]
pub fn events_of_interest(id: InstanceId, snapshot: &Snapshot) -> Option<(&'static str, String)> {
    snapshot.stateful_set.as_ref()?;
    let Some(pod) = server_pod(snapshot) else { return Some(("StatefulSet", names::object(id))) };
    if pod::is_ready(pod) {
        let service = client_service(snapshot)?;
        return is_unaddressed(service).then(|| ("Service", service.metadata.name.clone().unwrap_or_default()));
    }
    if pod::is_scheduled(pod) { Some(("Pod", names::pod(id))) } else { Some(("PersistentVolumeClaim", names::claim(id))) }
}

/// The pod of the server.
fn server_pod(snapshot: &Snapshot) -> Option<&Pod> {
    snapshot.pods.iter().find(|pod| !names::is_of_job(&pod.metadata))
}

fn is_absent(snapshot: &Snapshot) -> bool {
    let Snapshot { stateful_set, pods, claims, services, network_policy, events: _ } = snapshot;
    stateful_set.is_none() && pods.is_empty() && claims.iter().all(|claim| is_kept(&claim.metadata)) && services.is_empty() && !network_policy
}

/// Whether a claim is kept on request, and so is no part of an existing instance.
pub(crate) fn is_kept(meta: &ObjectMeta) -> bool {
    meta.labels.as_ref().is_some_and(|labels| labels.contains_key(KEPT_LABEL))
}

/// Why the StatefulSet has created no pod, which only its events contain.
fn no_pod(set: &StatefulSet, events: &[Event]) -> Observation {
    if set.spec.as_ref().is_some_and(|spec| spec.replicas == Some(0)) {
        return pending(ReasonCode::Drifted, "Its StatefulSet is scaled to 0");
    }
    match events::newest(events) {
        Some(event) if event.reason.as_deref() == Some("FailedCreate") => {
            let message = event.message.as_deref().unwrap_or_default();
            // Not final: the controller tries again, and a quota may have room later.
            pending(refusal(message), message)
        }
        _ => starting("Its pod is not created yet"),
    }
}

/// Whether the pod has the newest template of the StatefulSet, and the controller has observed the newest one. A pod of a former
/// StatefulSet, which somebody deleted, is about to be deleted too.
fn is_current(set: &StatefulSet, pod: &Pod) -> bool {
    if pod.metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true) && Some(&owner.uid) != set.metadata.uid.as_ref()) {
        return false;
    }
    let Some(status) = &set.status else { return true };
    let observed = status.observed_generation >= set.metadata.generation;
    let revision = pod.metadata.labels.as_ref().and_then(|labels| labels.get("controller-revision-hash"));
    observed && (status.update_revision.is_none() || status.update_revision.as_ref() == revision)
}

fn endpoint(snapshot: &Snapshot, settings: &Settings) -> Observation {
    // A deployment creates it before the StatefulSet.
    let Some(service) = client_service(snapshot) else {
        return pending(ReasonCode::EndpointMissing, "The Service that clients connect to was deleted");
    };
    if is_unaddressed(service) {
        let event = events::newest(&snapshot.events).filter(|event| event.type_.as_deref() == Some("Warning"));
        let why = event.and_then(|event| event.message.as_deref()).unwrap_or("the cloud has not assigned one yet");
        return starting(&format!("Its load balancer has no address: {why}"));
    }
    match host(service, settings) {
        Some(host) => Observation::Ready(Endpoint { host, port: u16::try_from(PORT.0).unwrap_or(5432) }),
        None => starting("Its Service has no address yet"),
    }
}

/// The Service for clients. While an instance is renamed there are two, and the newer one stays: of two of the same second, that which does
/// not have the first name.
fn client_service(snapshot: &Snapshot) -> Option<&Service> {
    let is_headless = |service: &Service| service.spec.as_ref().is_some_and(|spec| spec.cluster_ip.as_deref() == Some("None"));
    let for_clients = |service: &&Service| !is_headless(service) && service.metadata.deletion_timestamp.is_none();
    let age = |service: &Service| {
        let first_name = service.metadata.labels.as_ref().and_then(|labels| labels.get(names::INSTANCE_LABEL));
        (service.metadata.creation_timestamp.as_ref().map(|created| created.0), service.metadata.name.as_ref() != first_name)
    };
    snapshot.services.iter().filter(for_clients).max_by_key(|service| age(service))
}

/// Where clients reach the instance through its Service, which may still have what is left of another exposure.
pub(crate) fn of_service(service: &Service, exposure: &Exposure, settings: &Settings) -> Option<Endpoint> {
    let is_balanced = matches!(exposure, Exposure::LoadBalancer { .. });
    if is_balanced && public_address(service).is_none() {
        return None;
    }
    let label = match exposure {
        Exposure::LoadBalancer { dns_label, .. } => dns_label.as_ref(),
        Exposure::Cluster => None,
    };
    // The label may be with the former Service still.
    let host = label.zip(settings.dns_label_domain.as_ref()).map(|(label, domain)| format!("{label}.{domain}"));
    Some(Endpoint { host: host.or_else(|| self::host(service, settings))?, port: u16::try_from(PORT.0).unwrap_or(5432) })
}

fn is_load_balancer(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
}

fn is_unaddressed(service: &Service) -> bool {
    is_load_balancer(service) && public_address(service).is_none()
}

/// The address of a load balancer, or its host name in clouds that assign one.
fn public_address(service: &Service) -> Option<String> {
    let entry = service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?;
    entry.ip.clone().or_else(|| entry.hostname.clone())
}

/// Where the control plane reaches an instance. The source ranges of a load balancer exclude the pods of the cluster too, because
/// kube-proxy drops their packets to its address; the DNS name of the Service is not restricted.
pub fn internal_endpoint(settings: &Settings, Address { name, exposure }: &Address, endpoint: &Endpoint) -> Endpoint {
    let is_restricted = matches!(exposure, Exposure::LoadBalancer { source_ranges, .. } if !source_ranges.is_empty());
    // Outside of the cluster only the address of the clients is reachable.
    let is_inside = settings.endpoint_host.unwrap_or(EndpointHost::ServiceName) == EndpointHost::ServiceName;
    if is_restricted && is_inside { Endpoint { host: service_name(name.as_str(), settings), port: endpoint.port } } else { endpoint.clone() }
}

fn service_name(service: &str, settings: &Settings) -> String {
    format!("{service}.{}.svc.{}", settings.namespace, settings.cluster_domain)
}

fn host(service: &Service, settings: &Settings) -> Option<String> {
    if is_load_balancer(service) {
        let label = service.metadata.annotations.as_ref().and_then(|annotations| annotations.get(crate::build::AZURE_DNS_LABEL));
        return match (label, &settings.dns_label_domain) {
            (Some(label), Some(domain)) => Some(format!("{label}.{domain}")),
            _ => public_address(service),
        };
    }
    match settings.endpoint_host.unwrap_or(EndpointHost::ServiceName) {
        EndpointHost::ServiceName => service.metadata.name.as_deref().map(|name| service_name(name, settings)),
        EndpointHost::ClusterIp => service.spec.as_ref()?.cluster_ip.clone().filter(|ip| !ip.is_empty()),
    }
}

fn pending(code: ReasonCode, message: impl Into<String>) -> Observation {
    Observation::Pending(Reason::new(code, message))
}

fn failed(code: ReasonCode, message: impl Into<String>) -> Observation {
    Observation::Failed(Reason::new(code, message))
}

fn starting(message: &str) -> Observation {
    pending(ReasonCode::StartingUp, message)
}
