//! Restorations: a new data directory is filled from the store of backups, or from that of another instance, and recovered by a task of this
//! process.
//!
//! The task holds the lock of the instance and works in its staging directory, which becomes the deployed one at last. So whatever ends the
//! task, or this process, leaves a directory that is cleared, and the next call begins anew.

mod copy;
mod files;
mod recover;
mod stage;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toygres_backup::{BackupError, FileOwner, RestoreOptions, Store};
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    restoration::{Restoration, RestoreMethod},
    runtime::{CopyProgress, CopySource, Deployment, Progress, RuntimeError},
};

use self::{
    recover::{Replay, recover},
    stage::{Stage, Stages},
};
use super::{
    data_dir::make_directory,
    error::{Error, Result},
    instance_dirs::{DirState, InstanceLock},
    runtime::Shared,
};

/// The restorations of this process.
#[derive(Debug)]
pub(super) struct Restorations {
    store: Option<Store>,
    running: Mutex<HashMap<InstanceId, Running>>,
}

#[derive(Debug)]
struct Running {
    stages: Stages,
    cancel: CancellationToken,
    task: JoinHandle<Result<(), RuntimeError>>,
}

impl Restorations {
    pub(super) fn new(store: Option<Store>) -> Self {
        Self { store, running: Mutex::default() }
    }

    /// The store of backups, or why there is none.
    pub(super) fn available(&self) -> Result<&Store, String> {
        self.store.as_ref().ok_or_else(|| "there is no store for backups: the operator of the server sets TOYGRES_BACKUP_STORE".to_owned())
    }

    /// How far the restoration of an instance is; `None` if there is none.
    pub(super) fn progress(&self, id: InstanceId) -> Option<Reason> {
        self.lock().get(&id).filter(|running| !running.task.is_finished()).map(|running| running.stages.reason())
    }

    /// Ends the restoration of an instance, if there is one, and waits until it works no more.
    pub(super) async fn cancel(&self, id: InstanceId) {
        let running = self.lock().remove(&id);
        if let Some(Running { cancel, task, .. }) = running {
            cancel.cancel();
            let _ = task.await;
        }
    }

    /// The same for all instances.
    pub(super) async fn cancel_all(&self) {
        let ids: Vec<_> = self.lock().keys().copied().collect();
        for id in ids {
            self.cancel(id).await;
        }
    }

