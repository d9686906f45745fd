//! The objects, as YAML that kubectl accepts. `UPDATE_GOLDEN=1` writes the files.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use serde::Serialize;
use toygres_domain::{
    OperationId,
    data::{Data, VolumeId},
    instance::{Exposure, PostgresVersion},
    operation::OperationKind,
    runtime::Deployment,
    upgrade::Upgrade,
};
use toygres_k8s::{Settings, build, settings::Toleration};

use crate::fixture;

#[test]
fn objects_of_every_version() {
    for version in PostgresVersion::offered() {
        let mut deployment = fixture::deployment();
        deployment.spec.postgres_version = version;
        check(&format!("postgres-{version}"), &deployment, &Settings::default());
    }
}

/// An instance whose owner is the superuser keeps its objects, because another pod template would restart it.
#[test]
fn objects_of_an_earlier_release() {
    let mut deployment = fixture::deployment();
    deployment.credentials.platform = None;
    check("earlier-release", &deployment, &Settings::default());
}

#[test]
fn objects_of_a_load_balancer() {
    let mut deployment = fixture::deployment();
    deployment.spec.exposure = Exposure::LoadBalancer {
        source_ranges: vec!["203.0.113.0/24".to_owned(), "198.51.100.7/32".to_owned()],
        dns_label: Some("pg-demo".to_owned()),
    };
    check("load-balancer", &deployment, &Settings::default());
}

#[test]
fn objects_of_a_suspended_instance() {
    let mut deployment = fixture::deployment();
    (deployment.data, deployment.suspended) = (Data::Existing(Some(VolumeId("uid-of-the-claim".to_owned()))), true);
    check("suspended", &deployment, &Settings::default());
}

#[test]
fn objects_with_all_settings_of_the_platform() {
    let text =
        |pairs: &[(&str, &str)]| -> BTreeMap<String, String> { pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect() };
    let settings = Settings {
        namespace: "databases".to_owned(),
        storage_class: Some("managed-csi-premium".to_owned()),
        image_registry: Some("registry.example.com".to_owned()),
        image_repository: "mirror/postgres".to_owned(),
        image_tag_suffix: Some("-alpine".to_owned()),
        image_uid: 70,
        image_pull_secrets: vec!["registry-credentials".to_owned()],
        node_selector: text(&[("agentpool", "databases")]),
        tolerations: vec![Toleration {
            key: Some("databases".to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some("NoSchedule".to_owned()),
            ..Toleration::default()
        }],
        limit_cpu: true,
        pod_annotations: text(&[("example.com/team", "databases")]),
        service_annotations: text(&[("example.com/scrape", "false")]),
        ..Settings::default()
    };
    let mut deployment = fixture::deployment();
    deployment.spec.memory_mb = 4096;
    check("platform", &deployment, &settings);
}

#[test]
fn objects_of_a_restoration() {
    let mut settings = fixture::restoring();
    settings.restore.service_account = Some("backups".to_owned());
    let access = settings.restore.available().unwrap();
    let build::RestoreObjects { network_policy, claim, job, mut secret } =
        build::restore_objects(&fixture::deployment(), &fixture::restoration(), &settings, access);
    let statements = secret.data.as_mut().unwrap().get_mut("finish.sql").unwrap();
    let text = String::from_utf8(std::mem::take(&mut statements.0)).unwrap();
    assert_eq!(text.matches("SCRAM-SHA-256$4096:").count(), 2, "{text}");
    // Their salts are random.
    statements.0 = b"statements".to_vec();
    compare("restore", &[document(&network_policy), document(&claim), document(&job), document(&secret)].join("---\n"));
}

#[test]
fn objects_of_an_upgrade() {
    let mut deployment = fixture::deployment();
    deployment.spec.postgres_version = PostgresVersion(18);
    let operation = OperationId::new(OperationKind::Upgrade, deployment.id, 2);
    let upgrade = Upgrade { operation, from: PostgresVersion(17), to: PostgresVersion(18), check_only: false, timeout: Duration::from_secs(120) };
    // Without what restores backups.
    let build::UpgradeObjects { job, secret } = build::upgrade_objects(&deployment, &upgrade, build::UpgradeTask::Upgrade, &fixture::restoring());
    compare("upgrade", &[document(&job), document(&secret)].join("---\n"));
}

fn check(name: &str, deployment: &Deployment, settings: &Settings) {
    compare(name, &yaml(deployment, settings));
}

fn compare(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.yaml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{name}.yaml differs; look at the difference that UPDATE_GOLDEN=1 makes. It is now:\n{actual}");
}

fn yaml(deployment: &Deployment, settings: &Settings) -> String {
    let build::Objects { network_policy, client_service, secret, headless_service, stateful_set } = build::objects(deployment, settings);
    [document(&network_policy), document(&client_service), document(&secret), document(&headless_service), document(&stateful_set)].join("---\n")
}

fn document(object: &impl Serialize) -> String {
    serde_saphyr::to_string(object).unwrap()
}
