//! The Secret with the superuser's password, the certificate, the configuration of PostgreSQL, and whether the instance has run: what is
//! mounted into the pod as files.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use toygres_domain::{
    certificate::ServerCertificate,
    data::Data,
    hba::{Access, pg_hba},
    parameter::{self, Parameters},
    roles::{Credentials, Roles},
    server_settings::{self, Size},
    volume::WalLimits,
};

use super::{
    names::{self, Meta},
    start::{HAS_RUN_KEY, INITIALIZED_KEY, INITIALIZED_SCRIPT},
    stateful_set::{SECRET_DIRECTORY, data_paths},
};

/// The key of the password in the Secret, and so the name of the file in the pod.
pub(super) const PASSWORD_KEY: &str = "password";

/// The key of the configuration.
pub(super) const CONFIGURATION_KEY: &str = "postgresql.conf";

/// The key of the rules for logins.
const HBA_KEY: &str = "pg_hba.conf";

/// The key of the certificate of the server, in front of its key: one file, so that PostgreSQL never reads one without the other while the
/// kubelet replaces them.
pub(super) const CERTIFICATE_KEY: &str = "server.pem";

/// What the Secret is made of.
pub(super) struct Content<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) certificate: &'a ServerCertificate,
    pub(super) size: Size,
    pub(super) storage_gb: i32,
    pub(super) require_tls: bool,
    pub(super) parameters: &'a Parameters,
    pub(super) data: &'a Data,
    pub(super) closed: bool,
}

pub(super) fn secret(meta: &Meta<'_>, content: &Content<'_>) -> Secret {
    let Content { credentials, certificate: ServerCertificate { chain, key }, size, storage_gb, require_tls, parameters, data, closed } = content;
    let roles = credentials.roles();
    let configuration = configuration(meta, *size, *storage_gb, roles, parameters).into_bytes();
    // The NetworkPolicy decides who reaches a pod, and a load balancer may translate addresses.
    let access = Access { addresses: "all", superuser_on_socket: true, require_tls: *require_tls, closed: *closed };
    // That of the owner is nowhere in the pod, unless the owner is the superuser.
    let password = credentials.platform.as_ref().map_or(&credentials.owner, |platform| &platform.superuser);
    let mut content = BTreeMap::from([
        (PASSWORD_KEY.to_owned(), ByteString(password.expose().as_bytes().to_vec())),
        (CONFIGURATION_KEY.to_owned(), ByteString(configuration)),
        (INITIALIZED_KEY.to_owned(), ByteString(INITIALIZED_SCRIPT.as_bytes().to_vec())),
        (CERTIFICATE_KEY.to_owned(), ByteString(format!("{chain}{}", key.expose()).into_bytes())),
    ]);
    if roles == Roles::Platform {
        content.insert(HBA_KEY.to_owned(), ByteString(pg_hba(access).into_bytes()));
    }
    if data.exists() {
        content.insert(HAS_RUN_KEY.to_owned(), ByteString(b"true".to_vec()));
    }
    Secret {
        metadata: meta.object(names::object(meta.id)),
        type_: Some("Opaque".to_owned()),
        // Not `stringData`: that field is write-only, so that a repeated apply would not own the data.
        data: Some(content),
        ..Secret::default()
    }
}

/// The settings of every instance, those that follow from its size, and at the end, where they count, those of the owner; all after the
/// configuration of `initdb`. They are not arguments, because a changed pod template would restart the server when one changes. An instance
/// of an earlier release keeps its own.
pub(super) fn configuration(meta: &Meta<'_>, size: Size, storage_gb: i32, roles: Roles, parameters: &Parameters) -> String {
    let (_, data) = data_paths(meta.version);
    let limits = server_settings::lines(&WalLimits::of_volume(storage_gb).settings());
    let common = match roles {
        Roles::OwnerOnly => String::new(),
        Roles::Platform => {
            // The official images have the contrib modules.
            let settings = server_settings::lines(&server_settings::settings(meta.version, true));
            // A pod has its memory for itself.
            let memory = server_settings::lines(&size.memory_settings(i64::MAX));
            let parallel = server_settings::lines(&size.parallel_settings());
            format!("hba_file = '{SECRET_DIRECTORY}/{HBA_KEY}'\n{settings}{memory}{parallel}")
        }
    };
    // PostgreSQL accepts a key that belongs to root if only its group can read it, which is how the kubelet mounts it.
    let certificate = format!("{SECRET_DIRECTORY}/{CERTIFICATE_KEY}");
    let tls = format!("ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{certificate}'\nssl_min_protocol_version = 'TLSv1.2'\n");
    let preloaded: &[&str] = if roles == Roles::Platform { &[server_settings::STATISTICS_LIBRARY] } else { &[] };
    let own = parameter::configuration(parameters, preloaded);
    format!("include '{data}/postgresql.conf'\n{common}{limits}{tls}{own}")
}

#[cfg(test)]
mod tests {
    use toygres_domain::{InstanceId, instance::PostgresVersion};

    use super::*;

    const SMALL: Size = Size { cpu_millis: 100, memory_mb: 256 };

    #[test]
    fn buffers_and_workers_follow_the_size() {
        let (name, none) = ("orders".parse().unwrap(), Parameters::default());
        let meta = Meta { id: InstanceId::generate(), first_name: &name, version: PostgresVersion(17), namespace: "toygres" };
        let small = configuration(&meta, SMALL, 1, Roles::Platform, &none);
        assert!(small.contains("\nshared_buffers = 64MB\neffective_cache_size = 192MB\nwork_mem = 1024kB\n"), "{small}");
        assert!(small.contains("\nmax_parallel_workers_per_gather = 0\n"), "{small}");
        let large = configuration(&meta, Size { cpu_millis: 8000, memory_mb: 65_536 }, 1, Roles::Platform, &none);
        assert!(large.contains("\nshared_buffers = 16384MB\neffective_cache_size = 49152MB\nwork_mem = 65536kB\n"), "{large}");
        assert!(large.contains("\nmax_parallel_workers_per_gather = 4\n"), "{large}");
    }

    #[test]
    fn the_limits_of_the_log_follow_the_volume() {
        let (name, none) = ("orders".parse().unwrap(), Parameters::default());
        let meta = Meta { id: InstanceId::generate(), first_name: &name, version: PostgresVersion(17), namespace: "toygres" };
        assert!(configuration(&meta, SMALL, 5, Roles::OwnerOnly, &none).starts_with(
            "include '/var/lib/postgresql/data/pgdata/postgresql.conf'\nmax_wal_size = 512MB\nmin_wal_size = 80MB\nmax_slot_wal_keep_size = 1280MB\nssl = on\n"
        ));
        assert!(configuration(&meta, SMALL, 1, Roles::OwnerOnly, &none).contains("max_wal_size = 128MB\n"));
        let common = configuration(&meta, SMALL, 1, Roles::Platform, &none);
        for line in ["hba_file = '/run/secrets/toygres/pg_hba.conf'", "reserved_connections = 8", "shared_preload_libraries = 'pg_stat_statements'"] {
            assert!(common.contains(line), "{common}");
        }
        let own = Parameters { values: [("work_mem".to_owned(), "8MB".to_owned())].into(), ..Parameters::default() };
        let changed = configuration(&meta, SMALL, 1, Roles::Platform, &own);
        assert!(changed.strip_prefix(&common).is_some_and(|own| own.starts_with("work_mem = '8MB'\ntoygres.parameters = ")), "{changed}");
    }
}
