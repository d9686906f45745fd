//! `InstanceActivity`: what the sessions of an instance do.

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime, Utc};
use toygres_domain::{instance, session as domain};

use super::{Reason, SessionState};

/// What the sessions of clients do in an instance, at one moment.
#[derive(Clone, Debug, SimpleObject)]
pub struct InstanceActivity {
    /// When the sessions were read, by the clock of the server. Null if they could not be read.
    read_at: Option<DateTime<Utc>>,
    /// The number of sessions of clients, with those that were left out. Null if they could not be read.
    total_sessions: Option<i32>,
    /// The sessions: those that do something first, and of these those whose transaction began first.
    sessions: Vec<ClientSession>,
    /// Why the sessions could not be read. Null if they were.
    reason: Option<Reason>,
}

/// A session of a client.
#[derive(Clone, Debug, SimpleObject)]
pub struct ClientSession {
    /// The ID of the session, for `cancelQuery` and `terminateSession`. A later session has another one, also if its process has the same ID.
    id: ID,
    /// The ID of the process that serves it (`pg_backend_pid()`).
    pid: i32,
    /// The role that has logged in.
    username: Option<String>,
    /// The database.
    database: Option<String>,
    /// What the client calls itself (`application_name`).
    application_name: Option<String>,
    /// Where the client connects from. Null over a socket of the same machine.
    client_address: Option<String>,
    /// What the session does. Null if it is not known.
    state: Option<SessionState>,
    /// The kind of event that it waits for, such as `Lock`. A session without a statement waits for its client.
    wait_event_type: Option<String>,
    /// The event that it waits for.
    wait_event: Option<String>,
    /// The IDs of the processes that hold a lock that it waits for, or wait for it before this session. 0 is a prepared transaction.
    blocked_by: Vec<i32>,
    /// When the session began.
    connected_at: DateTime<Utc>,
    /// The seconds since then.
    age_seconds: f64,
    /// The seconds since its transaction began. Null if it is in none.
    transaction_seconds: Option<f64>,
    /// The seconds since its statement began.
    statement_seconds: Option<f64>,
    /// The seconds since its state changed.
    state_seconds: Option<f64>,
    /// The statement that it runs, or the last one: up to 2,000 bytes, of which the server keeps 1,024 unless `track_activity_query_size` says
    /// otherwise. Secrets that are known by their form are `***`.
    statement: Option<String>,
}

impl InstanceActivity {
    /// What was read, or why it was not.
    pub fn new(outcome: Result<domain::ClientSessions, instance::Reason>) -> Self {
        match outcome {
            Ok(domain::ClientSessions { read_at, total, sessions }) => Self {
                read_at: Some(read_at),
                total_sessions: Some(total),
                sessions: sessions.into_iter().map(ClientSession::from).collect(),
                reason: None,
            },
            Err(reason) => Self { read_at: None, total_sessions: None, sessions: Vec::new(), reason: Some((&reason).into()) },
        }
    }
}

impl From<domain::ClientSession> for ClientSession {
    fn from(session: domain::ClientSession) -> Self {
        let domain::ClientSession {
            id,
            username,
            database,
            application,
            address,
            state,
            wait_event_type,
            wait_event,
            connected_at,
            age_seconds,
            transaction_seconds,
            statement_seconds,
            state_seconds,
            statement,
            blocked_by,
        } = session;
        Self {
            id: id.to_string().into(),
            pid: id.pid,
            username,
            database,
            application_name: application,
            client_address: address,
            state: state.map(SessionState::from),
            wait_event_type,
            wait_event,
            blocked_by,
            connected_at,
            age_seconds,
            transaction_seconds,
            statement_seconds,
            state_seconds,
            statement,
        }
    }
}
