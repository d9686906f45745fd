//! The roles of the platform in each instance, and the passwords of an instance.

use crate::secret::Secret;

/// The bootstrap superuser of an instance. It is the control plane's own.
pub const SUPERUSER: &str = "toygres";

/// The role that health checks and statistics log in as: a member of `pg_monitor`.
pub const MONITOR: &str = "toygres_monitor";

/// The role for replication, which backups log in as. Where there are none it cannot log in; it exists so that no owner can create it, who
/// could then give it a password.
pub const REPLICATION: &str = "toygres_replication";

/// Names that start like this are the platform's, so that a later release can add roles and databases of its own.
pub const RESERVED_PREFIX: &str = "toygres";

/// The database of the platform in each instance, which health checks log in to. `initdb` creates it, and the superuser owns it.
pub const DATABASE: &str = "postgres";

/// The passwords of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// That of the owner's role.
    pub owner: Secret,
    /// Those of the platform's roles; `None` for an instance of an earlier release, which has no such roles.
    pub platform: Option<PlatformCredentials>,
}

/// The passwords of the platform's roles. They are generated, and never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformCredentials {
    /// That of [`SUPERUSER`].
    pub superuser: Secret,
    /// That of [`MONITOR`].
    pub monitor: Secret,
}

impl PlatformCredentials {
    /// New passwords.
    #[must_use]
    pub fn generate() -> Self {
        Self { superuser: Secret::generate(), monitor: Secret::generate() }
    }
}

/// Which roles an instance was created with. It stays like that for its whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// Those of the platform, and an owner who is no superuser.
    Platform,
    /// Those of an earlier release: the owner's role only, which is a superuser on Kubernetes.
    OwnerOnly,
}

impl Credentials {
    /// The roles that these are the passwords of.
    #[must_use]
    pub fn roles(&self) -> Roles {
        if self.platform.is_some() { Roles::Platform } else { Roles::OwnerOnly }
    }
}
