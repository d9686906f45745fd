//! The Secret with the password, the configuration of PostgreSQL, and whether the instance has run: what is mounted into the pod as files.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use toygres_domain::{data::Data, secret::Secret as Password, volume::WalLimits};

use super::{
    names::{self, Meta},
    start::{HAS_RUN_KEY, INITIALIZED_KEY, INITIALIZED_SCRIPT},
    stateful_set::data_paths,
};

/// The key of the password in the Secret, and so the name of the file in the pod.
pub(super) const PASSWORD_KEY: &str = "password";

/// The key of the configuration.
pub(super) const CONFIGURATION_KEY: &str = "postgresql.conf";

pub(super) fn secret(meta: &Meta<'_>, password: &Password, storage_gb: i32, data: &Data) -> Secret {
    let configuration = configuration(meta, storage_gb).into_bytes();
    let mut content = BTreeMap::from([
        (PASSWORD_KEY.to_owned(), ByteString(password.expose().as_bytes().to_vec())),
        (CONFIGURATION_KEY.to_owned(), ByteString(configuration)),
        (INITIALIZED_KEY.to_owned(), ByteString(INITIALIZED_SCRIPT.as_bytes().to_vec())),
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
    format!("include '{data}/postgresql.conf'\n{limits}")
}

#[cfg(test)]
mod tests {
    use toygres_domain::{InstanceId, instance::PostgresVersion};

    use super::*;

    #[test]
    fn the_limits_of_the_log_follow_the_volume() {
        let name = "orders".parse().unwrap();
        let meta = Meta { id: InstanceId::generate(), name: &name, version: PostgresVersion(17), namespace: "toygres" };
        assert_eq!(
            configuration(&meta, 5),
            "include '/var/lib/postgresql/data/pgdata/postgresql.conf'\nmax_wal_size = 512MB\nmin_wal_size = 80MB\nmax_slot_wal_keep_size = 1280MB\n"
        );
        assert!(configuration(&meta, 1).contains("max_wal_size = 128MB\n"));
    }
}
