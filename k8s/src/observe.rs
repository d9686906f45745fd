//! What the cluster says of an instance, as the domain's words: fetched by `fetch`, judged here without a client.

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
    instance::{Endpoint, Exposure, Reason, ReasonCode},
    name::InstanceName,
    runtime::Observation,
};

pub(crate) use fetch::observe;
pub(crate) use pod::{death, is_ready, restarts};

use crate::{
    Settings,
    build::names::{self, KEPT_LABEL, PORT},
    settings::EndpointHost,
};

/// How long the waits of an ordinary start (for a volume, for a mount) pass for ordinary.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything of one instance that its state can be read from.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The StatefulSet.
    pub stateful_set: Option<StatefulSet>,
    /// The pods that carry the instance's id: one, or none.
    pub pods: Vec<Pod>,
    /// The volume claims that carry the instance's id, kept ones too.
    pub claims: Vec<PersistentVolumeClaim>,
    /// The Services that carry the instance's id.
    pub services: Vec<Service>,
    /// Whether the NetworkPolicy exists: the first object to be made and the last to go.
    pub network_policy: bool,
    /// The events of the object that [`suspect`] names.
    pub events: Vec<Event>,
}

/// Judges what was seen at the time `now`.
#[must_use]
pub fn observation(id: InstanceId, seen: &Seen, settings: &Settings, now: Timestamp) -> Observation {
    if is_absent(seen) {
        return Observation::Absent;
    }
    let Some(set) = &seen.stateful_set else {
        return starting("Not all of its objects are there");
    };
    if set.metadata.deletion_timestamp.is_some() {
        return pending(ReasonCode::RemovalIncomplete, "It is being removed");
    }
    let Some(pod) = seen.pods.first() else {
        return no_pod(&seen.events);
    };
    if let Some(trouble) = pod::trouble(pod, seen, now) {
        return trouble;
    }
    if !is_current(set, pod) {
        return starting("Its pod is about to be replaced by one of the new specification");
    }
    endpoint(id, seen, settings)
}

/// The object, as kind and name, whose events tell why the instance is not ready; `None` when it is.
#[must_use]
pub fn suspect(id: InstanceId, seen: &Seen) -> Option<(&'static str, String)> {
    seen.stateful_set.as_ref()?;
    let Some(pod) = seen.pods.first() else { return Some(("StatefulSet", names::object(id))) };
    if pod::is_ready(pod) {
        let service = client_service(id, seen)?;
        return is_unaddressed(service).then(|| ("Service", service.metadata.name.clone().unwrap_or_default()));
    }
    if pod::is_scheduled(pod) { Some(("Pod", names::pod(id))) } else { Some(("PersistentVolumeClaim", names::claim(id))) }
}

fn is_absent(seen: &Seen) -> bool {
    let Seen { stateful_set, pods, claims, services, network_policy, events: _ } = seen;
    stateful_set.is_none() && pods.is_empty() && claims.iter().all(|claim| is_kept(&claim.metadata)) && services.is_empty() && !network_policy
}

/// Whether a claim stays because the caller asked for it, and so is no sign of an instance.
pub(crate) fn is_kept(meta: &ObjectMeta) -> bool {
    meta.labels.as_ref().is_some_and(|labels| labels.contains_key(KEPT_LABEL))
}

/// Why the set has made no pod: only its events say.
fn no_pod(events: &[Event]) -> Observation {
    match events::newest(events) {
        Some(event) if event.reason.as_deref() == Some("FailedCreate") => {
            let message = event.message.as_deref().unwrap_or_default();
            // Nothing is final: the set tries again, and room in a quota comes back when others go.
            pending(crate::errors::refusal(message), message)
        }
        _ => starting("Its pod is not made yet"),
    }
}

/// Whether the pod is of the set's newest template, as far as the set's controller has caught up.
fn is_current(set: &StatefulSet, pod: &Pod) -> bool {
    let Some(status) = &set.status else { return true };
    let caught_up = status.observed_generation >= set.metadata.generation;
    let revision = pod.metadata.labels.as_ref().and_then(|labels| labels.get("controller-revision-hash"));
    caught_up && (status.update_revision.is_none() || status.update_revision.as_ref() == revision)
}

fn endpoint(id: InstanceId, seen: &Seen, settings: &Settings) -> Observation {
    let Some(service) = client_service(id, seen) else {
        return starting("Its Service is not there");
    };
    if is_unaddressed(service) {
        let event = events::newest(&seen.events).filter(|event| event.type_.as_deref() == Some("Warning"));
        let why = event.and_then(|event| event.message.as_deref()).unwrap_or("the cloud has not given one yet");
        return starting(&format!("Its load balancer has no address: {why}"));
    }
    match host(service, settings) {
        Some(host) => Observation::Ready(Endpoint { host, port: u16::try_from(PORT.0).unwrap_or(5432) }),
        None => starting("Its Service has no address yet"),
    }
}

fn client_service(id: InstanceId, seen: &Seen) -> Option<&Service> {
    let headless = names::headless_service(id);
    seen.services.iter().find(|service| service.metadata.name.as_ref() != Some(&headless) && service.metadata.deletion_timestamp.is_none())
}

fn is_load_balancer(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
}

fn is_unaddressed(service: &Service) -> bool {
    is_load_balancer(service) && public_address(service).is_none()
}

/// The address, or for clouds that work so the host name, of a load balancer.
fn public_address(service: &Service) -> Option<String> {
    let entry = service.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?.first()?;
    entry.ip.clone().or_else(|| entry.hostname.clone())
}

/// Where the control plane reaches an instance. A load balancer that is open to some addresses only is open to the pods of the
/// cluster no more than to strangers (kube-proxy drops what comes from elsewhere, from pods too), but the Service behind it is.
pub fn internal_endpoint(settings: &Settings, name: &InstanceName, exposure: &Exposure, endpoint: &Endpoint) -> Endpoint {
    let is_restricted = matches!(exposure, Exposure::LoadBalancer { source_ranges, .. } if !source_ranges.is_empty());
    // From outside of the cluster there is no other way than that of its clients.
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
