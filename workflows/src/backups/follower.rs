//! Follows the WAL of one instance, and begins again whenever that ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use toygres_backup::{BackupError, FollowOptions, FollowStatus, Layout, follow};
use toygres_domain::{
    Error, InstanceId,
    backup::{ARCHIVE_SLOT, ArchiveId},
    instance::{Instance, Reason, ReasonCode},
};
use toygres_postgres::{
    Target,
    replication::{ReplicationConnection, ReplicationError, SlotName},
    roles,
};

use super::{BackupOptions, reasons::is_refused_login};
use crate::{ActivityContext, Failure, activities::deploy_postgres::deployment, administration::TIMEOUT, certificates::identity};

/// The first pause after a failure, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a follower may take to archive what it has received.
const STOP: Duration = Duration::from_secs(12);

/// The number of the next beginning.
static BEGINNINGS: AtomicU64 = AtomicU64::new(1);

/// A task that follows an instance.
pub(super) struct Follower {
    state: Arc<State>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What the followers of an archive tell, one after the other. It outlives each of them: a base backup waits for its WAL while an operation works on
/// the instance.
#[derive(Default)]
pub(super) struct State {
    status: watch::Sender<Option<FollowStatus>>,
    /// Why it does not follow at the moment.
    failure: watch::Sender<Option<Reason>>,
    /// Identifies its latest beginning among those of all followers; 0 before the first.
    began: AtomicU64,
}

impl Follower {
    /// Starts the next follower of an archive. The one before it has ended.
    pub(super) fn start(
        context: &ActivityContext,
        options: &BackupOptions,
        state: &Arc<State>,
        (instance, archive, is_first): (InstanceId, ArchiveId, bool),
    ) -> Self {
        let (state, stop) = (state.clone(), CancellationToken::new());
        state.status.send_replace(None);
        state.failure.send_replace(None);
        state.began.store(0, Ordering::Release);
        let following = run(context.clone(), options.clone(), (instance, archive, is_first), state.clone(), stop.clone());
        Self { state, stop, task: tokio::spawn(following) }
    }

    /// How far it is; `None` before it has begun.
    pub(super) fn status(&self) -> Option<FollowStatus> {
        self.state.status.borrow().clone()
    }

    /// The same, as it changes.
    pub(super) fn statuses(&self) -> watch::Receiver<Option<FollowStatus>> {
        self.state.status.subscribe()
    }

    /// Why it does not follow at the moment.
    pub(super) fn failure(&self) -> Option<Reason> {
        self.state.failure.borrow().clone()
    }

    /// Identifies its latest beginning: each time, WAL may be missing. 0 before the first.
    pub(super) fn began(&self) -> u64 {
        self.state.began.load(Ordering::Acquire)
    }

