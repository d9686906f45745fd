//! Deployments of the tests.

use toygres_domain::{
    InstanceId,
    backup::ArchiveId,
    certificate::ServerCertificate,
    data::Data,
    instance::{Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
    name::SqlName,
    restoration::{Restoration, RestoreTarget},
    roles::{Credentials, PlatformCredentials},
    runtime::Deployment,
    secret::Secret,
};
use toygres_k8s::{
    Settings,
    settings::{EndpointHost, NetworkStore, RestoreSettings, StoreAccess},
};

/// A password with characters that are special in a shell or in YAML.
pub(crate) const PASSWORD: &str = "p@ss'w\"ord $1";

/// A small instance with the id of the recordings.
pub(crate) fn deployment() -> Deployment {
    Deployment {
        id: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
        name: "pg-demo".parse().unwrap(),
        first_name: "pg-demo".parse().unwrap(),
        spec: InstanceSpec {
            postgres_version: PostgresVersion(17),
            storage_gb: 1,
            cpu_millis: 100,
            memory_mb: 256,
            username: SqlName::role("app").unwrap(),
            database: SqlName::database("appdb").unwrap(),
            exposure: Exposure::Cluster,
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
            parameters: Default::default(),
        },
        credentials: credentials(),
        data: Data::New,
        certificate: ServerCertificate { chain: "a certificate\n".to_owned(), key: Secret::new("a key\n".to_owned()) },
        suspended: false,
        closed: false,
    }
}

/// The passwords of its roles.
pub(crate) fn credentials() -> Credentials {
    let password = |text: &str| Secret::new(text.to_owned());
    let platform = PlatformCredentials { superuser: password(PASSWORD), monitor: password("monitor") };
    Credentials { owner: password("the owner's"), platform: Some(platform) }
}

/// The small instance with a new id.
pub(crate) fn another(name: &str) -> Deployment {
    Deployment { id: InstanceId::generate(), name: name.parse().unwrap(), first_name: name.parse().unwrap(), ..deployment() }
}

/// Settings with which instances can be restored.
pub(crate) fn restoring() -> Settings {
    let environment = [("TOYGRES_BACKUP_STORE", "s3://backups?endpoint=http://minio:9000"), ("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", "the key")];
    let environment = environment.map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned()))).into();
    let store = StoreAccess::Network(Box::new(NetworkStore { environment, files: Vec::new(), port: 9000 }));
    Settings {
        endpoint_host: Some(EndpointHost::ServiceName),
        restore: RestoreSettings { image: Some("r.example/toygres:1.2.3".to_owned()), service_account: None, store },
        ..Settings::default()
    }
}

/// A restoration of everything in an archive.
pub(crate) fn restoration() -> Restoration {
    let id = "00000000-0000-0000-0000-000000000002";
    let (source, archive) = (id.parse().unwrap(), id.parse::<ArchiveId>().unwrap());
    Restoration { source, archive, target: RestoreTarget::Latest, known: None, avoid: Vec::new(), clones: false }
}
