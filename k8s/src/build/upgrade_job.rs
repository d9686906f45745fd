//! The Job that upgrades the data of an instance to another major version, or puts the former data back.
//!
//! It has the programs of both versions: the image of the former copies its own into a volume of the pod, which the image of the new one has
//! where it expects them. Both are of the same release of Debian, so they fit. The former data stays beside the new one.

use k8s_openapi::{
    ByteString,
    api::{
        batch::v1::Job,
        core::v1::{Container, PersistentVolumeClaimVolumeSource, Secret, Volume, VolumeMount},
    },
};
use toygres_domain::{
    instance::{InstanceSpec, PostgresVersion},
    runtime::Deployment,
    server_settings::Size,
    upgrade::{UPGRADE_SCRIPT, Upgrade},
};

use super::{
    names::{self, DATA_VOLUME, Meta, UPGRADE_ANNOTATION},
    restore_job::{container, files, job_of},
    secret::configuration,
    stateful_set::{data_paths, resources, scratch, shared_memory, variable, volume_mount},
};
use crate::{Settings, settings::RestoreSettings};

/// The containers, in the order in which they run.
pub(crate) const PROGRAMS: &str = "programs";
/// See [`PROGRAMS`].
pub(crate) const UPGRADE: &str = "upgrade";

/// Runs in the image of the new version.
const VOLUME_SCRIPT: &str = include_str!("upgrade.sh");
/// Runs in the image of the former version, with the directories of its programs and of its other files.
const PROGRAMS_SCRIPT: &str = r#"cp -R "$1" /programs/lib && cp -R "$2" /programs/share"#;

/// Where the volume of the instance is, whole.
const VOLUME: &str = "/volume";
/// Where the configurations are, and what they are called.
const CONFIGURATIONS: (&str, &str, &str) = ("/run/secrets/upgrade", "former.conf", "new.conf");

/// What the Job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeTask {
    /// Finds out whether the data can be upgraded.
    Check,
    /// Upgrades it.
    Upgrade,
    /// Puts the former data back.
    Revert,
}

impl UpgradeTask {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Upgrade => "upgrade",
            Self::Revert => "revert",
        }
    }
}

/// The objects of an upgrade.
///
/// There is no `Debug`, as of other objects with a Secret.
pub struct UpgradeObjects {
    /// The Job.
    pub job: Job,
    /// The configurations. It belongs to the Job, which exists by then.
    pub secret: Secret,
}

/// Computes the objects of an upgrade of an instance.
#[must_use]
pub fn upgrade_objects(deployment: &Deployment, upgrade: &Upgrade, task: UpgradeTask, settings: &Settings) -> UpgradeObjects {
    let Deployment { id, first_name, spec, credentials, .. } = deployment;
    let InstanceSpec { cpu_millis, memory_mb, storage_gb, parameters, .. } = spec;
    let Upgrade { operation, from, to, check_only: _, timeout: _ } = upgrade;
    let meta = |version| Meta { id: *id, first_name, version, namespace: &settings.namespace };
    let size = Size { cpu_millis: *cpu_millis, memory_mb: *memory_mb };
    let configuration_of = |version| ByteString(configuration(&meta(version), size, *storage_gb, credentials.roles(), parameters).into_bytes());
    let mut metadata = meta(*to).of_upgrade();
    let secret = Secret {
        metadata: metadata.clone(),
        type_: Some("Opaque".to_owned()),
        data: Some([(CONFIGURATIONS.1, *from), (CONFIGURATIONS.2, *to)].map(|(key, version)| (key.to_owned(), configuration_of(version))).into()),
        ..Secret::default()
    };
    metadata.annotations = Some([(UPGRADE_ANNOTATION.to_owned(), format!("{operation} {}", task.as_str()))].into());
    let own = || resources(*cpu_millis, *memory_mb, settings);
    let (library, share) = (format!("/usr/lib/postgresql/{from}"), format!("/usr/share/postgresql/{from}"));
    let programs = Container {
        command: Some(["sh", "-c", PROGRAMS_SCRIPT, PROGRAMS].map(str::to_owned).into()),
        args: Some(vec![library.clone(), share.clone()]),
        volume_mounts: Some(vec![volume_mount("programs", "/programs")]),
        ..container(PROGRAMS, settings.image(*from), own())
    };
    let (old, new) = (data_in_volume(*from), data_in_volume(*to));
    let paths = [CONFIGURATIONS.1, CONFIGURATIONS.2].map(|file| format!("{}/{file}", CONFIGURATIONS.0));
    let args = [task.as_str().to_owned(), UPGRADE_SCRIPT.to_owned(), from.to_string(), to.to_string(), old.clone(), new.clone()];
    let of_programs =
        |path: String, sub_path: &str| VolumeMount { sub_path: Some(sub_path.to_owned()), read_only: Some(true), ..volume_mount("programs", &path) };
    let upgrade = Container {
        command: Some(["sh", "-c", VOLUME_SCRIPT, UPGRADE].map(str::to_owned).into()),
        args: Some(args.into_iter().chain(paths).collect()),
        env: Some(vec![variable("LC_ALL", "C".to_owned()), variable("FORMER_DATA", old), variable("NEW_DATA", new)]),
        volume_mounts: Some(vec![
            volume_mount(DATA_VOLUME, VOLUME),
            of_programs(library, "lib"),
            of_programs(share, "share"),
            volume_mount("tmp", "/tmp"),
            volume_mount("shm", "/dev/shm"),
            VolumeMount { read_only: Some(true), ..volume_mount("configurations", CONFIGURATIONS.0) },
        ]),
        ..container(UPGRADE, settings.image(*to), own())
    };
    let data = Volume {
        name: DATA_VOLUME.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource { claim_name: names::claim(*id), read_only: None }),
        ..Volume::default()
    };
    let configurations = files("configurations", &names::upgrade(*id), vec![CONFIGURATIONS.1, CONFIGURATIONS.2]);
    let volumes = vec![data, scratch("programs", "512Mi"), scratch("tmp", "256Mi"), shared_memory(*memory_mb), configurations];
    // Its pod has nothing to do with the store of backups.
    let settings = Settings { restore: RestoreSettings::default(), ..settings.clone() };
    UpgradeObjects { job: job_of(metadata, (vec![programs], upgrade), volumes, &settings), secret }
}

