//! The Job that fills the volume of a new instance from a backup, before the StatefulSet starts its server on it.
//!
//! The image of the control plane fetches the backup beside the data directory, PostgreSQL recovers it there, and the image of the control
//! plane makes it the data directory at last. So a data directory is complete, whatever was interrupted, and what finds one leaves it alone.

use k8s_openapi::{
    ByteString,
    api::{
        batch::v1::{Job, JobSpec},
        core::v1::{
            Container, EnvVar, EnvVarSource, KeyToPath, PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec,
            ResourceRequirements, Secret, SecretKeySelector, SecretVolumeSource, Volume, VolumeMount,
        },
        networking::v1::{NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyPort, NetworkPolicySpec},
    },
    apimachinery::pkg::{
        apis::meta::v1::{LabelSelector, ObjectMeta},
        util::intstr::IntOrString,
    },
};
use toygres_domain::{
    restoration::{RECOVERY_SETTINGS, Restoration, finishing_statements},
    roles::DATABASE,
    runtime::Deployment,
};

use super::{
    names::{self, COMPONENT_LABEL, DATA_VOLUME, Meta, PORT, RESTORE},
    stateful_set::{claim, common_pod, data_paths, resources, scratch, security_context, shared_memory, some_unless_empty, variable, volume_mount},
};
use crate::{
    Settings,
    settings::{NetworkStore, STORE_DIRECTORY},
};

/// The containers, in the order in which they run.
pub(crate) const FETCH: &str = "fetch";
/// See [`FETCH`].
pub(crate) const RECOVER: &str = "recover";
/// See [`FETCH`].
pub(crate) const FINISH: &str = "finish";

/// Runs in the image of PostgreSQL.
const RECOVER_SCRIPT: &str = include_str!("restore.sh");

/// The statements, which the script reads.
const STATEMENTS: (&str, &str) = ("finish.sql", "/run/secrets/restore");

/// Megabytes for what fetches a backup: it unpacks one part of it while it holds two more.
pub(super) const FETCH_MEMORY_MB: i32 = 512;

/// The ports besides that of the store: DNS (OpenShift's too), the identity of the machine, and that of the workload. They are listed
/// besides the ranges, because some network plugins ignore `endPort`.
const PORTS: [(&str, i32); 5] = [("UDP", 53), ("UDP", 5353), ("TCP", 53), ("TCP", 80), ("TCP", 443)];

/// All TCP ports but that of PostgreSQL. The port that policies are about cannot be known here: where a Service is in between, it is the port
/// of its pods, and not the one in the URL of the store.
const RANGES: [(i32, i32); 2] = [(1, PORT.0 - 1), (PORT.0 + 1, 65_535)];

/// The objects of a restoration, in the order in which they are created.
///
/// There is no `Debug`, because one of them holds the keys of the store.
pub struct RestoreObjects {
    /// Lets the pod reach the store, in addition to the policy of the instance, which lets it reach nothing.
    pub network_policy: NetworkPolicy,
    /// As the StatefulSet would create it, so that it uses it.
    pub claim: PersistentVolumeClaim,
    /// The Job.
    pub job: Job,
    /// The keys of the store and the statements. It belongs to the Job, which exists by then.
    pub secret: Secret,
}

/// Computes the objects of a restoration. `image` is that of the control plane.
#[must_use]
pub fn restore_objects(
    deployment: &Deployment,
    restoration: &Restoration,
    settings: &Settings,
    (image, store): (&str, &NetworkStore),
) -> RestoreObjects {
    let Deployment { id, first_name, spec, .. } = deployment;
    let meta = Meta { id: *id, first_name, version: spec.postgres_version, namespace: &settings.namespace };
    let mut claim = claim(&meta, names::claim(*id), spec.storage_gb, settings);
    claim.metadata.namespace = Some(settings.namespace.clone());
    RestoreObjects {
        network_policy: network_policy(&meta, store),
        claim,
        job: job(&meta, deployment, restoration, settings, (image, store)),
        secret: secret(&meta, deployment, store),
    }
}

fn network_policy(meta: &Meta<'_>, store: &NetworkStore) -> NetworkPolicy {
    let mut pods = meta.pod_selector();
    pods.insert(COMPONENT_LABEL.to_owned(), RESTORE.to_owned());
    NetworkPolicy {
        metadata: meta.of_restoration(),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector { match_labels: Some(pods), ..LabelSelector::default() }),
            policy_types: Some(vec!["Egress".to_owned()]),
            egress: Some(vec![egress_to(store)]),
            ..NetworkPolicySpec::default()
        }),
    }
}

