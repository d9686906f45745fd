//! The low-level API of PostgreSQL for base backups by copying files: between the start and the stop, somebody else copies the files of the
//! data directory, in any order and while they change. With the label and the WAL in between, a server recovers a consistent cluster from
//! them.

use std::time::Duration;

use toygres_domain::{
    backup::COPY_SLOT,
    instance::Reason,
    roles::DATABASE,
    wal::{Segment, SegmentSize},
};

use super::{
    Target,
    administration::{open, within},
    close,
    session::{Session, SessionError},
    symptom,
};

/// A temporary slot: it keeps the WAL from the start on, and the server drops it at the end of the session, however that ends. Its name is
/// unique, because the copies of an instance may overlap.
fn make_slot() -> String {
    format!(
        "SELECT slot_name FROM pg_catalog.pg_create_physical_replication_slot(
             '{COPY_SLOT}' || pg_catalog.pg_backend_pid(), immediately_reserve => true, temporary => true)"
    )
}

/// With an immediate checkpoint: the next regular one may be minutes away.
const START: &str = "SELECT pg_catalog.pg_backup_start('toygres', fast => true)";

/// No server archives, so nothing is waited for.
const STOP: &str = "SELECT labelfile, pg_catalog.pg_walfile_name(lsn) FROM pg_catalog.pg_backup_stop(wait_for_archive => false)";

/// A backup in progress. It belongs to its session: if that ends, the server has given the backup up, and what was copied is useless.
pub struct OnlineBackup {
    session: Session,
    target: Target,
}

/// What makes a backup of the files that were copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupEnd {
    /// The content of `backup_label`.
    pub label: String,
    /// The first segment of the WAL that is needed.
    pub first: Segment,
    /// The last one, of the same timeline.
    pub last: Segment,
}

impl OnlineBackup {
    /// Begins a backup. It takes a checkpoint.
    ///
    /// # Errors
    /// Why it did not begin. The reason never contains the password.
    pub async fn start(superuser: &Target, timeout: Duration) -> Result<Self, Reason> {
        let session = within(superuser, timeout, async {
            let mut session = open(superuser, DATABASE).await?;
            let [_] = session.row(&make_slot()).await?;
            let [_] = session.row(START).await?;
            Ok(session)
        });
        Ok(Self { session: session.await?, target: superuser.clone() })
    }

    /// Completes when the session is lost, and with it the backup.
    pub async fn lost(&mut self) -> Reason {
        let error = self.session.lost().await;
        symptom::classify(&self.target.endpoint, &error)
    }

    /// Ends the backup: whatever was committed before is in the WAL up to its last segment. The server keeps that until [`Self::close`].
    ///
    /// # Errors
    /// Why it did not end. What was copied cannot be used then.
    pub async fn stop(&mut self, timeout: Duration) -> Result<BackupEnd, Reason> {
        let Self { session, target } = self;
        within(target, timeout, async {
            let [label, last] = session.row(STOP).await?;
            BackupEnd::parse(label, last).ok_or_else(|| SessionError::Protocol("the end of the backup is not described".to_owned()))
        })
        .await
    }

    /// Ends the session.
    pub async fn close(self) {
        close(Some(self.session)).await;
    }
}

impl BackupEnd {
    fn parse(label: Option<String>, last: Option<String>) -> Option<Self> {
        let segment = |name: &str| SegmentSize::DEFAULT.parse_file_name(name).ok();
        let (label, last) = (label?, segment(&last?)?);
        let first = label.lines().next()?.strip_prefix("START WAL LOCATION: ")?.split_once("(file ")?.1.strip_suffix(')')?;
        let first = segment(first)?;
        (first.timeline == last.timeline && first.number <= last.number).then_some(Self { label, first, last })
    }
}

#[cfg(test)]
mod tests {
    use toygres_domain::wal::Timeline;

    use super::*;

    #[test]
    fn the_end_of_a_backup_says_which_wal_it_needs() {
        let label = "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT LOCATION: 0/2000060\n";
        let parse = |label: &str, last: &str| BackupEnd::parse(Some(label.to_owned()), Some(last.to_owned()));
        let end = parse(label, "000000010000000000000004").unwrap();
        assert_eq!((end.first, end.last), (Segment { timeline: Timeline(1), number: 2 }, Segment { timeline: Timeline(1), number: 4 }));
        assert_eq!(end.label, label);
        for (label, last) in [(label, "000000010000000000000001"), (label, "000000020000000000000004"), (label, "../global"), ("", "")] {
            assert_eq!(parse(label, last), None, "{label} {last}");
        }
    }
}
