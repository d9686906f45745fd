//! The settings of restorations from backups.

use serde::Deserialize;
use toygres_domain::secret::Secret;

/// How the volume of a new instance is filled from a backup: by a Job that runs the image of the control plane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RestoreSettings {
    /// The image of the control plane, whose `restore-volume` fetches a backup. Unset, nothing can be restored.
    pub image: Option<String>,
    /// The service account of the pods that fetch backups, for an identity of the workload; unset, the default one of the namespace.
    pub service_account: Option<String>,
    /// How those pods reach the store of backups.
    #[serde(skip)]
    pub store: StoreAccess,
}

/// How pods reach the store of backups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StoreAccess {
    /// There is none.
    #[default]
    None,
    /// It is a directory of the control plane, which pods do not have.
    Directory,
    /// Over the network.
    Network(Box<NetworkStore>),
}

/// A store of backups that pods reach over the network, and what `restore-volume` needs for it. The values are secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkStore {
    /// Environment variables.
    pub environment: Vec<(String, Secret)>,
    /// Files by their names in [`STORE_DIRECTORY`].
    pub files: Vec<(String, Secret)>,
    /// The TCP port of the store.
    pub port: u16,
}

/// Where the files of a store are mounted in the pod.
pub const STORE_DIRECTORY: &str = "/run/secrets/store";

impl RestoreSettings {
    /// The image and the store, if both are there.
    ///
    /// # Errors
    /// One sentence: why nothing can be restored, and what to set.
    pub fn available(&self) -> Result<(&str, &NetworkStore), String> {
        let refused = |why: &str| Err(format!("Instances cannot be restored here: {why}"));
        let store = match &self.store {
            StoreAccess::None => return refused("the control plane has no store for backups; set TOYGRES_BACKUP_STORE"),
            StoreAccess::Directory => {
                return refused("the store of backups is a directory, which pods do not have; set TOYGRES_BACKUP_STORE to S3, Azure or Google");
            }
            StoreAccess::Network(store) => store,
        };
        match &self.image {
            Some(image) => Ok((image, store)),
            None => refused("TOYGRES_RESTORE_IMAGE, the image of the control plane, is not set"),
        }
    }
}