/// Lets a pod reach a store: any address, because a policy cannot name one. The port of PostgreSQL is left out, so that no instance is
/// reached.
pub(super) fn egress_to(store: &NetworkStore) -> NetworkPolicyEgressRule {
    let of_store = ("TCP", i32::from(store.port));
    let ports = PORTS.into_iter().chain((!PORTS.contains(&of_store)).then_some(of_store));
    let allowed =
        |protocol: &str, port, end_port| NetworkPolicyPort { port: Some(IntOrString::Int(port)), end_port, protocol: Some(protocol.to_owned()) };
    let single = ports.map(|(protocol, port)| allowed(protocol, port, None));
    let ranges = RANGES.map(|(first, last)| allowed("TCP", first, Some(last)));
    NetworkPolicyEgressRule { ports: Some(single.chain(ranges).collect()), ..NetworkPolicyEgressRule::default() }
}

fn secret(meta: &Meta<'_>, deployment: &Deployment, store: &NetworkStore) -> Secret {
    let credentials = &deployment.credentials;
    // An instance that is restored is new, and has the roles of the platform.
    let superuser = credentials.platform.as_ref().map_or(&credentials.owner, |platform| &platform.superuser);
    let statements = finishing_statements(&deployment.spec.username, &credentials.owner, superuser);
    Secret {
        metadata: meta.of_restoration(),
        type_: Some("Opaque".to_owned()),
        data: Some(keys(store).chain([(STATEMENTS.0.to_owned(), ByteString(statements.into_bytes()))]).collect()),
        ..Secret::default()
    }
}

/// The entries of a Secret with what it takes to reach a store.
pub(super) fn keys(store: &NetworkStore) -> impl Iterator<Item = (String, ByteString)> {
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    store.environment.iter().chain(&store.files).map(move |(name, value)| (name.clone(), bytes(value.expose())))
}

/// The container that fetches a backup to `directory`, with the keys of the store in the Secret `secret`.
pub(super) fn fetch(
    image: &str,
    directory: &str,
    restoration: &Restoration,
    (secret, store): (&str, &NetworkStore),
    data: VolumeMount,
    resources: ResourceRequirements,
) -> Container {
    let wanted = serde_json::json!(restoration).to_string();
    let files = (!store.files.is_empty()).then(|| read_only("store", STORE_DIRECTORY));
    Container {
        args: Some(["restore-volume", "--directory", directory, "--restoration", &wanted].map(str::to_owned).into()),
        env: some_unless_empty(store.environment.iter().map(|(name, _)| from_secret(secret, name)).collect()),
        volume_mounts: Some([data, volume_mount("tmp", "/tmp")].into_iter().chain(files).collect()),
        ..container(FETCH, image.to_owned(), resources)
    }
}

fn read_only(name: &str, path: &str) -> VolumeMount {
    VolumeMount { read_only: Some(true), ..volume_mount(name, path) }
}

fn job(meta: &Meta<'_>, deployment: &Deployment, restoration: &Restoration, settings: &Settings, (image, store): (&str, &NetworkStore)) -> Job {
    let Meta { version, .. } = *meta;
    let spec = &deployment.spec;
    let (mount, pgdata) = data_paths(version);
    let own = |memory_mb| resources(spec.cpu_millis, memory_mb, settings);
    let data = || volume_mount(DATA_VOLUME, mount);
    let secret = names::restore(meta.id);
    let fetch = fetch(image, &pgdata, restoration, (&secret, store), data(), own(spec.memory_mb.max(FETCH_MEMORY_MB)));
    let recovery_settings = RECOVERY_SETTINGS.iter().flat_map(|setting| ["-c", setting]);
    let recover = Container {
        command: Some(["sh", "-c", RECOVER_SCRIPT, RESTORE].map(str::to_owned).into()),
        args: Some(recovery_settings.chain([DATABASE]).map(str::to_owned).collect()),
        env: Some(vec![variable("PGDATA", pgdata.clone())]),
        volume_mounts: Some(vec![data(), volume_mount("tmp", "/tmp"), volume_mount("shm", "/dev/shm"), read_only("statements", STATEMENTS.1)]),
        ..container(RECOVER, settings.image(version), own(spec.memory_mb))
    };
    let finish = Container {
        args: Some(["restore-volume", "--directory", &pgdata, "--finish"].map(str::to_owned).into()),
        volume_mounts: Some(vec![data()]),
        ..container(FINISH, image.to_owned(), own(spec.memory_mb))
    };
    job_of(meta.of_restoration(), (vec![fetch, recover], finish), volumes(meta, spec.memory_mb, store), settings)
}

