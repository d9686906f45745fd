//! Whether what was archived last is still in the store: somebody may have deleted it.

use std::time::Instant;

use tokio::task::JoinHandle;
use toygres_backup::{BackupError, Layout, find_missing};

use super::{MAINTAINED, Owned, Worker};
use crate::backups::follower::Follower;

/// A look at the newest objects of an archive.
pub(super) struct Checking {
    /// After which beginning of its follower.
    began: u64,
    task: JoinHandle<Result<Option<String>, BackupError>>,
}

impl Worker {
    /// Looks at the archives of instances that run, each after a while. If something is missing, its follower begins anew: it archives what
    /// the server still has, and the whole archive is looked at, which shows the gap and has a base backup taken.
    pub(super) async fn check_presence(&mut self, owned: &[Owned]) {
        for (id, archive) in &mut self.archives {
            let Some(Checking { began, task }) = archive.checking.take_if(|checking| checking.task.is_finished()) else { continue };
            match task.await {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(missing))) => {
                    tracing::warn!(archive = %id, missing, "something that was archived is not in the store any more; what can be restored is determined anew");
                    if let Some(follower) = archive.follower.as_ref().filter(|follower| follower.began() == began) {
                        follower.stop();
                    }
                }
                // The follower notices it too, and says so.
                Ok(Err(error)) => tracing::debug!(archive = %id, %error, "the newest objects of an archive could not be looked at"),
                Err(_) => tracing::error!(archive = %id, "looking at the newest objects of an archive ended unexpectedly"),
            }
        }
        let presence = self.timing().presence;
        let mut free = MAINTAINED.saturating_sub(self.archives.values().filter(|archive| archive.checking.is_some()).count());
        for owned in owned.iter().filter(|owned| owned.is_running()) {
            let id = owned.archive.archive.id;
            let Some(known) = self.archives.get_mut(&id).filter(|known| free > 0 && known.checking.is_none()) else { continue };
            if known.checked_at.max(known.maintained_at).is_none_or(|at| at.elapsed() < presence) {
                continue;
            }
            let is_following = |follower: &&Follower| !follower.is_stopping() && follower.failure().is_none();
            let Some(follower) = known.follower.as_ref().filter(is_following) else { continue };
            let (began, status) = (follower.began(), follower.status());
            // Behind a gap, nothing is relied on before a base backup is complete.
            let found = known.findings.since(began).filter(|found| found.continues);
            let Some((since, status)) = found.and_then(|found| found.base).zip(status) else { continue };
            let (store, layout) = (self.options.store.clone(), Layout::new(owned.instance.id, id));
            let task = tokio::spawn(async move { find_missing(&store, &layout, since, &status).await });
            known.checking = Some(Checking { began, task });
            known.checked_at = Some(Instant::now());
            free -= 1;
        }
    }
}
