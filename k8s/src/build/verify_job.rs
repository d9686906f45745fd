//! The Job that verifies a base backup: in a pod with a temporary volume, the image of the control plane fetches it, and PostgreSQL recovers
//! and reads it. Everything belongs to the Job, and goes with it.

use k8s_openapi::{
    api::{
        batch::v1::Job,
        core::v1::{Container, EmptyDirVolumeSource, Secret, Volume},
        networking::v1::{NetworkPolicy, NetworkPolicySpec},
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
    },
};
use toygres_domain::{
    roles::DATABASE,
    verification::{CHECK_SCRIPT, Verification, check_settings},
};

use super::{
    names::{self, DATA_VOLUME, VERIFICATION_LABEL},
    restore_job::{FETCH_MEMORY_MB, RECOVER, container, egress_to, fetch, job_of, keys, store_files},
    stateful_set::{data_paths, resources, scratch, shared_memory, variable, volume_mount},
};
use crate::{Settings, settings::NetworkStore};

/// The container that reads what was recovered.
pub(crate) const CHECK: &str = "check";

/// Seconds after which a Job goes that nobody asks for any more.
const KEPT_SECONDS: i32 = 3600;
/// Seconds after which a Job is ended whose control plane has died before its pod had what it waits for, if nobody asks for it any more: those
/// of a pod that starts at last, and those that the slowest store or disk takes for each part of the volume. One that is ended although it is
/// asked for is made anew.
const STARTS_WITHIN_SECONDS: u64 = 3600;
const MEBIBYTES_PER_SECOND: u64 = 4;
/// Thousandths of a core.
const CPU_MILLIS: i32 = 500;

/// The objects of a verification. The first exists before the others, which belong to it.
///
/// There is no `Debug`, because one of them holds the keys of the store.
pub struct VerifyObjects {
    /// The Job, whose pod waits for the Secret.
    pub job: Job,
    /// Lets the pod reach the store, and nothing reach the pod.
    pub network_policy: NetworkPolicy,
    /// The keys of the store.
    pub secret: Secret,
}

/// Computes the objects of a verification. `image` is that of the control plane.
#[must_use]
pub fn verify_objects(verification: &Verification, settings: &Settings, (image, store): (&str, &NetworkStore)) -> VerifyObjects {
    let Verification { backup, restoration, version, bytes } = verification;
    let name = names::verification(*backup);
    let label = || (VERIFICATION_LABEL.to_owned(), backup.to_string());
    let labels = [("app.kubernetes.io/managed-by".to_owned(), "toygres".to_owned()), label()];
    let metadata = || ObjectMeta {
        name: Some(name.clone()),
        namespace: Some(settings.namespace.clone()),
        labels: Some(labels.clone().into()),
        ..ObjectMeta::default()
    };
    let (mount, pgdata) = data_paths(*version);
    let own = || resources(CPU_MILLIS, FETCH_MEMORY_MB, settings);
    let data = || volume_mount(DATA_VOLUME, mount);
    // Where `restore-volume` leaves it.
    let directory = format!("{pgdata}.restoring");
    let options = |all: Vec<&'static str>| all.into_iter().flat_map(|setting| ["-c".to_owned(), setting.to_owned()]);
    let mounts = || Some(vec![data(), volume_mount("tmp", "/tmp"), volume_mount("shm", "/dev/shm")]);
    let program = ["postgres", "--single", "-D", &directory].map(str::to_owned);
    let recover = Container {
        // As a child, because PostgreSQL does not expect to be the first process.
        command: Some(["sh", "-c", "\"$@\" </dev/null >/dev/null", RECOVER].map(str::to_owned).into()),
        args: Some(program.into_iter().chain(options(check_settings().collect())).chain([DATABASE.to_owned()]).collect()),
        env: Some(vec![variable("PGDATA", pgdata.clone())]),
        volume_mounts: mounts(),
        ..container(RECOVER, settings.image(*version), own())
    };
    let check = Container {
        command: Some(["sh", "-c", CHECK_SCRIPT, CHECK].map(str::to_owned).into()),
        args: Some([directory.clone()].into_iter().chain(options(check_settings().collect())).collect()),
        volume_mounts: mounts(),
        ..container(CHECK, settings.image(*version), own())
    };
    let fetch = fetch(image, &pgdata, restoration, (&name, store), data(), own());
    let always = [temporary(*bytes), scratch("tmp", "256Mi"), shared_memory(FETCH_MEMORY_MB)];
    let volumes = always.into_iter().chain(store_files(&name, store)).collect();
    let mut job = job_of(metadata(), (vec![fetch, recover], check), volumes, settings);
    if let Some(spec) = &mut job.spec {
        spec.ttl_seconds_after_finished = Some(KEPT_SECONDS);
        spec.active_deadline_seconds = Some(deadline_seconds(*bytes));
    }
    let selector = LabelSelector { match_labels: Some([label()].into()), ..LabelSelector::default() };
    let network_policy = NetworkPolicy {
        metadata: metadata(),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            egress: Some(vec![egress_to(store)]),
            ..NetworkPolicySpec::default()
        }),
    };
    let secret = Secret { metadata: metadata(), type_: Some("Opaque".to_owned()), data: Some(keys(store).collect()), ..Secret::default() };
    VerifyObjects { job, network_policy, secret }
}

/// How long the Job may last.
fn deadline_seconds(bytes: u64) -> i64 {
    i64::try_from(STARTS_WITHIN_SECONDS + volume_mebibytes(bytes) / MEBIBYTES_PER_SECOND).unwrap_or(i64::MAX)
}

/// Room for the files, the WAL that is needed, and what recovery writes.
fn volume_mebibytes(bytes: u64) -> u64 {
    bytes.saturating_mul(2).div_ceil(1 << 20) + 1024
}

/// A volume of the node.
fn temporary(bytes: u64) -> Volume {
    let limit = Quantity(format!("{}Mi", volume_mebibytes(bytes)));
    Volume {
        name: DATA_VOLUME.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource { size_limit: Some(limit), ..EmptyDirVolumeSource::default() }),
        ..Volume::default()
    }
}
