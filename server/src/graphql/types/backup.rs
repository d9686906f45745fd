//! `Backup`: a base backup of an instance.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{Error, backup as domain};

use super::{BackupKeptFor, BackupStatus, BackupTrigger, BackupVerificationStatus, BigInt, Instance, NodeId, Operation, Reason};
use crate::{
    app::App,
    graphql::{
        errors::error,
        loaders::{InstanceById, Loaders, NextBackup},
    },
};

/// See the GraphQL type below.
#[derive(Clone)]
pub struct Backup(pub domain::Backup);

/// A base backup of an instance: a copy of all its files, from which every later point is restored with the WAL.
#[Object]
impl Backup {
    /// The ID of the backup.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Backup(self.0.id).into()
    }
    /// The instance.
    #[graphql(complexity = "child_complexity + 1")]
    async fn instance(&self, ctx: &Context<'_>) -> Result<Instance> {
        self.instance_of(ctx).await.map(Instance)
    }
    /// The stage of the backup.
    async fn status(&self) -> BackupStatus {
        self.0.status.into()
    }
    /// Why the backup was taken.
    async fn trigger(&self) -> BackupTrigger {
        self.0.trigger.into()
    }
    /// The operation that asked for the backup. Null if it was due.
    #[graphql(complexity = "child_complexity + 1")]
    async fn operation(&self, ctx: &Context<'_>) -> Result<Option<Operation>> {
        let Some(id) = self.0.operation.clone() else { return Ok(None) };
        let operation = ctx.data_unchecked::<Loaders>().load_one(id).await.map_err(error)?;
        Ok(operation.map(Operation))
    }
    /// The bytes of the cluster that are in the backup, so far.
    async fn bytes(&self) -> BigInt {
        BigInt(self.0.bytes)
    }
    /// About how many bytes it will be. Null before that is known.
    async fn total_bytes(&self) -> Option<BigInt> {
        self.0.total_bytes.map(BigInt)
    }
    /// The bytes that the backup takes in the store, compressed. Null before it is complete.
    async fn stored_bytes(&self) -> Option<BigInt> {
        self.0.stored_bytes.map(BigInt)
    }
    /// The version of the server, such as `150018`.
    async fn server_version(&self) -> Option<i32> {
        self.0.server_version
    }
    /// The timeline of the WAL that the backup needs.
    async fn timeline(&self) -> Option<BigInt> {
        self.0.wal.map(|(timeline, _, _)| BigInt(timeline.0.into()))
    }
    /// The position in the WAL from which it is needed to restore the backup.
    async fn start_lsn(&self) -> Option<String> {
        self.0.wal.map(|(_, start, _)| start.to_string())
    }
    /// The position in the WAL at which the backup is consistent: the first that can be restored from it.
    async fn end_lsn(&self) -> Option<String> {
        self.0.wal.map(|(_, _, end)| end.to_string())
    }
    /// The directory of the backup in the store. Null before it has begun.
    async fn path(&self) -> Option<String> {
        let domain::Backup { instance, archive, object, .. } = &self.0;
        object.map(|object| format!("{instance}/{archive}/base/{object}"))
    }
    /// The number of times that the backup was begun.
    async fn attempt(&self) -> i32 {
        self.0.attempt
    }
    /// Why the backup failed, or why the attempt before failed.
    async fn error(&self) -> Option<Reason> {
        self.0.error.as_ref().map(Reason::from)
    }
    /// Whether the backup is kept until it is unlocked.
    async fn locked(&self) -> bool {
        self.0.locked
    }
    /// Until when the backup is kept at least, whatever the retention of its instance.
    async fn keep_until(&self) -> Option<DateTime<Utc>> {
        self.0.keep_until
    }
    /// When the backup is deleted at the earliest. Null while it is locked or not complete. The newest one that can be restored is kept
    /// beyond.
    #[graphql(complexity = 2)]
    async fn expires_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        let policy = self.instance_of(ctx).await?.backups.or(ctx.data_unchecked::<App>().backups.policy);
        Ok(self.0.expires_at(policy))
    }
    /// Why the backup is kept now, also when `expiresAt` has passed. Null while it is not complete, and once nothing needs it: it is deleted soon.
    #[graphql(complexity = 2)]
    async fn kept_for(&self, ctx: &Context<'_>) -> Result<Option<BackupKeptFor>> {
        let app = ctx.data_unchecked::<App>();
        let policy = self.instance_of(ctx).await?.backups.or(app.backups.policy);
        let next = ctx.data_unchecked::<Loaders>().load_one(NextBackup(self.0.id)).await.map_err(error)?;
        Ok(self.0.kept_for(policy, next, app.store.now()).map(Into::into))
    }
    /// Whether the backup was restored to see that it can be.
    async fn verification(&self) -> BackupVerification {
        let domain::BackupVerification { status, ended_at, restore_seconds, reason } = &self.0.verification;
        BackupVerification {
            status: (*status).into(),
            ended_at: *ended_at,
            restore_seconds: *restore_seconds,
            reason: reason.as_ref().map(Reason::from),
        }
    }
    /// When the backup was requested.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
    /// When the latest attempt began.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }
    /// By the clock of the server, the first time that can be restored from the backup.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

/// What came of the verification of a base backup: it is restored to a place of its own, and everything in it is read.
#[derive(SimpleObject)]
pub struct BackupVerification {
    /// The stage of the verification.
    status: BackupVerificationStatus,
    /// When the verification ended.
    ended_at: Option<DateTime<Utc>>,
    /// The seconds that the restoration has taken, without the reading.
    restore_seconds: Option<f64>,
    /// Why the verification failed or is skipped, or why the last attempt did not succeed.
    reason: Option<Reason>,
}

impl Backup {
    async fn instance_of(&self, ctx: &Context<'_>) -> Result<Arc<toygres_domain::instance::Instance>> {
        let found = ctx.data_unchecked::<Loaders>().load_one(InstanceById(self.0.instance)).await.map_err(error)?;
        found.ok_or_else(|| error(Error::internal("a backup without its instance")))
    }
}
