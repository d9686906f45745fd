//! The StatefulSet: one pod that runs PostgreSQL, and its volume claim.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec},
        core::v1::{
            Capabilities, Container, ContainerPort, EmptyDirVolumeSource, EnvVar, ExecAction, KeyToPath, LocalObjectReference, PersistentVolumeClaim,
            PersistentVolumeClaimSpec, PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecretVolumeSource,
            SecurityContext, Toleration, Volume, VolumeMount, VolumeResourceRequirements,
        },
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{LabelSelector, ObjectMeta},
    },
};
use toygres_domain::{
    data::Data,
    instance::PostgresVersion,
    name::SqlName,
    roles::{DATABASE, Roles, SUPERUSER},
};

use super::{
    names::{self, DATA_VOLUME, Meta, PORT, SUSPENDED_ANNOTATION, VOLUME_ANNOTATION},
    secret::{CONFIGURATION_KEY, PASSWORD_KEY},
    start::{INITDB_DIRECTORY, INITIALIZED_KEY, START_SCRIPT},
};
use crate::{Settings, settings};

/// The container that runs PostgreSQL.
pub(crate) const CONTAINER: &str = "postgresql";

/// The seconds for a shutdown. The image stops with SIGINT, PostgreSQL's fast shutdown, which ends with a checkpoint.
pub(crate) const GRACE_PERIOD: u32 = 120;

/// Where the Secret is mounted.
pub(super) const SECRET_DIRECTORY: &str = "/run/secrets/toygres";

/// The part of the specification that concerns the pod.
pub(super) struct Server<'a> {
    pub(super) storage_gb: i32,
    pub(super) cpu_millis: i32,
    pub(super) memory_mb: i32,
    pub(super) username: &'a SqlName,
    pub(super) database: &'a SqlName,
    pub(super) roles: Roles,
    pub(super) data: &'a Data,
    pub(super) suspended: bool,
}

pub(super) fn stateful_set(meta: &Meta<'_>, server: &Server<'_>, settings: &Settings) -> StatefulSet {
    let mut pod_meta = meta.object(String::new());
    pod_meta.name = None;
    pod_meta.namespace = None;
    pod_meta.annotations = Some(settings.pod_annotations.clone()).filter(|annotations| !annotations.is_empty());
    let mut metadata = meta.object(names::object(meta.id));
    // Of the StatefulSet only: a changed pod template would restart the server.
    let volume = server.data.volume().map(|volume| (VOLUME_ANNOTATION.to_owned(), volume.to_string()));
    let suspended = server.suspended.then(|| (SUSPENDED_ANNOTATION.to_owned(), "true".to_owned()));
    metadata.annotations = Some(volume.into_iter().chain(suspended).collect::<BTreeMap<_, _>>()).filter(|annotations| !annotations.is_empty());
    StatefulSet {
        metadata,
        spec: Some(StatefulSetSpec {
            service_name: Some(names::headless_service(meta.id)),
            replicas: Some(if server.suspended { 0 } else { 1 }),
            // With the default, OrderedReady, a pod that never gets ready is not replaced when the template is repaired.
            pod_management_policy: Some("Parallel".to_owned()),
            selector: LabelSelector { match_labels: Some(meta.pod_selector()), ..LabelSelector::default() },
            persistent_volume_claim_retention_policy: Some(StatefulSetPersistentVolumeClaimRetentionPolicy {
                // The control plane deletes claims itself, unless the caller asked to keep them.
                when_deleted: Some("Retain".to_owned()),
                when_scaled: Some("Retain".to_owned()),
            }),
            volume_claim_templates: Some(vec![claim(meta, DATA_VOLUME.to_owned(), server.storage_gb, settings)]),
            template: PodTemplateSpec { metadata: Some(pod_meta), spec: Some(pod(meta, server, settings)) },
            ..StatefulSetSpec::default()
        }),
        status: None,
    }
}

