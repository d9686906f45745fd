//! What an instance can be upgraded or updated to.

use async_graphql::SimpleObject;
use toygres_domain::upgrade as domain;

use crate::app::upgrade_instance as app;

/// A newer major version of PostgreSQL.
#[derive(Clone, Debug, SimpleObject)]
pub struct UpgradeTarget {
    /// The version.
    version: String,
    /// Why the instance cannot be upgraded to it as it is, and what to do about that: programs that this host lacks, or parameters that the
    /// version does not have. Null if nothing is known to stand in the way; what only its server knows, `checkOnly` finds out.
    obstacle: Option<String>,
}

/// What `upgradeInstance` would change of a server without another major version.
#[derive(Clone, Debug, SimpleObject)]
pub struct AvailableUpdate {
    /// The minor version of PostgreSQL that the server was started with, on Kubernetes its image.
    from: String,
    /// The one that it would be started with.
    to: String,
}

impl From<&domain::AvailableUpdate> for AvailableUpdate {
    fn from(update: &domain::AvailableUpdate) -> Self {
        let domain::AvailableUpdate { from, to } = update.clone();
        Self { from, to }
    }
}

impl From<app::UpgradeTarget> for UpgradeTarget {
    fn from(target: app::UpgradeTarget) -> Self {
        let app::UpgradeTarget { version, obstacle } = target;
        Self { version: version.to_string(), obstacle }
    }
}
