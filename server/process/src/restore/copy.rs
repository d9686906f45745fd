//! Copies the data of another instance of this host.
//!
//! A server that runs is told that a base backup is taken, and goes on: its files are copied while it writes them, and then the WAL that
//! makes them consistent. The files of a suspended instance are copied as they are. Nobody is kept from stopping, resuming or removing the
//! source meanwhile. Both are noticed before the copy becomes anything: the end of the server ends the session to which the backup belongs,
//! and a start of the server changes the control file.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Reason, ReasonCode},
    restoration::RestoreMethod,
    runtime::{CopySource, RuntimeError},
    wal::{Lsn, Segment, SegmentSize},
};
use toygres_postgres::{
    Target,
    online_backup::{BackupEnd, OnlineBackup},
};

use super::{
    Work, blocking, cancelled,
    files::{Copying, read_control},
    recover::Replay,
};
use crate::{
    cluster::{Cluster, Status},
    data_dir::write_atomically,
    error::{Error, Result},
    instance_dirs::DirState,
    runtime::{LOCK_TIMEOUT, Shared},
    suspend,
};

/// How long the server of the source may take to begin a backup, which takes a checkpoint, or to end one.
const SERVER_TIMEOUT: Duration = Duration::from_secs(900);

/// In the directory of a copied instance: how it was copied.
const METHOD_FILE: &str = "copied";

/// What the copy waits for before it can begin; `None` if it can.
pub(super) fn waiting(shared: &Shared, source: InstanceId) -> Result<Option<Reason>, RuntimeError> {
    let cluster = existing(shared, source)?;
    Ok(match (suspend::is_suspended(cluster.home()), cluster.status()?) {
        (true, Status::Stopped) | (false, Status::Ready { .. }) => None,
        _ => Some(Reason::new(ReasonCode::StartingUp, "the source is copied as soon as its server accepts connections, or is stopped")),
    })
}

/// How the data of an instance was copied; `None` if it was not.
pub(super) fn method(cluster: &Cluster) -> Option<RestoreMethod> {
    std::fs::read_to_string(cluster.home().join(METHOD_FILE)).ok()?.parse().ok()
}

impl Work {
    /// Copies the data of the source into the staging directory. Returns which part of the WAL is to be replayed.
    pub(super) async fn copy(self: &Arc<Self>, source: &CopySource) -> Result<Replay, RuntimeError> {
        match existing(&self.shared, source.id)?.status()? {
            Status::Ready { port, .. } => self.copy_running(source, port).await,
            _ => {
                let (work, id) = (self.clone(), source.id);
                blocking(move || work.copy_suspended(id)).await
            }
        }
    }

    async fn copy_running(self: &Arc<Self>, source: &CopySource, port: u16) -> Result<Replay, RuntimeError> {
        let endpoint = Endpoint { host: "127.0.0.1".to_owned(), port };
        let target = Target::of_superuser(endpoint, &source.platform).verifying(source.identity.clone());
        let mut backup = self.cancelling(OnlineBackup::start(&target, SERVER_TIMEOUT)).await?;
        let (work, id, ended) = (self.clone(), source.id, self.cancel.child_token());
        let token = ended.clone();
        let copying = blocking(move || {
            let mut copying = work.begin_copy(id, true, &token)?;
            copying.copy()?;
            let control = read_control(&existing(&work.shared, id)?.data())?;
            Ok((copying, control))
        });
        tokio::pin!(copying);
        let (copying, control) = tokio::select! {
            biased;
            copied = &mut copying => copied?,
            reason = backup.lost() => {
                ended.cancel();
                let _ = copying.as_mut().await;
                let message = format!("the server of the source has stopped while it was copied: {}", reason.message);
                return Err(RuntimeError::temporary(reason.code, message));
            }
        };
        // The server still lives, so nothing that was copied had been removed before.
        let end = self.cancelling(backup.stop(SERVER_TIMEOUT)).await?;
        let work = self.clone();
        let replay = blocking(move || work.finish_running(copying, &control, &end)).await;
        backup.close().await;
        replay
    }

