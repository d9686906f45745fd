//! The address of an instance: the Service that is named after it.
//!
//! An instance that is renamed gets a Service of the new name beside the former one, and both select its pod. The pod is not touched: what it
//! has of the name in its labels is the first name. Another exposure of the same name changes its Service.

use k8s_openapi::api::core::v1::Service;
use kube::{ResourceExt, api::DeleteParams};
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    runtime::{AddressProgress, Deployment, Progress, RuntimeError},
};

use crate::{
    Settings,
    apply::apply_client_service,
    build::{self, AZURE_DNS_LABEL, names},
    cluster::Cluster,
    observe::{event_message, event_time, events, of_service},
};

/// Creates or changes the Service of the deployment's name, and keeps those of other names.
pub(crate) async fn add(cluster: &Cluster, settings: &Settings, deployment: &Deployment) -> Result<AddressProgress, RuntimeError> {
    let others = others(cluster, deployment).await?;
    let mut service = build::objects(deployment, settings).client_service;
    // A cloud gives a DNS label to one address at a time: it stays with the former Service until that is removed.
    let label = |service: &Service| service.annotations().get(AZURE_DNS_LABEL).cloned();
    if others.iter().any(|other| label(other).is_some() && label(other) == label(&service)) {
        service.annotations_mut().remove(AZURE_DNS_LABEL);
    }
    let name = service.name_any();
    let applied = apply_client_service(cluster, service).await?;
    if let Some(endpoint) = of_service(&applied, &deployment.spec.exposure, settings) {
        return Ok(AddressProgress::At(endpoint));
    }
    let events = events(cluster, "Service", &name).await?;
    let of_this = events.iter().filter(|event| event.involved_object.uid == applied.metadata.uid);
    let warning = of_this.max_by_key(|event| event_time(event)).filter(|event| event.type_.as_deref() == Some("Warning"));
    let why = warning.map(event_message).unwrap_or("the cloud has not assigned one yet");
    Ok(AddressProgress::InProgress(Reason::new(ReasonCode::StartingUp, format!("the load balancer of the Service {name} has no address: {why}"))))
}

/// Deletes the Services of other names.
pub(crate) async fn remove_others(cluster: &Cluster, deployment: &Deployment) -> Result<Progress, RuntimeError> {
    for other in others(cluster, deployment).await? {
        if other.metadata.deletion_timestamp.is_none() {
            cluster.delete::<Service>(&other.name_any(), other.metadata.uid, DeleteParams::background()).await?;
        }
    }
    // A finalizer keeps the Service of a load balancer until the cloud has released its address.
    let left = others(cluster, deployment).await?;
    Ok(left.first().map_or(Progress::Done, |other| {
        let message = format!("the Service {} waits for its load balancer to be deleted", other.name_any());
        Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, message))
    }))
}

/// The Services for clients of an instance that do not have the deployment's name.
async fn others(cluster: &Cluster, deployment: &Deployment) -> Result<Vec<Service>, RuntimeError> {
    let mut services = cluster.list::<Service>(&names::selector(deployment.id)).await?;
    services.retain(|service| is_for_clients(deployment.id, service) && service.metadata.name.as_deref() != Some(deployment.name.as_str()));
    Ok(services)
}

fn is_for_clients(id: InstanceId, service: &Service) -> bool {
    service.metadata.name.as_deref() != Some(names::headless_service(id).as_str())
}
