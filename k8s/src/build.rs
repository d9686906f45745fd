//! From what was asked for to Kubernetes objects: pure, without a client.

pub mod names;
mod network_policy;
mod secret;
mod services;
mod stateful_set;

pub(crate) use services::AZURE_DNS_LABEL;
pub(crate) use stateful_set::CONTAINER;

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{Secret, Service},
    networking::v1::NetworkPolicy,
};
use toygres_domain::{instance::InstanceSpec, runtime::Deployment};

use crate::Settings;

/// The objects of one instance, in the order in which they are made.
///
/// There is no `Debug`: one of them holds the password.
pub struct Objects {
    /// Shuts the instance off from the others. It is made first and removed last, so that while anything of an instance
    /// exists this does: whoever looks for leftovers looks for it, and never needs to read Secrets.
    pub network_policy: NetworkPolicy,
    /// The address that clients type; the only object that carries the instance's name.
    pub client_service: Service,
    /// The password, mounted as a file.
    pub secret: Secret,
    /// Gives the pod its stable name, as a StatefulSet needs.
    pub headless_service: Service,
    /// The server and its volume.
    pub stateful_set: StatefulSet,
}

/// Computes the objects of an instance.
#[must_use]
pub fn objects(deployment: &Deployment, settings: &Settings) -> Objects {
    let Deployment { id, name, spec, password } = deployment;
    let InstanceSpec {
        postgres_version,
        storage_gb,
        cpu_millis,
        memory_mb,
        username,
        database,
        exposure,
        // Toygres checks the health over the network by itself; the probes in the pod only serve the kubelet.
        health_check: _,
    } = spec;
    let meta = names::Meta { id: *id, name, version: *postgres_version, namespace: &settings.namespace };
    Objects {
        network_policy: network_policy::network_policy(&meta),
        client_service: services::client(&meta, exposure, settings),
        secret: secret::secret(&meta, password),
        headless_service: services::headless(&meta),
        stateful_set: stateful_set::stateful_set(
            &meta,
            &stateful_set::Server { storage_gb: *storage_gb, cpu_millis: *cpu_millis, memory_mb: *memory_mb, username, database },
            settings,
        ),
    }
}
