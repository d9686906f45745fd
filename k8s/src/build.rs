//! The Kubernetes objects of an instance, computed from its specification without a client.

pub mod names;
mod network_policy;
mod restore_job;
mod secret;
mod services;
mod start;
mod stateful_set;
mod upgrade_job;
mod verify_job;

pub(crate) use restore_job::{FETCH, FINISH, RECOVER};
pub use restore_job::{RestoreObjects, restore_objects};
pub(crate) use services::AZURE_DNS_LABEL;
pub use start::INITIALIZED_MARK;
pub(crate) use stateful_set::{CONTAINER, GRACE_PERIOD};
pub(crate) use upgrade_job::{PROGRAMS, UPGRADE};
pub use upgrade_job::{UpgradeObjects, UpgradeTask, upgrade_objects};
pub(crate) use verify_job::CHECK;
pub use verify_job::{VerifyObjects, verify_objects};

use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{Secret, Service},
    networking::v1::NetworkPolicy,
};
use toygres_domain::{instance::InstanceSpec, runtime::Deployment, server_settings::Size};

use crate::Settings;

/// The objects of one instance, in the order in which they are created.
///
/// There is no `Debug`, because one of them holds the password.
pub struct Objects {
    /// Isolates the instance. It is created first and deleted last, so that it exists as long as any other object of the instance:
    /// leftovers are found by it, without a permission to read Secrets.
    pub network_policy: NetworkPolicy,
    /// The address of the instance, and the only object named after it.
    pub client_service: Service,
    /// The password of the superuser and the configuration of PostgreSQL, mounted as files.
    pub secret: Secret,
    /// Gives the pod a stable DNS name, which a StatefulSet requires.
    pub headless_service: Service,
    /// The server and its volume.
    pub stateful_set: StatefulSet,
}

/// Computes the objects of an instance.
#[must_use]
pub fn objects(deployment: &Deployment, settings: &Settings) -> Objects {
    let Deployment { id, name, first_name, spec, credentials, data, certificate, suspended, closed } = deployment;
    let InstanceSpec {
        postgres_version,
        storage_gb,
        cpu_millis,
        memory_mb,
        username,
        database,
        exposure,
        require_tls,
        // The control plane checks the health over the network; the probes of the pod are for the kubelet.
        health_check: _,
        parameters,
    } = spec;
    let meta = names::Meta { id: *id, first_name, version: *postgres_version, namespace: &settings.namespace };
    Objects {
        network_policy: network_policy::network_policy(&meta),
        client_service: services::client(&meta, name, exposure, settings),
        secret: secret::secret(
            &meta,
            &secret::Content {
                credentials,
                certificate,
                size: Size { cpu_millis: *cpu_millis, memory_mb: *memory_mb },
                storage_gb: *storage_gb,
                require_tls: *require_tls,
                parameters,
                data,
                closed: *closed,
            },
        ),
        headless_service: services::headless(&meta),
        stateful_set: stateful_set::stateful_set(
            &meta,
            &stateful_set::Server {
                storage_gb: *storage_gb,
                cpu_millis: *cpu_millis,
                memory_mb: *memory_mb,
                username,
                database,
                roles: credentials.roles(),
                data,
                suspended: *suspended,
            },
            settings,
        ),
    }
}