    fn finish_running(&self, mut copying: Copying, control: &[u8], end: &BackupEnd) -> Result<Replay, RuntimeError> {
        let (size, BackupEnd { label, first, last }) = (SegmentSize::DEFAULT, end);
        let segments = first.number..=last.number;
        copying.copy_wal(segments.map(|number| size.file_name(Segment { timeline: first.timeline, number })))?;
        copying.finish(control, Some(label))?;
        self.note_method(&copying)?;
        Ok(Replay { start: size.start(first.number), end: size.start(last.number + 1) })
    }

    fn copy_suspended(&self, source: InstanceId) -> Result<Replay, RuntimeError> {
        let control = suspended(&self.shared, source)?;
        let mut copying = self.begin_copy(source, false, &self.cancel)?;
        copying.copy()?;
        // No two states of a cluster have the same one: the server writes it when it starts, and when it stops.
        if suspended(&self.shared, source)? != control {
            return Err(Error::Busy("the source was resumed while it was copied".to_owned()).into());
        }
        copying.finish(&control, None)?;
        self.note_method(&copying)?;
        Ok(Replay { start: Lsn(0), end: Lsn(0) })
    }

    fn begin_copy(&self, source: InstanceId, live: bool, cancel: &CancellationToken) -> Result<Copying, RuntimeError> {
        let Self { shared, deployment, stages, .. } = self;
        let (from, to) = (existing(shared, source)?.data(), self.staging().data());
        let copying = Copying::begin(&from, &to, &shared.machine.account, live, cancel, stages)?;
        let (bytes, shares) = (copying.total(), copying.shares());
        tracing::info!(instance = %deployment.id, %source, live, bytes, shares, "copying the data of an instance");
        if !shares {
            // Nothing makes room by itself, so it is not waited for.
            let refused = |error| RuntimeError { retryable: false, ..RuntimeError::from(error) };
            shared.disk.check_room(bytes).map_err(refused)?;
        }
        Ok(copying)
    }

    fn note_method(&self, copying: &Copying) -> Result<()> {
        let method = if copying.shares() { RestoreMethod::Reflink } else { RestoreMethod::Copy };
        write_atomically(&self.staging().home().join(METHOD_FILE), 0o600, method.as_str())
    }

    fn staging(&self) -> Cluster {
        self.shared.dirs.cluster(self.deployment.id, DirState::Staging)
    }

    /// Waits for a server, unless the copy is cancelled.
    async fn cancelling<T>(&self, work: impl Future<Output = Result<T, Reason>>) -> Result<T, RuntimeError> {
        let outcome = self.cancel.run_until_cancelled(work).await.ok_or_else(cancelled)?;
        outcome.map_err(|Reason { code, message }| RuntimeError::temporary(code, message))
    }
}

/// The source, which must not be removed.
fn existing(shared: &Shared, source: InstanceId) -> Result<Cluster, RuntimeError> {
    let cluster = shared.dirs.cluster(source, DirState::Deployed);
    if cluster.has_data()? {
        return Ok(cluster);
    }
    let why = "the source does not exist any more: restore it from its archive, if it has one";
    Err(RuntimeError::permanent(ReasonCode::NotRestorable, why))
}

/// The control file of a suspended source, whose server does not run.
fn suspended(shared: &Shared, source: InstanceId) -> Result<Vec<u8>, RuntimeError> {
    // Whoever starts its server has the lock.
    let _lock = shared.dirs.lock(source, LOCK_TIMEOUT)?;
    let cluster = existing(shared, source)?;
    if !suspend::is_suspended(cluster.home()) || cluster.server()?.is_some() {
        return Err(Error::Busy("the server of the source is being started, or stopped".to_owned()).into());
    }
    Ok(read_control(&cluster.data())?)
}