/// A Job whose containers run one after the other, once.
pub(super) fn job_of(metadata: ObjectMeta, (first, last): (Vec<Container>, Container), volumes: Vec<Volume>, settings: &Settings) -> Job {
    let mut labels = metadata.labels.clone().unwrap_or_default();
    if settings.restore.service_account.is_some() {
        // Azure's workload identity asks for it.
        labels.insert("azure.workload.identity/use".to_owned(), "true".to_owned());
    }
    Job {
        metadata,
        spec: Some(JobSpec {
            // Whether another attempt makes sense is decided by the reason.
            backoff_limit: Some(0),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(labels),
                    annotations: Some(settings.pod_annotations.clone()).filter(|annotations| !annotations.is_empty()),
                    ..ObjectMeta::default()
                }),
                spec: Some(PodSpec {
                    restart_policy: Some("Never".to_owned()),
                    service_account_name: settings.restore.service_account.clone(),
                    init_containers: Some(first),
                    containers: vec![last],
                    volumes: Some(volumes),
                    ..common_pod(settings)
                }),
            },
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// A container of a Job.
pub(super) fn container(name: &str, image: String, resources: ResourceRequirements) -> Container {
    Container {
        name: name.to_owned(),
        image: Some(image),
        security_context: Some(security_context()),
        resources: Some(resources),
        // The reason of a failure is in the status of the pod, so that no log has to be read for it.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

fn from_secret(secret: &str, name: &str) -> EnvVar {
    let key = SecretKeySelector { name: secret.to_owned(), key: name.to_owned(), ..SecretKeySelector::default() };
    EnvVar { name: name.to_owned(), value_from: Some(EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() }), ..EnvVar::default() }
}

/// A volume with some entries of a Secret as files.
pub(super) fn files(name: &str, secret: &str, keys: Vec<&str>) -> Volume {
    Volume {
        name: name.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.to_owned()),
            default_mode: Some(0o440),
            items: Some(keys.into_iter().map(|key| KeyToPath { key: key.to_owned(), path: key.to_owned(), ..KeyToPath::default() }).collect()),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// The volume with the files of a store, if it has any.
pub(super) fn store_files(secret: &str, store: &NetworkStore) -> Option<Volume> {
    (!store.files.is_empty()).then(|| files("store", secret, store.files.iter().map(|(name, _)| name.as_str()).collect()))
}

fn volumes(meta: &Meta<'_>, memory_mb: i32, store: &NetworkStore) -> Vec<Volume> {
    let secret = names::restore(meta.id);
    let data = Volume {
        name: DATA_VOLUME.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource { claim_name: names::claim(meta.id), read_only: None }),
        ..Volume::default()
    };
    let always = [data, scratch("tmp", "256Mi"), shared_memory(memory_mb), files("statements", &secret, vec![STATEMENTS.0])];
    always.into_iter().chain(store_files(&secret, store)).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

    use super::*;

    /// Runs the script with programs that write what they are called with, of which one may fail.
    fn recover(root: &Path, failing: &str) -> (Option<i32>, String) {
        for program in ["postgres", "initdb"] {
            let text =
                format!("#!/bin/sh\necho \"{program} $*\" >>\"$CALLS\"\n[ {program} = initdb ] || cat >>\"$CALLS\"\n[ {program} != \"$FAILING\" ]\n");
            fs::write(root.join(program), text).unwrap();
            fs::set_permissions(root.join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(root.join(STATEMENTS.0), "SELECT 1\n").unwrap();
        let calls = root.join("calls");
        let _ = fs::remove_file(&calls);
        let script = RECOVER_SCRIPT.replace(STATEMENTS.1, root.to_str().unwrap());
        let status = Command::new("sh")
            .args(["-c", &script, RESTORE, "-c", "ssl=off", DATABASE])
            .env("PATH", format!("{}:{}", root.display(), std::env::var("PATH").unwrap()))
            .env("PGDATA", root.join("pgdata"))
            .env("CALLS", &calls)
            .env("FAILING", failing)
            .status()
            .unwrap();
        let calls = fs::read_to_string(calls).unwrap_or_default();
        (status.code(), calls.replace(root.to_str().unwrap(), ""))
    }

    #[test]
    fn what_was_fetched_is_recovered_and_synced() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(recover(root.path(), ""), (Some(0), String::new()), "there is nothing to recover");
        fs::create_dir(root.path().join("pgdata.restoring")).unwrap();
        let recovered = "postgres --single -D /pgdata.restoring -c ssl=off postgres\nSELECT 1\n";
        assert_eq!(recover(root.path(), ""), (Some(0), format!("{recovered}initdb --sync-only -D /pgdata.restoring\n")));
        assert_eq!(recover(root.path(), "postgres"), (Some(1), recovered.to_owned()));
        assert_eq!(recover(root.path(), "initdb").0, Some(1));
    }
}
