//! Upgrades an instance to another major version of PostgreSQL, or updates it within its own.

use std::time::Duration;

use serde::Serialize;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    instance::{Instance, InstanceState, PostgresVersion},
    operation::{OperationKind, Params, upgrade},
};
use toygres_store::{Accepted, Request, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id, no_instance},
};

/// How long an upgrade may take. How long it does depends on how much data is copied.
const DEADLINE: Duration = Duration::from_secs(6 * 3600);

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct UpgradeInstance {
    /// The id of the instance.
    pub id: String,
    /// The major version to upgrade to; that of the instance updates it to the minor version that is there.
    pub version: String,
    /// Whether it is only found out whether that is possible.
    pub check_only: bool,
    /// Whether logical replication slots may be lost.
    pub drop_logical_slots: bool,
    /// The revision that the instance must have.
    pub revision: Option<i64>,
    /// The caller's key for this request.
    pub idempotency_key: Option<String>,
}

/// A newer version on offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeTarget {
    /// The version.
    pub version: PostgresVersion,
    /// Why the instance cannot be upgraded to it as it is, as far as that is known without its server.
    pub obstacle: Option<String>,
}

/// See [`super::fingerprint`].
#[derive(Serialize)]
struct Fingerprint<'a> {
    v: u8,
    id: InstanceId,
    version: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    check_only: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    drop_logical_slots: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

impl App {
    /// Accepts the upgrade of an instance; a workflow carries it out.
    ///
    /// # Errors
    /// [`Error::User`] with every error in the input, that the version is not offered, or neither newer nor an update, that this host cannot upgrade to it, that
    /// parameters of the instance do not exist in it, or as [`toygres_store::Store::accept`] has it.
    pub async fn upgrade_instance(&self, input: UpgradeInstance, requested_by: Option<String>) -> Result<Accepted> {
        let UpgradeInstance { id: text, version, check_only, drop_logical_slots, revision, idempotency_key } = input;
        let id = instance_id(&text)?;
        let fingerprint = Fingerprint { v: 1, id, version: &version, check_only, drop_logical_slots, revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        if let Some(first) = self.store.replay(OperationKind::Upgrade, &request).await? {
            return Ok(first);
        }
        let found = self.offered_version("version", Some(&version), &mut errors);
        let version = errors.check(found)?;
        let instance = self.store.instance(id).await?.ok_or_else(|| no_instance("id", &text))?;
        let minor = version == instance.spec.postgres_version;
        if minor && check_only {
            return Err(Error::user(UserErrorCode::Invalid, "checkOnly", "is for another major version; an update within one is a restart"));
        }
        let params = Params::Upgrade(upgrade::Params { version, check_only, minor, drop_logical_slots });
        if let Some(why) =
            Some(version).filter(|version| *version > instance.spec.postgres_version).and_then(|version| self.host_obstacle(&instance, version))
        {
            return Err(Error::user(UserErrorCode::Invalid, "version", why));
        }
        self.store.accept(Subject::Existing(id), &params, &Request { deadline: DEADLINE, ..request }).await
    }

    /// The newer versions on offer, newest first. None for an instance that does not exist yet, or will not for long.
    #[must_use]
    pub fn upgrade_targets(&self, instance: &Instance) -> Vec<UpgradeTarget> {
        if !matches!(instance.state, InstanceState::Running | InstanceState::Updating | InstanceState::Suspended) {
            return Vec::new();
        }
        let newer = self.runtime.versions().into_iter().filter(|version| *version > instance.spec.postgres_version);
        newer.map(|version| UpgradeTarget { version, obstacle: self.obstacle(instance, version) }).collect()
    }

    fn obstacle(&self, instance: &Instance, version: PostgresVersion) -> Option<String> {
        let params = upgrade::Params { version, check_only: false, minor: false, drop_logical_slots: false };
        let of_parameters = || {
            let found = params.check(&instance.spec).err()?;
            Some(found.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; "))
        };
        self.host_obstacle(instance, version).or_else(of_parameters)
    }

    /// What this host cannot do.
    fn host_obstacle(&self, instance: &Instance, version: PostgresVersion) -> Option<String> {
        if instance.spec.require_tls && !self.runtime.speaks_tls(version) {
            return Some(format!("the instance requires TLS, and PostgreSQL {version} was built without it here: install one that has it"));
        }
        self.runtime.upgrades(instance.spec.postgres_version, version).err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let text = |check_only, drop_logical_slots, revision| {
            serde_json::to_string(&Fingerprint { v: 1, id, version: "18", check_only, drop_logical_slots, revision }).unwrap()
        };
        assert_eq!(text(false, false, None), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","version":"18"}"#);
        assert_eq!(
            text(true, true, Some(7)),
            r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","version":"18","check_only":true,"drop_logical_slots":true,"revision":7}"#
        );
    }
}
