//! Sessions of clients in an instance, and what they do.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};

use crate::instance::text_enum;

/// The identity of a session. Operating systems reuse the IDs of processes, so the start of the session is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// The process that serves it.
    pub pid: i32,
    /// When it began, in microseconds since 1970, which is all that PostgreSQL knows of the time.
    pub started_micros: i64,
}

/// `<pid>-<start in base 36>`: short enough to be typed.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut digits, mut rest) = (Vec::new(), self.started_micros.unsigned_abs());
        loop {
            // The remainder is below 36.
            digits.extend(u32::try_from(rest % 36).ok().and_then(|digit| char::from_digit(digit, 36)));
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        write!(f, "{}-{}", self.pid, digits.iter().rev().collect::<String>())
    }
}

/// The text is not the ID of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the ID of a session")]
pub struct NotASession;

impl FromStr for SessionId {
    type Err = NotASession;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pid, started) = text.split_once('-').ok_or(NotASession)?;
        let id = Self { pid: pid.parse().map_err(|_| NotASession)?, started_micros: i64::from_str_radix(started, 36).map_err(|_| NotASession)? };
        // One session has one ID.
        if id.pid > 0 && id.to_string() == text { Ok(id) } else { Err(NotASession) }
    }
}

text_enum! {
    /// What a session does.
    pub enum SessionState {
        /// It runs a statement.
        Active,
        /// It waits for the next statement of its client, outside of a transaction.
        Idle,
        /// It waits for the next statement of its client, in a transaction, whose locks it holds.
        IdleInTransaction,
        /// Like `IDLE_IN_TRANSACTION`, after a statement of the transaction has failed.
        IdleInTransactionAborted,
        /// It runs a function by the fast-path interface.
        FastpathFunctionCall,
        /// The server does not track what its sessions do (`track_activities`).
        Disabled,
    }
}

impl SessionState {
    /// Whether there is a statement that can be cancelled.
    #[must_use]
    pub fn runs_a_statement(self) -> bool {
        matches!(self, Self::Active | Self::FastpathFunctionCall)
    }

    /// The state that `pg_stat_activity` has.
    #[must_use]
    pub fn of_postgres(text: &str) -> Option<Self> {
        Some(match text {
            "active" => Self::Active,
            "idle" => Self::Idle,
            "idle in transaction" => Self::IdleInTransaction,
            "idle in transaction (aborted)" => Self::IdleInTransactionAborted,
            "fastpath function call" => Self::FastpathFunctionCall,
            "disabled" => Self::Disabled,
            _ => return None,
        })
    }
}

/// A session of a client. Secrets in its statement are masked: see [`crate::masking`].
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSession {
    /// Its identity.
    pub id: SessionId,
    /// The role that has logged in.
    pub username: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// What the client calls itself.
    pub application: Option<String>,
    /// Where it connects from; `None` over a socket of the same machine.
    pub address: Option<String>,
    /// What it does; `None` if it is not known.
    pub state: Option<SessionState>,
    /// The kind of event that it waits for.
    pub wait_event_type: Option<String>,
    /// The event that it waits for.
    pub wait_event: Option<String>,
    /// When it began.
    pub connected_at: DateTime<Utc>,
    /// Seconds since it began.
    pub age_seconds: f64,
    /// Seconds since its transaction began, if it is in one.
    pub transaction_seconds: Option<f64>,
    /// Seconds since its statement began: the one that it runs, or the last one.
    pub statement_seconds: Option<f64>,
    /// Seconds since its state changed.
    pub state_seconds: Option<f64>,
    /// The statement that it runs, or the last one.
    pub statement: Option<String>,
    /// The processes of the sessions that hold or wait for a lock before it; 0 is a prepared transaction.
    pub blocked_by: Vec<i32>,
}

/// The sessions of clients at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSessions {
    /// When they were read, by the clock of the server.
    pub read_at: DateTime<Utc>,
    /// How many there are, with those that were left out.
    pub total: i32,
    /// Those that do something first, and of these those whose transaction began first.
    pub sessions: Vec<ClientSession>,
}

/// What came of a request to cancel a statement or to end a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalOutcome {
    /// The session was told. Whether it has ended, if that was requested: what it does may not be interruptible at once.
    Sent {
        /// Always `false` for a statement, whose end is not waited for.
        ended: bool,
    },
    /// There is no such session, or not any more.
    Gone,
    /// It is one of the platform's.
    OfPlatform,
    /// It runs no statement that could be cancelled.
    RunsNothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_has_one_form() {
        let id = SessionId { pid: 4711, started_micros: 1_795_890_301_482_913 };
        assert_eq!(id.to_string(), "4711-hol8m4zmap");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in [
            "",
            "4711",
            "4711-",
            "-1-hol8m4zmap",
            "+4711-hol8m4zmap",
            "04711-hol8m4zmap",
            "4711-HOL8M4ZMAP",
            "4711--1",
            "0-1",
            "a-b-c",
            "4711-zzzzzzzzzzzzzz",
        ] {
            assert_eq!(wrong.parse::<SessionId>(), Err(NotASession), "{wrong}");
        }
    }

    #[test]
    fn the_states_of_postgres_are_known() {
        assert_eq!(SessionState::of_postgres("idle in transaction (aborted)"), Some(SessionState::IdleInTransactionAborted));
        assert_eq!(SessionState::of_postgres("starting"), None);
    }
}
