//! Verification of base backups: which is next, and what came of it.

use std::time::Instant;

use metrics::counter;
use toygres_domain::{
    Result,
    backup::{Backup, BackupId, BackupVerification, VerificationStatus},
    instance::{Reason, ReasonCode},
};

use super::{Owned, Worker};
use crate::backups::verification::{Verifying, unfinished};

impl Worker {
    /// Begins to verify the newest base backup that is to be verified, unless there is one in progress.
    pub(super) async fn verify(&mut self, owned: &[Owned]) -> Result<()> {
        if self.verifying.is_some() {
            return Ok(());
        }
        let store = self.context.store.clone();
        let waiting = store.unverified_backups(self.id).await?;
        self.unverifiable.retain(|id, since| waiting.contains(id) && since.elapsed() < self.options.timing.retry);
        for id in waiting.into_iter().filter(|id| !self.unverifiable.contains_key(id)).collect::<Vec<BackupId>>() {
            let Some(backup) = store.backup(id).await? else { continue };
            let Some(owned) = owned.iter().find(|owned| owned.archive.archive.id == backup.archive) else { continue };
            if let Err(why) = self.is_verifiable(owned, &backup) {
                let skipped = unfinished(VerificationStatus::Skipped, Some(Reason::new(ReasonCode::NotVerified, why)));
                store.record_verification(id, &skipped).await?;
                continue;
            }
            let Some(verifying) = Verifying::start(&self.context.runtime, &backup, owned.instance.spec.postgres_version) else { continue };
            store.record_verification(id, &unfinished(VerificationStatus::Running, backup.verification.reason)).await?;
            self.verifying = Some(verifying);
            return Ok(());
        }
        Ok(())
    }

    fn is_verifiable(&self, owned: &Owned, backup: &Backup) -> std::result::Result<(), String> {
        self.options.verification.check(backup)?;
        self.context.runtime.verifies(owned.instance.spec.postgres_version)
    }

    /// Records what came of a verification.
    pub(super) async fn end_verification(&mut self) -> Result<()> {
        let Some(verifying) = self.verifying.take_if(|verifying| verifying.is_finished()) else { return Ok(()) };
        let (store, now) = (self.context.store.clone(), self.context.store.now());
        let (id, archive) = (verifying.backup, verifying.archive);
        let (result, verification) = match verifying.outcome().await {
            Ok(restored_in) => {
                let seconds = Some(restored_in.as_secs_f64());
                ("verified", BackupVerification { status: VerificationStatus::Verified, ended_at: Some(now), restore_seconds: seconds, reason: None })
            }
            Err(error) if !says_something(error.reason.code) => {
                tracing::warn!(backup = %id, reason = error.reason.message, "a base backup could not be verified; trying again later");
                self.unverifiable.insert(id, Instant::now());
                ("error", unfinished(VerificationStatus::Pending, Some(error.reason)))
            }
            Err(error) => {
                tracing::error!(backup = %id, reason = error.reason.message, "the verification of a base backup has failed");
                let reason = Some(error.reason);
                ("failed", BackupVerification { status: VerificationStatus::Failed, ended_at: Some(now), restore_seconds: None, reason })
            }
        };
        counter!("toygres_backup_verifications_total", "result" => result).increment(1);
        store.record_verification(id, &verification).await?;
        if verification.status == VerificationStatus::Failed
            && let Some(archive) = self.archives.get_mut(&archive)
        {
            // It may not count any more.
            archive.maintained_at = None;
        }
        Ok(())
    }
}

/// Whether a failure is one of the backup, and not of whoever verifies it.
fn says_something(code: ReasonCode) -> bool {
    matches!(code, ReasonCode::StoreDamaged | ReasonCode::NotRestorable | ReasonCode::DataCorrupted)
}
