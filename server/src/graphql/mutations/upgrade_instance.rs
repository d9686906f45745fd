//! `upgradeInstance`.

use async_graphql::{Context, ID, InputObject, Object, Result};

use super::{app, requester};
use crate::{
    app,
    graphql::{guard::operator, types::BigInt},
};

/// Input of `upgradeInstance`.
#[derive(InputObject)]
pub struct UpgradeInstanceInput {
    /// The ID of the instance.
    id: ID,
    /// The major version of PostgreSQL to upgrade to, such as `18`: one of `controlPlane.postgresVersions` that is newer than the instance. The
    /// one that the instance has applies `updateAvailable`, which is a restart: its steps that are for major versions are skipped.
    version: String,
    /// Only finds out whether the upgrade is possible. The server is stopped for it for some seconds, as for a restart, and nothing is
    /// changed.
    #[graphql(default)]
    check_only: bool,
    /// Goes on although the instance has logical replication slots, which PostgreSQL takes along from version 17 on only: they are lost.
    /// Otherwise the upgrade fails before it changes anything, and names them.
    #[graphql(default)]
    drop_logical_slots: bool,
    /// The revision that the instance must have. Any other is refused.
    revision: Option<BigInt>,
    /// A unique key for this request. Repeating the request with the same key returns the first answer.
    idempotency_key: Option<String>,
}

operation_payload! {
    /// Payload of `upgradeInstance`.
    UpgradeInstancePayload
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct UpgradeInstanceMutation;

#[Object]
impl UpgradeInstanceMutation {
    /// Upgrades an instance that is running or suspended to a newer major version of PostgreSQL with `pg_upgrade`. Its server is stopped
    /// meanwhile. The former data stays until a login to the new server has worked, and until then clients are kept out: a failure, a
    /// cancellation or the deadline brings back the former version with its data. Afterwards nothing leads back, and a new archive of backups
    /// begins with a base backup. A suspended instance lets no client in meanwhile, and is suspended again at the end. Within the same major
    /// version a running instance is only restarted; a suspended one has the update when it is resumed.
    #[graphql(guard = "operator()")]
    async fn upgrade_instance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The instance to upgrade, and the version.")] input: UpgradeInstanceInput,
    ) -> Result<UpgradeInstancePayload> {
        let UpgradeInstanceInput { id, version, check_only, drop_logical_slots, revision, idempotency_key } = input;
        let revision = revision.map(|revision| revision.0);
        let input = app::upgrade_instance::UpgradeInstance { id: id.0, version, check_only, drop_logical_slots, revision, idempotency_key };
        UpgradeInstancePayload::new(app(ctx).upgrade_instance(input, requester(ctx)).await)
    }
}
