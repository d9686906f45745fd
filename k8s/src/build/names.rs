//! Names and labels of an instance's objects.
//!
//! Names are derived from the id, never from the instance's name: a later instance of the same name must not adopt a kept
//! volume, and a StatefulSet's name is limited to 52 characters, because the controller-revision-hash label contains it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use toygres_domain::{
    InstanceId,
    address::Address,
    backup::BackupId,
    instance::{Exposure, PostgresVersion},
    name::InstanceName,
};

use crate::Settings;

/// The label with the instance's id, which every selector uses.
pub const ID_LABEL: &str = "toygres.io/instance-id";

/// The label of a volume claim that is kept after its instance was deleted.
pub const KEPT_LABEL: &str = "toygres.io/kept";

/// The annotation of a StatefulSet with the uid of the volume claim that holds the data of an instance that has run. The metadata
/// database has it too, because a StatefulSet can be deleted together with the claim.
pub const VOLUME_ANNOTATION: &str = "toygres.io/volume";

/// The annotation of the StatefulSet of an instance that is suspended, which tells its 0 replicas from those that somebody else has set.
pub const SUSPENDED_ANNOTATION: &str = "toygres.io/suspended";

/// The annotation of a volume claim that was filled from a backup, with the id of the archive.
pub const RESTORED_ANNOTATION: &str = "toygres.io/restored-from";

/// The annotation of a volume claim, and of a Job, with the operation that upgrades the data, and how far it is.
pub const UPGRADE_ANNOTATION: &str = "toygres.io/upgrade";

/// The label with the name that an instance was created with.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";

/// The label with the part of an object in an instance, and its values for the server, for a restoration, and for an upgrade.
pub const COMPONENT_LABEL: &str = "app.kubernetes.io/component";
const SERVER: &str = "database";
/// See [`COMPONENT_LABEL`].
pub const RESTORE: &str = "restore";
const UPGRADE: &str = "upgrade";

/// The label of the objects that verify a base backup, with its id. They are no part of an instance.
pub const VERIFICATION_LABEL: &str = "toygres.io/verification";

/// Selects every object of every instance.
pub const MANAGED_SELECTOR: &str = "app.kubernetes.io/managed-by=toygres,toygres.io/instance-id";

/// The name of the volume in the pod, and the prefix of the claim's name.
pub const DATA_VOLUME: &str = "data";

const PREFIX: &str = "toygres-";

/// The number and the name of the port that PostgreSQL listens on.
pub const PORT: (i32, &str) = (5432, "postgresql");

/// The name of the StatefulSet, the Secret and the NetworkPolicy of an instance.
#[must_use]
pub fn object(id: InstanceId) -> String {
    format!("{PREFIX}{id}")
}

/// The name of the Job that fills the volume of an instance, of its Secret and of its NetworkPolicy.
#[must_use]
pub fn restore(id: InstanceId) -> String {
    format!("{PREFIX}{id}-{RESTORE}")
}

/// The name of the Job that upgrades the data of an instance, and of its Secret.
#[must_use]
pub fn upgrade(id: InstanceId) -> String {
    format!("{PREFIX}{id}-{UPGRADE}")
}

/// The name of the Job that verifies a base backup, of its Secret and of its NetworkPolicy.
#[must_use]
pub fn verification(backup: BackupId) -> String {
    format!("{PREFIX}verify-{backup}")
}

/// Selects the objects that verify a base backup.
#[must_use]
pub fn verification_selector(backup: BackupId) -> String {
    format!("{VERIFICATION_LABEL}={backup}")
}

/// Whether an object belongs to the Job of a restoration or an upgrade, and not to the server.
#[must_use]
pub fn is_of_job(meta: &ObjectMeta) -> bool {
    meta.labels.as_ref().and_then(|labels| labels.get(COMPONENT_LABEL)).is_some_and(|component| [RESTORE, UPGRADE].contains(&component.as_str()))
}

/// The name of the headless Service of an instance.
#[must_use]
pub fn headless_service(id: InstanceId) -> String {
    format!("{PREFIX}{id}-headless")
}

/// The name of the one pod of an instance.
#[must_use]
pub fn pod(id: InstanceId) -> String {
    format!("{PREFIX}{id}-0")
}

