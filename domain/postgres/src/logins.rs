//! The logins of the control plane to one instance, for what is asked of it at once.

use toygres_domain::{
    certificate::ServerIdentity,
    instance::{Endpoint, InstanceSpec},
    roles::{Credentials, Roles},
};

use super::Target;

/// How the control plane logs in to an instance.
#[derive(Clone, Debug)]
pub struct Logins {
    /// Which roles the instance has.
    pub roles: Roles,
    /// The login of checks, which reads.
    pub(super) reader: Target,
    /// The login that may end sessions of others: that of the superuser, or that of the owner if there are no roles of the platform.
    pub(super) administrator: Target,
}

impl Logins {
    /// The logins to an instance whose server listens at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint, spec: &InstanceSpec, credentials: Credentials, identity: Option<ServerIdentity>) -> Self {
        let administrator = match &credentials.platform {
            Some(platform) => Target::of_superuser(endpoint.clone(), platform),
            None => Target::of_owner(endpoint.clone(), spec, credentials.owner.clone()),
        };
        Self {
            roles: credentials.roles(),
            reader: Target::of_checks(endpoint, spec, credentials).verifying(identity.clone()),
            administrator: administrator.verifying(identity),
        }
    }
}
