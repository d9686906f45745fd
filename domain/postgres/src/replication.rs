//! A client of PostgreSQL's streaming replication protocol, of version 15 or later: replication slots, the stream of the WAL, and base
//! backups. docs/decisions/0014-replication-client.md says why it is our own.
//!
//! The server is its owner's and is not trusted: every message is limited in length, every answer in size and time, and nothing is kept
//! that has no limit.

mod base_backup;
mod login;
mod slot;
mod wal_stream;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use postgres_protocol::message::backend::Message;
use tokio::time::timeout;

pub use base_backup::{BackupData, BaseBackup, BaseBackupEnd};
pub use slot::{InvalidSlotName, Slot, SlotName};
pub use wal_stream::{WalMessage, WalStream};

use self::wire::{Frame, Row, Wire};
use crate::{
    Target,
    session::{SessionError, guarded::Io},
    symptom,
};
use toygres_domain::{
    instance::{Endpoint, Reason},
    wal::{Lsn, Timeline},
};

/// What replication fails with.
#[derive(Debug, thiserror::Error)]
pub enum ReplicationError {
    /// The connection could not be made, or was lost, or the server does not speak the protocol.
    #[error("{}", .0.message)]
    Connection(Reason),
    /// The server is shutting down, and has ended the stream of its WAL: all of it was sent and confirmed.
    #[error("the server has shut down")]
    ShutDown,
    /// The server answered with an error.
    #[error("the server answered: {message} (SQLSTATE {sqlstate})")]
    Server {
        /// Its SQLSTATE.
        sqlstate: String,
        /// Its message.
        message: String,
    },
    /// The cluster has tablespaces, which are directories outside of the data directory, and are not backed up.
    #[error("the cluster has tablespaces, which cannot be backed up: {}; move what is in them to pg_default and drop them", .0.join(", "))]
    Tablespaces(Vec<String>),
}

/// A cluster, as `IDENTIFY_SYSTEM` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemIdentity {
    /// The identifier that `initdb` chose. A restored cluster keeps that of its source.
    pub system_identifier: u64,
    /// The current timeline.
    pub timeline: Timeline,
    /// The position up to which the WAL is flushed.
    pub flushed: Lsn,
}

/// A connection for physical replication.
pub struct ReplicationConnection {
    wire: Wire<Box<dyn Io>>,
    endpoint: Endpoint,
    timeout: Duration,
}

impl ReplicationConnection {
    /// Logs in for replication; the database of the target does not matter. As in every session, the password is only sent as a proof,
    /// and TLS is used if the server offers it or must. The login, each answer and each message of a stream may take `timeout`, which has
    /// to be longer than `wal_sender_timeout / 2`, the interval of the server's own messages (30 s by default).
    ///
    /// # Errors
    /// Why the login failed. The reason never contains the password.
    pub async fn connect(target: &Target, timeout: Duration) -> Result<Self, ReplicationError> {
        let endpoint = target.endpoint.clone();
        let login = tokio::time::timeout(timeout, login::log_in(target, "toygres-backup")).await;
        let wire =
            login.map_err(|_| ReplicationError::Connection(symptom::no_answer(&endpoint, timeout)))?.map_err(|error| failed(&endpoint, error))?;
        Ok(Self { wire, endpoint, timeout })
    }

    /// Which cluster this is, and where it is.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn identify_system(&mut self) -> Result<SystemIdentity, ReplicationError> {
        let row = self.row("IDENTIFY_SYSTEM").await?;
        let identity = || {
            Some(SystemIdentity {
                system_identifier: text(&row, 0)?.parse().ok()?,
                timeline: timeline(text(&row, 1)?)?,
                flushed: text(&row, 2)?.parse().ok()?,
            })
        };
        identity().ok_or_else(|| self.unexpected("the answer to IDENTIFY_SYSTEM"))
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// See [`ReplicationError`]. There is no such setting.
    pub async fn show(&mut self, setting: &str) -> Result<String, ReplicationError> {
        if !setting.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return Err(ReplicationError::Server { sqlstate: "42704".to_owned(), message: "no such setting".to_owned() });
        }
        let row = self.row(&format!("SHOW {setting}")).await?;
        text(&row, 0).map(str::to_owned).ok_or_else(|| self.unexpected("the answer to SHOW"))
    }

    /// The history file of a timeline.
    ///
    /// # Errors
    /// See [`ReplicationError`].
    pub async fn timeline_history(&mut self, timeline: Timeline) -> Result<Bytes, ReplicationError> {
        let row = self.row(&format!("TIMELINE_HISTORY {timeline}")).await?;
        row.into_iter().nth(1).flatten().ok_or_else(|| self.unexpected("the answer to TIMELINE_HISTORY"))
    }

    /// Says goodbye. Errors do not matter any more.
    pub async fn close(mut self) {
        let _ = timeout(Duration::from_secs(1), self.wire.terminate()).await;
    }

    /// The first row of the answer to a command.
    async fn row(&mut self, command: &str) -> Result<Row, ReplicationError> {
        let mut rows = self.rows(command).await?;
        if rows.is_empty() { Err(self.unexpected("an answer without a row")) } else { Ok(rows.swap_remove(0)) }
    }

    /// The rows of the answer to a command.
    async fn rows(&mut self, command: &str) -> Result<Vec<Row>, ReplicationError> {
        let answer = async {
            self.wire.query(command).await?;
            self.wire.rows_until_ready().await
        };
        let answer = timeout(self.timeout, answer).await;
        self.completed(answer)
    }

    /// The next frame, within the time-out.
    async fn frame(&mut self) -> Result<Frame, ReplicationError> {
        let frame = timeout(self.timeout, self.wire.frame()).await;
        self.completed(frame)
    }

    fn completed<T>(&self, outcome: Result<Result<T, SessionError>, tokio::time::error::Elapsed>) -> Result<T, ReplicationError> {
        match outcome {
            Ok(outcome) => outcome.map_err(|error| failed(&self.endpoint, error)),
            Err(_) => Err(ReplicationError::Connection(symptom::no_answer(&self.endpoint, self.timeout))),
        }
    }

    fn unexpected(&self, what: &str) -> ReplicationError {
        failed(&self.endpoint, SessionError::Protocol(format!("{what} is not one of PostgreSQL")))
    }

    /// What a frame that is none of those expected is.
    fn unexpected_frame(&self, frame: &Frame) -> ReplicationError {
        match frame {
            Frame::Message(Message::ErrorResponse(body)) => failed(&self.endpoint, wire::server_error(body)),
            _ => self.unexpected("a message"),
        }
    }
}

fn failed(endpoint: &Endpoint, error: SessionError) -> ReplicationError {
    match error {
        SessionError::Server(sqlstate, message) => ReplicationError::Server { sqlstate, message },
        error => ReplicationError::Connection(symptom::classify(endpoint, &error)),
    }
}

fn text(row: &Row, column: usize) -> Option<&str> {
    std::str::from_utf8(row.get(column)?.as_deref()?).ok()
}

fn timeline(text: &str) -> Option<Timeline> {
    text.parse().ok().filter(|timeline| *timeline > 0).map(Timeline)
}
