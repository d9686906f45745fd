//! What a server logs: its entries, their positions, and how they are selected. [`parser`] reads them from lines.

pub mod parser;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::instance::text_enum;

/// `log_line_prefix` of every instance: time, process, session, SQLSTATE; then, if it is a session, role, database, application and the
/// session again.
///
/// Whoever connects chooses the names, also without a password, and PostgreSQL writes them as they are, line breaks too. They cannot make a
/// line that looks like an entry: what is in front of them is longer than a name, which has 63 bytes at the most. Nor can they end the names
/// early, because for that they would have to know the session; that there are names is known by the tab in front of them.
pub const LINE_PREFIX: &str = "%m [%10p] %20c %e %q\t%u\t%d\t%a\t%c ";

text_enum! {
    /// How severe an entry is, from the least to the most severe. A filter selects a severity and those after it.
    pub enum LogSeverity {
        /// Details for developers.
        Debug,
        /// What a client has asked for, such as the output of `VACUUM VERBOSE`.
        Info,
        /// A hint for a client.
        Notice,
        /// What administrators may want to know, such as a checkpoint or a connection.
        Log,
        /// A likely problem.
        Warning,
        /// A statement was aborted.
        Error,
        /// A session was aborted, or the server did not start.
        Fatal,
        /// All sessions were aborted.
        Panic,
    }
}

/// The position of a line in a log. Later lines have larger ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The offset of its first byte, or the nanosecond since 1970 in which it was written, as the host numbers its lines.
    pub at: u64,
    /// Which of the lines with the same number it is.
    pub nth: u32,
}

/// The position of an entry and a checksum of its first line, which tells whether it is still this entry that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogCursor {
    /// The position of its first line.
    pub position: LogPosition,
    /// The checksum of its first line.
    pub check: u32,
}

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position: LogPosition { at, nth }, check } = self;
        write!(f, "{at:x}.{nth:x}.{check:x}")
    }
}

/// The text is not the cursor of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the cursor of an entry of a log")]
pub struct NotACursor;

impl FromStr for LogCursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().and_then(|part| u64::from_str_radix(part, 16).ok()).ok_or(NotACursor);
        let (at, nth, check) = (part()?, part()?, part()?);
        let short = |number: u64| u32::try_from(number).map_err(|_| NotACursor);
        let cursor = Self { position: LogPosition { at, nth: short(nth)? }, check: short(check)? };
        // One entry has one cursor.
        if cursor.to_string() == text { Ok(cursor) } else { Err(NotACursor) }
    }
}

/// One line as the host keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its position.
    pub position: LogPosition,
    /// When the host received it, if it knows.
    pub received: Option<DateTime<Utc>>,
    /// Its text without the line break. What is no UTF-8 is replaced.
    pub text: String,
}

/// One message of a server, with all its lines. Secrets in its texts are masked: see [`crate::masking`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Where it is.
    pub cursor: LogCursor,
    /// When it was written; `None` if neither the line nor the host says so.
    pub time: Option<DateTime<Utc>>,
    /// How severe it is. [`LogSeverity::Log`] if it is a line that PostgreSQL did not write as a message.
    pub severity: LogSeverity,
    /// Its SQLSTATE, unless that says that there is no error, or it is not known.
    pub sqlstate: Option<String>,
    /// The message.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where it happened, such as in which line of which function.
    pub context: Option<String>,
    /// The statement that caused it, or the internal query. Servers log statements if they are told to only.
    pub statement: Option<String>,
    /// The role that has logged in, or tries to.
    pub username: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// What the client calls itself.
    pub application: Option<String>,
    /// The process; `None` if it is not known.
    pub pid: Option<i32>,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// The least severity.
    pub severity: Option<LogSeverity>,
    /// The earliest time. An entry without a time counts as one of the time before it.
    pub since: Option<DateTime<Utc>>,
    /// What a text of the entry contains, in lower case.
    contains: Option<String>,
}

impl LogFilter {
    /// A filter. Upper and lower case are the same in `contains`, and an empty text is none.
    #[must_use]
    pub fn new(severity: Option<LogSeverity>, since: Option<DateTime<Utc>>, contains: Option<&str>) -> Self {
        Self { severity, since, contains: contains.map(str::to_lowercase).filter(|text| !text.is_empty()) }
    }

    /// Whether an entry is wanted.
    #[must_use]
    pub fn matches(&self, entry: &LogEntry) -> bool {
        let Self { severity, since, contains } = self;
        severity.is_none_or(|severity| entry.severity >= severity)
            && since.is_none_or(|since| entry.time.is_none_or(|time| time >= since))
            && contains.as_ref().is_none_or(|wanted| entry.texts().any(|text| text.to_lowercase().contains(wanted)))
    }
}

impl LogEntry {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let Self { message, detail, hint, context, statement, username, database, application, sqlstate, .. } = self;
        let others = [detail, hint, context, statement, username, database, application, sqlstate];
        std::iter::once(message.as_str()).chain(others.into_iter().flatten().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back() {
        let cursor = LogCursor { position: LogPosition { at: u64::MAX, nth: 7 }, check: u32::MAX };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "1", "1.2", "1.2.3.4", "x.1.1", "01.0.0", "1.1ffffffff.0", "+1.0.0", "A.0.0"] {
            assert_eq!(wrong.parse::<LogCursor>(), Err(NotACursor), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_in_front_of_names_is_longer_than_a_name() {
        let start = "2026-11-30 03:29:05.228 UTC [     13756]        6b0ced81.35bc 3D000 ";
        assert_eq!(start.len(), parser::FIXED);
        const { assert!(parser::FIXED > 63) };
    }
}
