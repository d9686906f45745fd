//! What a worker reports: how far each archive is, metrics, and notices.

use metrics::gauge;
use toygres_domain::{
    Result,
    notice::{NoticeCode, not_backed_up},
};
use toygres_store::{ArchiveReport, OwnedArchive};

use super::{Owned, Worker};
use crate::{backups::follower::Follower, notices::update_notice};

impl Worker {
    /// Reports how far each archive is, if that has changed, and what follows from it.
    pub(super) async fn report(&mut self, owned: &[Owned]) -> Result<()> {
        let reports: Vec<_> = owned.iter().map(|owned| self.report_of(owned)).collect();
        record_metrics(&reports, self.takings.len());
        gauge!("toygres_backup_archives_damaged").set(self.context.store.failed_verifications(self.id).await? as f64);
        let changed: Vec<_> = reports.into_iter().filter(|report| self.reported.get(&report.id) != Some(report)).collect();
        if !changed.is_empty() {
            self.context.store.report_archives(self.id, &changed).await?;
            self.reported.extend(changed.into_iter().map(|report| (report.id, report)));
        }
        self.note_unprotected(owned).await
    }

    /// Sets or removes the notice of instances that are to be backed up and are not.
    async fn note_unprotected(&self, owned: &[Owned]) -> Result<()> {
        let now = self.context.store.now();
        for owned in owned.iter().filter(|owned| owned.is_running()) {
            let Owned { archive: OwnedArchive { archive, has_slot: _ }, instance, policy } = owned;
            if archive.retired.is_none() {
                let message = not_backed_up(archive, now).filter(|_| policy.enabled);
                update_notice(&self.context, instance, NoticeCode::NotBackedUp, message.as_deref()).await?;
            }
        }
        Ok(())
    }

    fn report_of(&self, owned: &Owned) -> ArchiveReport {
        let id = owned.archive.archive.id;
        let known = self.archives.get(&id);
        let follower = known.and_then(|known| known.follower.as_ref());
        let failure = follower.and_then(Follower::failure);
        let status = follower.and_then(Follower::status);
        // Until the archive was looked at, a gap is possible: then what is durable does not continue what was covered before.
        let is_looked_at = known.zip(follower).is_some_and(|(known, follower)| known.findings.since(follower.began()).is_some());
        let known_durable = status.as_ref().filter(|_| is_looked_at);
        let covers = known_durable.and_then(|status| status.covers);
        let is_behind = status.as_ref().is_some_and(|status| status.durable < status.flushed) || failure.is_some();
        let age = covers.map(|covers| (self.context.store.now() - covers).as_seconds_f64().max(0.0));
        ArchiveReport {
            id,
            followed: status.is_some() && failure.is_none(),
            durable: known_durable.map(|status| status.durable),
            flushed: status.as_ref().map(|status| status.flushed),
            durable_at: covers,
            lag_seconds: if is_behind { age } else { age.map(|_| 0.0) },
            failure,
        }
    }
}

fn record_metrics(reports: &[ArchiveReport], taking: usize) {
    let failing = reports.iter().filter(|report| report.failure.is_some()).count();
    let lag = reports.iter().filter_map(|report| report.lag_seconds).fold(0.0, f64::max);
    let kept = reports.iter().filter_map(|report| Some(report.flushed?.0.saturating_sub(report.durable?.0))).max().unwrap_or(0);
    gauge!("toygres_backup_archives").set(reports.len() as f64);
    gauge!("toygres_backup_archives_followed").set(reports.iter().filter(|report| report.followed).count() as f64);
    gauge!("toygres_backup_archives_failing").set(failing as f64);
    gauge!("toygres_backup_lag_seconds").set(lag);
    gauge!("toygres_backup_wal_kept_bytes").set(kept as f64);
    gauge!("toygres_base_backups_running").set(taking as f64);
}