/// The name of the volume claim of an instance.
#[must_use]
pub fn claim(id: InstanceId) -> String {
    format!("{DATA_VOLUME}-{}", pod(id))
}

/// The names by which clients reach an instance, as far as they are known before it runs. A load balancer has an address later.
#[must_use]
pub fn server_names(Address { name, exposure }: &Address, settings: &Settings) -> Vec<String> {
    let Settings { namespace, cluster_domain, dns_label_domain, .. } = settings;
    let mut names = vec![
        name.to_string(),
        format!("{name}.{namespace}"),
        format!("{name}.{namespace}.svc"),
        format!("{name}.{namespace}.svc.{cluster_domain}"),
        // Through `kubectl port-forward`.
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    if let (Exposure::LoadBalancer { dns_label: Some(label), .. }, Some(domain)) = (exposure, dns_label_domain) {
        names.push(format!("{label}.{domain}"));
    }
    names
}

/// Selects the objects of one instance.
#[must_use]
pub fn selector(id: InstanceId) -> String {
    format!("{ID_LABEL}={id}")
}

/// The instance that an object belongs to, derived from the object's name. Events have no labels.
#[must_use]
pub fn instance_of_object(name: &str) -> Option<InstanceId> {
    let rest = name.strip_prefix("data-").unwrap_or(name).strip_prefix(PREFIX)?;
    rest.get(..36)?.parse().ok()
}

/// The instance that an object belongs to, read from its labels.
#[must_use]
pub fn instance_of_labels(meta: &ObjectMeta) -> Option<InstanceId> {
    meta.labels.as_ref()?.get(ID_LABEL)?.parse().ok()
}

/// The parameters of the metadata of all objects of one instance.
pub(super) struct Meta<'a> {
    pub(super) id: InstanceId,
    /// Labels have the first name, because those of a pod template and of a volume claim template cannot change without a restart.
    pub(super) first_name: &'a InstanceName,
    pub(super) version: PostgresVersion,
    pub(super) namespace: &'a str,
}

impl Meta<'_> {
    /// The metadata of an object with this name.
    pub(super) fn object(&self, name: String) -> ObjectMeta {
        let mut labels = self.immutable_labels();
        labels.insert("app.kubernetes.io/version".to_owned(), self.version.to_string());
        ObjectMeta { name: Some(name), namespace: Some(self.namespace.to_owned()), labels: Some(labels), ..ObjectMeta::default() }
    }

    /// The metadata of an object of a restoration.
    pub(super) fn of_restoration(&self) -> ObjectMeta {
        let mut meta = self.object(restore(self.id));
        meta.labels.get_or_insert_default().insert(COMPONENT_LABEL.to_owned(), RESTORE.to_owned());
        meta
    }

    /// The metadata of an object of an upgrade.
    pub(super) fn of_upgrade(&self) -> ObjectMeta {
        let mut meta = self.object(upgrade(self.id));
        meta.labels.get_or_insert_default().insert(COMPONENT_LABEL.to_owned(), UPGRADE.to_owned());
        meta
    }

    /// The labels that never change: a volume claim template is immutable.
    pub(super) fn immutable_labels(&self) -> BTreeMap<String, String> {
        [
            ("app.kubernetes.io/name", "postgresql".to_owned()),
            (INSTANCE_LABEL, self.first_name.to_string()),
            (COMPONENT_LABEL, SERVER.to_owned()),
            ("app.kubernetes.io/managed-by", "toygres".to_owned()),
            (ID_LABEL, self.id.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    /// The labels that select the pod.
    pub(super) fn pod_selector(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(ID_LABEL.to_owned(), self.id.to_string())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_enough_and_contain_the_id() {
        let id = InstanceId::generate();
        assert!(object(id).len() <= 52);
        for name in [object(id), headless_service(id), pod(id), claim(id), restore(id) + "-x2x4z", upgrade(id) + "-x2x4z"] {
            assert!(name.len() <= 63, "{name}");
            assert_eq!(instance_of_object(&name), Some(id), "{name}");
        }
        for foreign in ["toygres", "toygres-", "toygres-server-5c9f8d7b6d-x2x4z", "data-other-0", "toygres-ääääääääääääääääääääääää"]
        {
            assert_eq!(instance_of_object(foreign), None, "{foreign}");
        }
    }
}
