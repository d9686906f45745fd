//! Has base backups verified, one at a time.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;
use toygres_domain::{
    backup::{ArchiveId, Backup, BackupId, BackupVerification, VerificationStatus},
    instance::{PostgresVersion, Reason, ReasonCode},
    restoration::{Restoration, RestoreTarget},
    runtime::{Runtime, RuntimeError},
    verification::{Verification, VerificationProgress},
};

/// How often a host is asked how far it is.
const POLL: Duration = Duration::from_secs(1);

/// A task that has a base backup verified. It ends when this is dropped.
pub(super) struct Verifying {
    pub(super) backup: BackupId,
    pub(super) archive: ArchiveId,
    task: JoinHandle<Result<Duration, RuntimeError>>,
}

impl Verifying {
    /// Begins to verify a backup that is complete.
    pub(super) fn start(runtime: &Arc<dyn Runtime>, backup: &Backup, version: PostgresVersion) -> Option<Self> {
        let object = backup.object?;
        let target = RestoreTarget::Backup(object);
        let verification = Verification {
            backup: object,
            restoration: Restoration { source: backup.instance, archive: backup.archive, target, known: None, avoid: Vec::new(), clones: false },
            version,
            bytes: u64::try_from(backup.bytes).unwrap_or(0),
        };
        let task = tokio::spawn(verify(runtime.clone(), verification));
        Some(Self { backup: backup.id, archive: backup.archive, task })
    }

    pub(super) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// How long the restoration has taken.
    pub(super) async fn outcome(mut self) -> Result<Duration, RuntimeError> {
        let panicked = |_| Err(RuntimeError::temporary(ReasonCode::Internal, "the verification ended unexpectedly; the server's log says more"));
        (&mut self.task).await.unwrap_or_else(panicked)
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn verify(runtime: Arc<dyn Runtime>, verification: Verification) -> Result<Duration, RuntimeError> {
    loop {
        match runtime.verify(&verification).await? {
            VerificationProgress::Verified { restored_in } => return Ok(restored_in),
            VerificationProgress::InProgress => tokio::time::sleep(POLL).await,
        }
    }
}

/// What is recorded of a verification that has not ended.
pub(super) fn unfinished(status: VerificationStatus, reason: Option<Reason>) -> BackupVerification {
    BackupVerification { status, ended_at: None, restore_seconds: None, reason }
}