    /// Has it end once what was received is archived.
    pub(super) fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether it was told to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Whether it has ended.
    pub(super) fn is_stopped(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for its end, for as long as that may take.
    pub(super) async fn stopped(mut self) {
        self.stop();
        if tokio::time::timeout(STOP, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

async fn run(
    context: ActivityContext,
    options: BackupOptions,
    (instance, archive, is_first): (InstanceId, ArchiveId, bool),
    state: Arc<State>,
    stop: CancellationToken,
) {
    let mut pause = PAUSE.0;
    let mut refusals = u32::from(is_first);
    loop {
        let attempt = async {
            match refusals {
                0 => {}
                // The first time, the role cannot log in yet. If that was not enough, the rule for it is missing.
                1 => enable(&context, instance).await?,
                _ => {
                    enable(&context, instance).await?;
                    install_rule(&context, instance).await?;
                }
            }
            let target = target(&context, instance).await?;
            context.store.record_slot(archive, true).await.map_err(unexpected)?;
            let layout = Layout::new(instance, archive);
            let follow_options = FollowOptions {
                partial_interval: options.timing.partial,
                keepalive_interval: options.timing.keepalive,
                ..FollowOptions::new(slot()?, options.spool.clone())
            };
            let mut seen = state.status.subscribe();
            seen.mark_unchanged();
            let mut following = std::pin::pin!(follow(&target, options.store.clone(), layout, &follow_options, &state.status, &stop));
            let outcome = tokio::select! {
                outcome = &mut following => outcome,
                Ok(()) = seen.changed() => {
                    state.began.store(BEGINNINGS.fetch_add(1, Ordering::Relaxed), Ordering::Release);
                    state.failure.send_replace(None);
                    (pause, refusals) = (PAUSE.0, 0);
                    following.await
                }
            };
            outcome.map_err(Ended::Backup)
        };
        let failure = match attempt.await {
            Ok(()) => return,
            Err(_) if stop.is_cancelled() => return,
            Err(Ended::Backup(error)) if error.is_shutdown() && is_closed(&context, archive, &state, &stop).await => return,
            Err(Ended::Backup(error)) => {
                if is_refused_login(&error) {
                    refusals += 1;
                }
                error.reason()
            }
            Err(Ended::Other(reason)) => reason,
        };
        tracing::warn!(%instance, reason = failure.message, "the WAL of an instance is not archived; trying again");
        metrics::counter!("toygres_backup_failures_total", "what" => "follow").increment(1);
        state.failure.send_replace(Some(failure));
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// Whether the clean shutdown of the server is the end of the archive, which is recorded then.
async fn is_closed(context: &ActivityContext, archive: ArchiveId, state: &State, stop: &CancellationToken) -> bool {
    let Some(FollowStatus { durable, covers, .. }) = state.status.borrow().clone() else { return false };
    loop {
        match context.store.record_closed(archive, durable, covers).await {
            Ok(closed) => return closed,
            Err(error) => tracing::debug!(%archive, %error, "the end of an archive could not be recorded; trying again"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(PAUSE.0)).await.is_none() {
            return false;
        }
    }
}

/// Why an attempt ended.
enum Ended {
    Backup(BackupError),
    Other(Reason),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Other(failure.reason())
    }
}

impl From<Reason> for Ended {
    fn from(reason: Reason) -> Self {
        Self::Other(reason)
    }
}

fn unexpected(error: Error) -> Reason {
    Failure::from(error).reason()
}

fn slot() -> Result<SlotName, Reason> {
    SlotName::try_from(ARCHIVE_SLOT.to_owned()).map_err(|error| Reason::new(ReasonCode::Internal, error.to_string()))
}

/// The login of backups to an instance.
pub(super) async fn target(context: &ActivityContext, id: InstanceId) -> Result<Target, Reason> {
    let instance = known(context, id).await?;
    let password = context.store.replication_password(id).await.map_err(unexpected)?;
    let target = Target::of_replication(internal_endpoint(context, &instance)?, password);
    Ok(target.verifying(identity(context, id).await.map_err(unexpected)?))
}

/// Drops the replication slot of an instance that is not backed up any more, so that its server need not keep WAL for it.
pub(super) async fn drop_slot(context: &ActivityContext, id: InstanceId) -> Result<(), Reason> {
    let target = target(context, id).await?;
    let drop = async {
        let mut connection = ReplicationConnection::connect(&target, TIMEOUT).await?;
        let name = SlotName::try_from(ARCHIVE_SLOT.to_owned())
            .map_err(|error| ReplicationError::Connection(Reason::new(ReasonCode::Internal, error.to_string())))?;
        match connection.drop_slot(&name).await {
            Err(ReplicationError::Server { sqlstate, .. }) if sqlstate == "42704" => Ok(()),
            outcome => outcome,
        }
    };
    drop.await.map_err(|error: ReplicationError| BackupError::from(error).reason())
}

/// Lets the role for replication log in.
async fn enable(context: &ActivityContext, id: InstanceId) -> Result<(), Reason> {
    let instance = known(context, id).await?;
    let credentials = context.store.credentials(id).await.map_err(unexpected)?;
    let Some(platform) = credentials.platform else {
        return Err(Reason::new(ReasonCode::BackupFailed, "the instance was created by an earlier release, and has no role for replication"));
    };
    let password = context.store.replication_password(id).await.map_err(unexpected)?;
    let superuser = Target::of_superuser(internal_endpoint(context, &instance)?, &platform);
    let superuser = superuser.verifying(identity(context, id).await.map_err(unexpected)?);
    roles::enable_replication(&superuser, &password, TIMEOUT).await
}

/// Gives the server the rules for logins of this release, unless an operation works on the instance, which then does. It may take minutes
/// until the server has them.
async fn install_rule(context: &ActivityContext, id: InstanceId) -> Result<(), Failure> {
    let instance = known(context, id).await.map_err(Failure::Retry)?;
    {
        let _lock = context.store.lock_instance(id).await?;
        if !context.store.is_idle(&instance).await? {
            return Ok(());
        }
        // Read again under the lock: its settings may have changed.
        let instance = known(context, id).await.map_err(Failure::Retry)?;
        let data = context.store.data(&instance).await?;
        let deployment = deployment(context, instance.clone(), data).await?;
        context.verb(context.runtime.install_tls(&deployment)).await?;
    }
    let credentials = context.store.credentials(id).await?;
    let endpoint = internal_endpoint(context, &instance).map_err(Failure::Retry)?;
    let monitor = Target::of_checks(endpoint, &instance.spec, credentials).verifying(identity(context, id).await?);
    toygres_postgres::reload_configuration(&monitor, TIMEOUT).await.map_err(Failure::Retry)
}

async fn known(context: &ActivityContext, id: InstanceId) -> Result<Instance, Reason> {
    let instance = context.store.instance(id).await.map_err(unexpected)?;
    instance.ok_or_else(|| Reason::new(ReasonCode::Superseded, "the instance is not there any more"))
}

fn internal_endpoint(context: &ActivityContext, instance: &Instance) -> Result<toygres_domain::instance::Endpoint, Reason> {
    let endpoint = instance.endpoint.as_ref().ok_or_else(|| Reason::new(ReasonCode::EndpointMissing, "the instance has no address yet"))?;
    Ok(context.runtime.internal_endpoint(&instance.address(), endpoint))
}
