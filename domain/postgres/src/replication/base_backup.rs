//! Base backups.

use bytes::{Buf, Bytes};
use postgres_protocol::message::backend::Message;
use tokio::time::timeout;

use super::{
    ReplicationConnection, ReplicationError, text, timeline,
    wire::{self, Frame, Row},
};
use toygres_domain::wal::{Lsn, Timeline};

/// A base backup on its way: a tar archive, and then a manifest of the files in it with their SHA-256.
pub struct BaseBackup {
    connection: ReplicationConnection,
    start: Lsn,
    timeline: Timeline,
    estimated_bytes: Option<u64>,
    receiving: Receiving,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Receiving {
    Nothing,
    Archive,
    Manifest,
}

/// A piece of a base backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupData {
    /// Of the archive.
    Archive(Bytes),
    /// Of the manifest, which comes after the archive.
    Manifest(Bytes),
}

/// The end of a base backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseBackupEnd {
    /// The position up to which the WAL is needed to make it consistent.
    pub lsn: Lsn,
    /// The timeline of that position.
    pub timeline: Timeline,
}

impl ReplicationConnection {
    /// Takes a base backup, after a checkpoint that is made at once. It is consistent only with the WAL from its start to its end, which is
    /// not in it. The label is written into the file `backup_label`; it may have letters, digits and `-`.
    ///
    /// # Errors
    /// See [`ReplicationError`]. The checkpoint has to end within the time-out.
    pub async fn base_backup(mut self, label: &str) -> Result<BaseBackup, ReplicationError> {
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(ReplicationError::Server { sqlstate: "22023".to_owned(), message: "the label has other characters".to_owned() });
        }
        let command =
            format!("BASE_BACKUP (LABEL '{label}', PROGRESS true, CHECKPOINT 'fast', WAIT false, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256')");
        let sent = timeout(self.timeout, self.wire.query(&command)).await;
        self.completed(sent)?;
        let rows = self.rows_before_copy().await?;
        let mut rows = rows.iter();
        let start = rows.next().and_then(|row| Some((text(row, 0)?.parse().ok()?, timeline(text(row, 1)?)?)));
        let (start, timeline) = start.ok_or_else(|| self.unexpected("the start of a base backup"))?;
        let (tablespaces, data): (Vec<&Row>, Vec<&Row>) = rows.partition(|row| text(row, 0).is_some());
        if !tablespaces.is_empty() {
            let name = |row: &&Row| format!("{} (OID {})", text(row, 1).unwrap_or_default(), text(row, 0).unwrap_or_default());
            return Err(ReplicationError::Tablespaces(tablespaces.iter().map(name).collect()));
        }
        let estimated_bytes = data.first().and_then(|row| text(row, 2)?.parse::<u64>().ok()).map(|kilobytes| kilobytes.saturating_mul(1024));
        Ok(BaseBackup { connection: self, start, timeline, estimated_bytes, receiving: Receiving::Nothing })
    }

    /// The rows that come before the data.
    async fn rows_before_copy(&mut self) -> Result<Vec<Row>, ReplicationError> {
        // A cluster has one row, one for itself, and one for each of its tablespaces.
        const MAX_ROWS: usize = 1000;
        let mut rows = Vec::new();
        loop {
            match self.frame().await? {
                Frame::Message(Message::DataRow(body)) if rows.len() < MAX_ROWS => {
                    rows.push(wire::row(&body).map_err(|error| super::failed(&self.endpoint, error))?);
                }
                Frame::Message(Message::RowDescription(_) | Message::CommandComplete(_)) => {}
                Frame::Message(Message::CopyOutResponse(_)) => return Ok(rows),
                frame => return Err(self.unexpected_frame(&frame)),
            }
        }
    }
}

impl BaseBackup {
    /// The position from which the WAL is needed.
    #[must_use]
    pub fn start(&self) -> Lsn {
        self.start
    }

    /// The timeline of the start.
    #[must_use]
    pub fn timeline(&self) -> Timeline {
        self.timeline
    }

    /// About how many bytes the archive will have.
    #[must_use]
    pub fn estimated_bytes(&self) -> Option<u64> {
        self.estimated_bytes
    }

    /// The next piece; `None` after the last. Cancelling it loses nothing.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn next(&mut self) -> Result<Option<BackupData>, ReplicationError> {
        loop {
            let mut body = match self.connection.frame().await? {
                Frame::Message(Message::CopyData(body)) => body.into_bytes(),
                Frame::Message(Message::CopyDone) => return Ok(None),
                frame => return Err(self.connection.unexpected_frame(&frame)),
            };
            match (body.try_get_u8().unwrap_or_default(), self.receiving) {
                // The only archive, because there are no tablespaces.
                (b'n', Receiving::Nothing) => self.receiving = Receiving::Archive,
                (b'm', Receiving::Archive) => self.receiving = Receiving::Manifest,
                (b'd', Receiving::Archive) => return Ok(Some(BackupData::Archive(body))),
                (b'd', Receiving::Manifest) => return Ok(Some(BackupData::Manifest(body))),
                // Progress.
                (b'p', _) => {}
                _ => return Err(self.connection.unexpected("a message of the base backup")),
            }
        }
    }

    /// Ends a backup of which everything was received. Without this it has no end, and cannot be restored.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn finish(self) -> Result<(ReplicationConnection, BaseBackupEnd), ReplicationError> {
        let mut connection = self.connection;
        let rows = timeout(connection.timeout, connection.wire.rows_until_ready()).await;
        let rows = connection.completed(rows)?;
        let end = rows.first().and_then(|row| Some(BaseBackupEnd { lsn: text(row, 0)?.parse().ok()?, timeline: timeline(text(row, 1)?)? }));
        let end = end.ok_or_else(|| connection.unexpected("the end of a base backup"))?;
        Ok((connection, end))
    }
}