pub(super) fn claim(meta: &Meta<'_>, name: String, storage_gb: i32, settings: &Settings) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        metadata: ObjectMeta { name: Some(name), labels: Some(meta.immutable_labels()), ..ObjectMeta::default() },
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            storage_class_name: settings.storage_class.clone(),
            resources: Some(VolumeResourceRequirements {
                requests: Some(quantities([("storage", format!("{storage_gb}Gi"))])),
                ..VolumeResourceRequirements::default()
            }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

fn pod(meta: &Meta<'_>, server: &Server<'_>, settings: &Settings) -> PodSpec {
    PodSpec {
        // PID 1 is then the init process of the pod. As PID 1, PostgreSQL would adopt the children of a probe that is killed because it
        // takes too long, and take the exit of one for a crashed session, upon which it ends all sessions.
        share_process_namespace: Some(true),
        termination_grace_period_seconds: Some(GRACE_PERIOD.into()),
        containers: vec![container(meta.version, server, settings)],
        volumes: Some(volumes(meta, server.memory_mb)),
        ..common_pod(settings)
    }
}

/// What every pod that uses the volume of an instance has in common: as whom it runs, and on which nodes.
pub(super) fn common_pod(settings: &Settings) -> PodSpec {
    PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(settings.image_uid),
            run_as_group: Some(settings.image_uid),
            fs_group: Some(settings.image_uid),
            // Changing the owner of every file of a large volume would take longer than the start.
            fs_group_change_policy: Some("OnRootMismatch".to_owned()),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), ..SeccompProfile::default() }),
            ..PodSecurityContext::default()
        }),
        image_pull_secrets: some_unless_empty(settings.image_pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() }).collect()),
        node_selector: Some(settings.node_selector.clone()).filter(|selector| !selector.is_empty()),
        tolerations: some_unless_empty(settings.tolerations.iter().map(toleration).collect()),
        ..PodSpec::default()
    }
}

fn container(version: PostgresVersion, server: &Server<'_>, settings: &Settings) -> Container {
    let (mount, pgdata) = data_paths(version);
    // The entrypoint makes this role, which is the superuser, and this database. `initdb` has made the latter already.
    let (superuser, database, image, locale) = match server.roles {
        Roles::Platform => (SUPERUSER, DATABASE, settings.image(version), format!(" {}", version.locale_options().join(" "))),
        Roles::OwnerOnly => (server.username.as_str(), server.database.as_str(), settings.image_of_earlier_release(version), String::new()),
    };
    let env = [
        ("POSTGRES_USER", superuser.to_owned()),
        ("POSTGRES_DB", database.to_owned()),
        ("POSTGRES_PASSWORD_FILE", format!("{SECRET_DIRECTORY}/{PASSWORD_KEY}")),
        ("POSTGRES_INITDB_ARGS", format!("--auth-host=scram-sha-256 --data-checksums{locale}")),
        ("PGDATA", pgdata),
    ];
    Container {
        name: CONTAINER.to_owned(),
        image: Some(image),
        command: Some(["sh", "-c", START_SCRIPT, "toygres"].map(str::to_owned).into()),
        args: Some(vec![
            "-c".to_owned(),
            format!("config_file={SECRET_DIRECTORY}/{CONFIGURATION_KEY}"),
            "-c".to_owned(),
            "listen_addresses=*".to_owned(),
        ]),
        env: Some(env.map(|(name, value)| variable(name, value)).into()),
        ports: Some(vec![ContainerPort {
            name: Some(PORT.1.to_owned()),
            container_port: PORT.0,
            protocol: Some("TCP".to_owned()),
            ..ContainerPort::default()
        }]),
        security_context: Some(security_context()),
        resources: Some(resources(server.cpu_millis, server.memory_mb, settings)),
        startup_probe: Some(Probe { period_seconds: Some(1), failure_threshold: Some(600), ..probe(&alive()) }),
        readiness_probe: Some(Probe { period_seconds: Some(2), failure_threshold: Some(3), ..probe(&READY) }),
        liveness_probe: Some(Probe { period_seconds: Some(10), failure_threshold: Some(6), ..probe(&alive()) }),
        // The kubelet copies the last lines of the log into the status of a failed container: they give the reason of a crash
        // loop without a permission to read logs.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        volume_mounts: Some(vec![
            volume_mount(DATA_VOLUME, mount),
            volume_mount("run", "/var/run/postgresql"),
            volume_mount("tmp", "/tmp"),
            volume_mount("shm", "/dev/shm"),
            VolumeMount { read_only: Some(true), ..volume_mount("password", SECRET_DIRECTORY) },
            VolumeMount { read_only: Some(true), ..volume_mount("first-start", INITDB_DIRECTORY) },
        ]),
        ..Container::default()
    }
}