/// The data directory of a version, where the volume is mounted as a whole.
fn data_in_volume(version: PostgresVersion) -> String {
    let (mount, data) = data_paths(version);
    format!("{VOLUME}{}", data.strip_prefix(mount).unwrap_or(&data))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path, process::Command};

    use super::*;

    #[test]
    fn the_data_is_found_wherever_the_volume_is_mounted() {
        assert_eq!(data_in_volume(PostgresVersion(17)), "/volume/pgdata");
        assert_eq!(data_in_volume(PostgresVersion(18)), "/volume/18/docker");
    }

    /// Runs the script on a volume, with an upgrade that may fail, or be interrupted after it.
    fn run(volume: &Path, mode: &str, (old, new): (&str, &str), interrupted: &str) -> bool {
        let upgrade = r#"
            mkdir "$5/data"
            echo 18 >"$5/data/PG_VERSION"
            [ "$1" = check ] && rm -r "$5/data"
            : >"$5/complete"
            [ ! -e "$6" ]
        "#;
        let script = VOLUME_SCRIPT.replace("sync -f", ":").replace(interrupted, &format!("exit 9; {interrupted}"));
        let path = |name: &str| volume.join(name).display().to_string();
        let args = [mode, upgrade, "15", "18", &path(old), &path(new), &path("fail"), "new.conf"];
        Command::new("sh").args(["-c", &script, UPGRADE]).args(args).status().unwrap().success()
    }

    fn volume(old: &str) -> tempfile::TempDir {
        let volume = tempfile::tempdir().unwrap();
        fs::create_dir_all(volume.path().join(old)).unwrap();
        fs::write(volume.path().join(old).join("PG_VERSION"), "15\n").unwrap();
        volume
    }

    fn version(volume: &Path, data: &str) -> String {
        fs::read_to_string(volume.join(data).join("PG_VERSION")).unwrap_or_default().trim().to_owned()
    }

    #[test]
    fn the_former_data_stays_and_is_put_back_from_every_point() {
        const NEVER: &str = "# never";
        for paths @ (old, new) in [("pgdata", "pgdata"), ("pgdata", "18/docker")] {
            for interrupted in [NEVER, "if [ -d \"$next/data\" ]", "mv \"$next/data\" \"$new\"", "[ -e \"$former\" ] || mv"] {
                let volume = volume(old);
                let root = volume.path();
                assert!(run(root, "check", paths, NEVER), "{paths:?}");
                assert_eq!(version(root, old), "15");
                run(root, "upgrade", paths, interrupted);
                // The next Job goes on, and one more changes nothing.
                for _ in 0..2 {
                    assert!(run(root, "upgrade", paths, NEVER), "{paths:?} after {interrupted}");
                    assert_eq!(version(root, new), "18", "{paths:?} after {interrupted}");
                }
                for _ in 0..2 {
                    assert!(run(root, "revert", paths, NEVER));
                    assert_eq!(version(root, old), "15", "{paths:?} after {interrupted}");
                    assert!(old == new || !root.join(new).exists());
                }
                // It is put back from the middle too.
                run(root, "upgrade", paths, interrupted);
                assert!(run(root, "revert", paths, NEVER));
                assert_eq!((version(root, old).as_str(), root.join("next").exists()), ("15", false), "{paths:?} after {interrupted}");
            }
        }
    }

    #[test]
    fn an_upgrade_that_fails_leaves_the_data() {
        let volume = volume("pgdata");
        fs::write(volume.path().join("fail"), "").unwrap();
        assert!(!run(volume.path(), "upgrade", ("pgdata", "pgdata"), "# never"));
        assert_eq!(version(volume.path(), "pgdata"), "15");
    }
}