    /// The outcome of the restoration of an instance, which is forgotten then; `None` if it is in progress, or there is none.
    async fn outcome(&self, id: InstanceId) -> Option<Result<(), RuntimeError>> {
        let finished = {
            let mut running = self.lock();
            if running.get(&id)?.task.is_finished() { running.remove(&id) } else { None }
        };
        let panicked = |_| Err(RuntimeError::temporary(ReasonCode::Internal, "the restoration ended unexpectedly; the server's log says more"));
        Some(finished?.task.await.unwrap_or_else(panicked))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a data directory is filled from.
#[derive(Clone, Debug)]
enum Origin {
    Archive(Box<Restoration>, Store),
    Instance(CopySource),
}

/// Begins the restoration of an instance that has no data, or says how far it is.
pub(super) async fn restore(shared: &Arc<Shared>, deployment: &Deployment, restoration: &Restoration) -> Result<Progress, RuntimeError> {
    let origin = || {
        let store = shared.restorations.available().map_err(|why| RuntimeError::permanent(ReasonCode::NotRestorable, why))?;
        Ok(Ok(Origin::Archive(Box::new(restoration.clone()), store.clone())))
    };
    advance(shared, deployment, origin).await
}

/// Begins the copy of an instance for one that has no data, or says how far it is.
pub(super) async fn copy(shared: &Arc<Shared>, deployment: &Deployment, source: &CopySource) -> Result<CopyProgress, RuntimeError> {
    let origin = || Ok(copy::waiting(shared, source.id)?.map_or_else(|| Ok(Origin::Instance(source.clone())), Err));
    Ok(match advance(shared, deployment, origin).await? {
        Progress::InProgress(reason) => CopyProgress::InProgress(reason),
        Progress::Done => {
            let cluster = shared.dirs.cluster(deployment.id, DirState::Deployed);
            CopyProgress::Done(copy::method(&cluster).unwrap_or(RestoreMethod::Copy))
        }
    })
}

/// Begins what `origin` says, if it is not begun or done, unless that has to wait for something.
async fn advance(
    shared: &Arc<Shared>,
    deployment: &Deployment,
    origin: impl FnOnce() -> Result<Result<Origin, Reason>, RuntimeError>,
) -> Result<Progress, RuntimeError> {
    let id = deployment.id;
    if let Some(outcome) = shared.restorations.outcome(id).await {
        return outcome.map(|()| Progress::Done);
    }
    if let Some(reason) = shared.restorations.progress(id) {
        return Ok(Progress::InProgress(reason));
    }
    if shared.dirs.cluster(id, DirState::Deployed).has_data()? {
        return Ok(Progress::Done);
    }
    let origin = match origin()? {
        Ok(origin) => origin,
        Err(waiting) => return Ok(Progress::InProgress(waiting)),
    };
    let reason = shared
        .restorations
        .lock()
        .entry(id)
        .or_insert_with(|| {
            let (stages, cancel) = (Stages::default(), CancellationToken::new());
            let work = Work { shared: shared.clone(), deployment: deployment.clone(), stages: stages.clone(), cancel: cancel.clone() };
            Running { stages, cancel, task: tokio::spawn(Arc::new(work).run(origin)) }
        })
        .stages
        .reason();
    Ok(Progress::InProgress(reason))
}

/// What the task of a restoration works with.
struct Work {
    shared: Arc<Shared>,
    deployment: Deployment,
    stages: Stages,
    cancel: CancellationToken,
}

impl Work {
    async fn run(self: Arc<Self>, origin: Origin) -> Result<(), RuntimeError> {
        let id = self.deployment.id;
        match &origin {
            Origin::Archive(restoration, _) => {
                let Restoration { source, archive, target, .. } = restoration.as_ref();
                tracing::info!(instance = %id, %source, %archive, ?target, "restoring an instance");
            }
            Origin::Instance(source) => tracing::info!(instance = %id, source = %source.id, "copying an instance"),
        }
        let outcome = self.restore(origin).await;
        match &outcome {
            Ok(()) => tracing::info!(instance = %id, "the data of an instance is restored"),
            Err(error) => tracing::warn!(instance = %id, %error, "an instance could not be restored"),
        }
        outcome
    }

    async fn restore(self: Arc<Self>, origin: Origin) -> Result<(), RuntimeError> {
        let (shared, id) = (self.shared.clone(), self.deployment.id);
        let lock = blocking(move || Ok(prepare(&shared, id)?)).await?;
        let filled = match origin {
            Origin::Archive(restoration, store) => {
                let fetched = self.cancel.run_until_cancelled(self.fetch(store, &restoration)).await;
                fetched.unwrap_or_else(|| Err(cancelled().into()))
            }
            Origin::Instance(source) => self.copy(&source).await,
        };
        blocking(move || {
            let recovered = filled.and_then(|replay| recover(&self, replay));
            if recovered.is_err() {
                // Nobody else sees to it as long as the operation is repeated.
                let _ = self.shared.clear(self.deployment.id, false);
            }
            drop(lock);
            self.shared.wake.notify_one();
            recovered
        })
        .await
    }

    /// Fetches the base backup and the WAL.
    async fn fetch(&self, store: Store, restoration: &Restoration) -> Result<Replay, RuntimeError> {
        let (archive, plan) = toygres_backup::find(store, restoration).boxed().await.map_err(refused)?;
        let required = plan.bytes();
        self.shared.disk.check_room(required)?;
        let directory = self.shared.dirs.cluster(self.deployment.id, DirState::Staging).data();
        let owner = self.shared.machine.account.ids().map(|(uid, gid)| FileOwner { uid, gid });
        let options = RestoreOptions { directory, owner };
        let report = |now: toygres_backup::Progress| self.stages.set(Stage::Fetching { bytes: now.bytes, total: required });
        let report = toygres_backup::restore(&archive, &plan, &options, &report).boxed().await.map_err(refused)?;
        Ok(Replay { start: report.wal_start, end: report.wal_end })
    }
}

/// Makes an empty staging directory. Returns the lock of the instance.
fn prepare(shared: &Shared, id: InstanceId) -> Result<InstanceLock> {
    let Some(lock) = shared.dirs.try_lock(id)? else {
        return Err(Error::Busy("another process works on the instance".to_owned()));
    };
    shared.check_open()?;
    shared.disk.check()?;
    shared.clear_deployed(id)?;
    let mode = if shared.machine.account.is_other() { 0o711 } else { 0o700 };
    make_directory(&shared.dirs.path(id, DirState::Staging), mode)?;
    Ok(lock)
}

pub(super) fn refused(error: BackupError) -> RuntimeError {
    RuntimeError { reason: error.reason(), retryable: !error.is_lasting() }
}

fn cancelled() -> Error {
    Error::Busy("the restoration was cancelled".to_owned())
}

/// Runs blocking work, which goes on if the caller is cancelled.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, RuntimeError> + Send + 'static) -> Result<T, RuntimeError> {
    let panicked = |_| Err(RuntimeError::temporary(ReasonCode::Internal, "it ended unexpectedly; the server's log says more"));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(panicked)
}