/// What every container may do: nothing but run.
pub(super) fn security_context() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}

/// The resources of a container.
pub(super) fn resources(cpu_millis: i32, memory_mb: i32, settings: &Settings) -> ResourceRequirements {
    let cpu = ("cpu", format!("{cpu_millis}m"));
    let memory = ("memory", format!("{memory_mb}Mi"));
    ResourceRequirements {
        requests: Some(quantities([cpu.clone(), memory.clone()])),
        // A container that uses more memory than it requested is killed first when the node runs out of memory.
        limits: Some(if settings.limit_cpu { quantities([cpu, memory]) } else { quantities([memory]) }),
        ..ResourceRequirements::default()
    }
}

/// The mount point of the volume and the data directory in it. The data directory is never the mount point itself, which can
/// contain a `lost+found` that `initdb` refuses. From version 18 on, the images use a directory named after the version.
pub(super) fn data_paths(version: PostgresVersion) -> (&'static str, String) {
    if version.0 >= 18 {
        ("/var/lib/postgresql", format!("/var/lib/postgresql/{version}/docker"))
    } else {
        ("/var/lib/postgresql/data", "/var/lib/postgresql/data/pgdata".to_owned())
    }
}

/// Asks over TCP, because the image's first start, which creates the database, already answers on the socket.
const READY: [&str; 6] = ["pg_isready", "-q", "-h", "127.0.0.1", "-p", "5432"];

/// Accepts "starting up" (1) too: a server that replays its log after a crash must not be killed for it.
fn alive() -> [&'static str; 3] {
    ["sh", "-c", "pg_isready -q -h 127.0.0.1 -p 5432; [ $? -le 1 ]"]
}

fn probe(command: &[&str]) -> Probe {
    Probe {
        exec: Some(ExecAction { command: Some(command.iter().map(|&word| word.to_owned()).collect()) }),
        timeout_seconds: Some(5),
        ..Probe::default()
    }
}

fn volumes(meta: &Meta<'_>, memory_mb: i32) -> Vec<Volume> {
    vec![
        scratch("run", "16Mi"),
        scratch("tmp", "256Mi"),
        shared_memory(memory_mb),
        Volume {
            name: "password".to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(names::object(meta.id)),
                default_mode: Some(0o440),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        },
        Volume {
            name: "first-start".to_owned(),
            secret: Some(SecretVolumeSource {
                secret_name: Some(names::object(meta.id)),
                // Not executable: the entrypoint then runs it in its own shell.
                default_mode: Some(0o440),
                items: Some(vec![KeyToPath { key: INITIALIZED_KEY.to_owned(), path: INITIALIZED_KEY.to_owned(), ..KeyToPath::default() }]),
                ..SecretVolumeSource::default()
            }),
            ..Volume::default()
        },
    ]
}

/// Temporary files. Without a limit they take the disk of the node.
pub(super) fn scratch(name: &str, limit: &str) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource { size_limit: Some(Quantity(limit.to_owned())), ..EmptyDirVolumeSource::default() }),
        ..Volume::default()
    }
}

/// Parallel queries keep their hash tables here. It counts as memory of the container, so it gets a share of it; the 64 MiB that
/// containers have by default fail the queries of a large instance.
pub(super) fn shared_memory(memory_mb: i32) -> Volume {
    Volume {
        name: "shm".to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: Some("Memory".to_owned()),
            size_limit: Some(Quantity(format!("{}Mi", (memory_mb / 4).max(64)))),
        }),
        ..Volume::default()
    }
}

pub(super) fn variable(name: &str, value: String) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value), ..EnvVar::default() }
}

pub(super) fn volume_mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount { name: name.to_owned(), mount_path: path.to_owned(), ..VolumeMount::default() }
}

fn toleration(toleration: &settings::Toleration) -> Toleration {
    let settings::Toleration { key, operator, value, effect, toleration_seconds } = toleration.clone();
    Toleration { key, operator, value, effect, toleration_seconds }
}

fn quantities<const N: usize>(amounts: [(&str, String); N]) -> BTreeMap<String, Quantity> {
    amounts.map(|(name, amount)| (name.to_owned(), Quantity(amount))).into()
}

pub(super) fn some_unless_empty<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}
