//! The Secret with the password, the certificate, the configuration of PostgreSQL, and whether the instance has run: what is mounted into the pod as files.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use toygres_domain::{certificate::ServerCertificate, data::Data, secret::Secret as Password, volume::WalLimits};

use super::{
    names::{self, Meta},
    start::{HAS_RUN_KEY, INITIALIZED_KEY, INITIALIZED_SCRIPT},
    stateful_set::{SECRET_DIRECTORY, data_paths},
};

/// The key of the password in the Secret, and so the name of the file in the pod.
pub(super) const PASSWORD_KEY: &str = "password";

/// The key of the configuration.
pub(super) const CONFIGURATION_KEY: &str = "postgresql.conf";

/// The key of the certificate of the server, in front of its key: one file, so that PostgreSQL never reads one without the other while the
/// kubelet replaces them.
pub(super) const CERTIFICATE_KEY: &str = "server.pem";

/// What the Secret is made of.
pub(super) struct Content<'a> {
    pub(super) password: &'a Password,
    pub(super) certificate: &'a ServerCertificate,
    pub(super) storage_gb: i32,
    pub(super) data: &'a Data,
}

pub(super) fn secret(meta: &Meta<'_>, content: &Content<'_>) -> Secret {
    let Content { password, certificate: ServerCertificate { chain, key }, storage_gb, data } = content;
    let configuration = configuration(meta, *storage_gb).into_bytes();
    let mut content = BTreeMap::from([
        (PASSWORD_KEY.to_owned(), ByteString(password.expose().as_bytes().to_vec())),
        (CONFIGURATION_KEY.to_owned(), ByteString(configuration)),
        (INITIALIZED_KEY.to_owned(), ByteString(INITIALIZED_SCRIPT.as_bytes().to_vec())),
        (CERTIFICATE_KEY.to_owned(), ByteString(format!("{chain}{}", key.expose()).into_bytes())),
    ]);
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

/// The settings that follow from the size of the volume, after the configuration of `initdb`. They are not arguments, because a changed
/// pod template would restart the server when the volume grows.
fn configuration(meta: &Meta<'_>, storage_gb: i32) -> String {
    let (_, data) = data_paths(meta.version);
    let limits: String = WalLimits::of_volume(storage_gb).settings().iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    // PostgreSQL accepts a key that belongs to root if only its group can read it, which is how the kubelet mounts it.
    let certificate = format!("{SECRET_DIRECTORY}/{CERTIFICATE_KEY}");
    let tls = format!("ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{certificate}'\nssl_min_protocol_version = 'TLSv1.2'\n");
    format!("include '{data}/postgresql.conf'\n{limits}{tls}")
}

#[cfg(test)]
mod tests {
    use toygres_domain::{InstanceId, instance::PostgresVersion};

    use super::*;

    #[test]
    fn the_limits_of_the_log_follow_the_volume() {
        let name = "orders".parse().unwrap();
        let meta = Meta { id: InstanceId::generate(), name: &name, version: PostgresVersion(17), namespace: "toygres" };
        assert!(configuration(&meta, 5).starts_with(
            "include '/var/lib/postgresql/data/pgdata/postgresql.conf'\nmax_wal_size = 512MB\nmin_wal_size = 80MB\nmax_slot_wal_keep_size = 1280MB\n"
        ));
        assert!(configuration(&meta, 1).contains("max_wal_size = 128MB\n"));
    }
}
