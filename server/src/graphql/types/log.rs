//! `LogEntry`: what the server of an instance logs.

use async_graphql::{
    SimpleObject,
    connection::{Connection, DefaultConnectionName, DefaultEdgeName, Edge, EmptyFields, EnableNodesField},
};
use chrono::{DateTime, Utc};
use toygres_domain::{instance, server_log as domain};

use super::{LogSeverity, Reason};
use crate::app::logs;

/// A message that the server of an instance has logged, with all its lines. Secrets in its texts that are known by their form are `***`. Each text
/// is cut after 64 KiB.
#[derive(Clone, Debug, SimpleObject)]
pub struct LogEntry {
    /// The cursor of the entry. It stays valid for as long as the entry is kept, across restarts of the server, of the instance and of the control
    /// plane.
    cursor: String,
    /// When the entry was written. Null if it is a line of another program than PostgreSQL and the host does not know it.
    time: Option<DateTime<Utc>>,
    /// How severe the entry is. `LOG` if it is a line of another program than PostgreSQL.
    severity: LogSeverity,
    /// The error code. Null if it is no error.
    sqlstate: Option<String>,
    /// The message.
    message: String,
    /// More about the message.
    detail: Option<String>,
    /// What to do about it.
    hint: Option<String>,
    /// Where it happened, such as in which line of which function.
    context: Option<String>,
    /// The statement that caused it. Servers log statements only if they are told to.
    statement: Option<String>,
    /// The role that has logged in, or tried to. Null if it is not a message of a session.
    username: Option<String>,
    /// The database.
    database: Option<String>,
    /// What the client calls itself (`application_name`).
    application_name: Option<String>,
    /// The ID of the process that wrote it.
    pid: Option<i32>,
}

/// Additional fields of a page of a log.
#[derive(SimpleObject)]
pub struct LogFields {
    /// Whether the entry of the cursor `after` is not kept any more, so that entries after it may be missing.
    gap: bool,
    /// Why the log could not be read. Null if it was.
    reason: Option<Reason>,
}

/// A page of a log.
pub(crate) type LogEntries = Connection<String, LogEntry, LogFields, EmptyFields, DefaultConnectionName, DefaultEdgeName, EnableNodesField>;

/// Entries of a log that have arrived together.
#[derive(Clone, Debug, SimpleObject)]
pub struct InstanceLogBatch {
    /// The position up to which the log was read, to resume after.
    cursor: String,
    /// The entries, oldest first. May be empty: then the log was read up to `cursor`, and nothing in it was wanted.
    entries: Vec<LogEntry>,
    /// Whether entries are missing in front of these, because the host has dropped them before they were read.
    gap: bool,
}

/// The page that was read, or why it was not.
pub(crate) fn page(outcome: Result<logs::LogPage, instance::Reason>) -> LogEntries {
    let (page, reason) = match outcome {
        Ok(page) => (page, None),
        Err(reason) => (logs::LogPage::default(), Some((&reason).into())),
    };
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, LogFields { gap: page.gap, reason });
    connection.edges.extend(page.entries.into_iter().map(|entry| Edge::new(entry.cursor.to_string(), entry.into())));
    connection
}

impl From<logs::LogBatch> for InstanceLogBatch {
    fn from(logs::LogBatch { cursor, entries, gap }: logs::LogBatch) -> Self {
        Self { cursor: cursor.to_string(), entries: entries.into_iter().map(LogEntry::from).collect(), gap }
    }
}

impl From<domain::LogEntry> for LogEntry {
    fn from(entry: domain::LogEntry) -> Self {
        let domain::LogEntry { cursor, time, severity, sqlstate, message, detail, hint, context, statement, username, database, application, pid } =
            entry;
        Self {
            cursor: cursor.to_string(),
            time,
            severity: severity.into(),
            sqlstate,
            message,
            detail,
            hint,
            context,
            statement,
            username,
            database,
            application_name: application,
            pid,
        }
    }
}
