//! What backups fail with.

use chrono::{DateTime, Utc};
use toygres_domain::{
    instance::{Reason, ReasonCode},
    wal::Lsn,
};
use toygres_postgres::replication::ReplicationError;

use crate::store::{StoreError, StoreErrorKind};

/// What a backup, its archive or a restore fails with. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server of the instance failed.
    #[error(transparent)]
    Replication(#[from] ReplicationError),
    /// A local file could not be written or read.
    #[error("{what}: {source}")]
    Io {
        /// What was done with which file.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The archive is of another cluster.
    #[error("the archive is of the cluster {archived}, and the server is {actual}: a restored or upgraded instance needs an archive of its own")]
    OtherCluster {
        /// The system identifier of the archive.
        archived: u64,
        /// That of the server.
        actual: u64,
    },
    /// Another process archives the WAL of this instance: its connection uses the replication slot.
    #[error("another process archives the WAL of this instance")]
    AnotherWriter,
    /// The base backup has grown beyond the limit.
    #[error("the base backup has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// What was read is not what was backed up.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// The point cannot be restored.
    #[error("{target} cannot be restored; what can: {}", ranges(.available))]
    NotCovered {
        /// What was asked for.
        target: String,
        /// The ranges that can be restored: times, and positions.
        available: Vec<(DateTime<Utc>, DateTime<Utc>, Lsn, Lsn)>,
    },
    /// The directory has something in it.
    #[error("the directory {0} is not empty")]
    NotEmpty(String),
}

impl BackupError {
    /// The failure, for people and for callers of the API.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Replication(ReplicationError::Connection(reason)) => reason.clone(),
            error => Reason::new(error.code(), error.to_string()),
        }
    }

    fn code(&self) -> ReasonCode {
        match self {
            Self::Store(error) => match error.kind {
                StoreErrorKind::Denied | StoreErrorKind::Configuration => ReasonCode::StoreRefused,
                StoreErrorKind::Unavailable => ReasonCode::StoreUnavailable,
                StoreErrorKind::NotFound | StoreErrorKind::Conflict | StoreErrorKind::Damaged => ReasonCode::StoreDamaged,
            },
            Self::Replication(ReplicationError::ShutDown) => ReasonCode::ConnectionLost,
            Self::OtherCluster { .. } | Self::Damaged(_) => ReasonCode::StoreDamaged,
            Self::NotCovered { .. } => ReasonCode::NotRestorable,
            Self::Replication(_) | Self::Io { .. } | Self::AnotherWriter | Self::TooLarge { .. } | Self::NotEmpty(_) => ReasonCode::BackupFailed,
        }
    }

    /// Whether trying again cannot help before somebody has changed something. An object that is not there was perhaps deleted since the
    /// archive was listed.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        !matches!(self, Self::Store(error) if error.kind == StoreErrorKind::NotFound)
            && matches!(self.code(), ReasonCode::StoreRefused | ReasonCode::StoreDamaged | ReasonCode::NotRestorable)
    }

    /// Whether the server was shut down cleanly while it was followed. Everything that it has committed is archived then.
    #[must_use]
    pub fn is_shutdown(&self) -> bool {
        matches!(self, Self::Replication(ReplicationError::ShutDown))
    }

    pub(crate) fn io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::Io { what, source }
    }
}

fn ranges(available: &[(DateTime<Utc>, DateTime<Utc>, Lsn, Lsn)]) -> String {
    if available.is_empty() {
        return "nothing, because there is no complete backup".to_owned();
    }
    let range = |(from, to, from_lsn, to_lsn): &(DateTime<Utc>, DateTime<Utc>, Lsn, Lsn)| {
        format!("{} to {} ({from_lsn} to {to_lsn})", from.format("%Y-%m-%d %H:%M:%S%.3fZ"), to.format("%Y-%m-%d %H:%M:%S%.3fZ"))
    };
    available.iter().map(range).collect::<Vec<_>>().join(", ")
}

/// The result of work on a thread for blocking work. Its panics continue here; while the control plane is stopping, it does not end.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}
