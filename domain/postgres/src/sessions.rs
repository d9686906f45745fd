//! The sessions of clients: what they do, and how a statement is cancelled or a session is ended.

use std::time::Duration;

use chrono::Utc;
use toygres_domain::{
    instance::Reason,
    masking::masked,
    roles::{DATABASE, MONITOR, REPLICATION, Roles, SUPERUSER},
    session::{ClientSession, ClientSessions, SessionId, SessionState, SignalOutcome},
};

use super::{
    Logins,
    administration::{open, within},
    close,
    columns::{NAME, number, text, text_column, time, time_column},
    session::{Session, SessionError},
};

/// The name of the sessions in `pg_stat_activity`.
const APPLICATION: &str = "toygres-activity";

/// Bytes of a statement. PostgreSQL keeps 1 KiB of it unless `track_activity_query_size` says otherwise.
const MAX_STATEMENT: usize = 2000;
/// Sessions of which one is said to be blocked.
const MAX_BLOCKERS: usize = 20;
/// Bytes of the answer for each session: in base64, with its head.
const BYTES_PER_SESSION: usize = 4096;
/// How long the query may take, by the server's clock.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long the end of a session is waited for.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads the sessions of clients, at most `limit`.
///
/// # Errors
/// Why they could not be read. The reason never contains the password.
pub async fn list(Logins { roles, reader, .. }: &Logins, limit: u16, timeout: Duration) -> Result<ClientSessions, Reason> {
    within(reader, timeout, async {
        let mut session = Session::log_in(reader, DATABASE, APPLICATION).await?;
        let rows = session.rows(&query(*roles, limit), (usize::from(limit) + 1) * BYTES_PER_SESSION).await?;
        close(Some(session)).await;
        read(rows)
    })
    .await
}

/// Cancels the statement that a session runs.
///
/// # Errors
/// Why it is not known whether that was done.
pub async fn cancel(logins: &Logins, session: SessionId, timeout: Duration) -> Result<SignalOutcome, Reason> {
    // One whose server does not track it may run one. There is nobody to tell if its process has ended meanwhile.
    let send = "CASE WHEN state IN ('active', 'fastpath function call', 'disabled') THEN NOT pg_cancel_backend(pid) END";
    signal(logins, session, send, timeout).await
}

/// Ends a session, and waits for its end for a moment.
///
/// # Errors
/// Why it is not known whether that was done.
pub async fn terminate(logins: &Logins, session: SessionId, timeout: Duration) -> Result<SignalOutcome, Reason> {
    signal(logins, session, &format!("pg_terminate_backend(pid, {})", END_TIMEOUT.as_millis()), timeout).await
}

/// Sends a signal to a session of a client that is still the same. `send` is whether it has ended, or NULL if nothing was sent.
async fn signal(logins: &Logins, session: SessionId, send: &str, timeout: Duration) -> Result<SignalOutcome, Reason> {
    let (SessionId { pid, started_micros }, is_client) = (session, is_client(logins.roles));
    let query = format!(
        "SELECT {is_client}, CASE WHEN {is_client} THEN {send} END FROM pg_stat_activity WHERE pid = {pid} AND {} = {started_micros}",
        time_column("backend_start")
    );
    within(&logins.administrator, timeout, async {
        let mut administrator = open(&logins.administrator, DATABASE).await?;
        let rows: Vec<[Option<String>; 2]> = administrator.rows(&query, BYTES_PER_SESSION).await?;
        close(Some(administrator)).await;
        Ok(match rows.into_iter().next() {
            None => SignalOutcome::Gone,
            Some([client, _]) if client.as_deref() != Some("t") => SignalOutcome::OfPlatform,
            Some([_, None]) => SignalOutcome::RunsNothing,
            Some([_, ended]) => SignalOutcome::Sent { ended: ended.as_deref() == Some("t") },
        })
    })
    .await
}

/// Whether a session is one of a client. The platform has roles of its own, or else the sessions of the control plane have names of theirs.
fn is_client(roles: Roles) -> String {
    let of_client = match roles {
        Roles::Platform => format!("usename NOT IN ('{SUPERUSER}', '{MONITOR}', '{REPLICATION}')"),
        Roles::OwnerOnly => "application_name NOT LIKE 'toygres%'".to_owned(),
    };
    format!("backend_type = 'client backend' AND {of_client}")
}

/// Finding out who blocks a session stops all others that lock for a moment, so only those are asked about that wait for a lock.
fn query(roles: Roles, limit: u16) -> String {
    let seconds = |since: &str| format!("extract(epoch FROM now - {since})::double precision");
    let columns = [
        time_column("now"),
        "total".to_owned(),
        "pid".to_owned(),
        time_column("backend_start"),
        text_column("usename", NAME),
        text_column("datname", NAME),
        text_column("application_name", NAME),
        "host(client_addr)".to_owned(),
        "state".to_owned(),
        "wait_event_type".to_owned(),
        "wait_event".to_owned(),
        seconds("backend_start"),
        seconds("xact_start"),
        seconds("query_start"),
        seconds("state_change"),
        text_column("query", MAX_STATEMENT),
        format!("CASE wait_event_type WHEN 'Lock' THEN array_to_string((pg_blocking_pids(pid))[1:{MAX_BLOCKERS}], ',') END"),
    ];
    // Statements that are sent together are one transaction.
    format!(
        "SET LOCAL statement_timeout = {};
         SELECT {} FROM (
             SELECT *, clock_timestamp() AS now, count(*) OVER () AS total FROM pg_stat_activity WHERE {}
             ORDER BY state IS NOT DISTINCT FROM 'idle', coalesce(xact_start, state_change, backend_start), pid LIMIT {limit}) AS sessions",
        STATEMENT_TIMEOUT.as_millis(),
        columns.join(", "),
        is_client(roles)
    )
}

fn read(rows: Vec<[Option<String>; 17]>) -> Result<ClientSessions, SessionError> {
    let mut all = ClientSessions { read_at: Utc::now(), total: 0, sessions: Vec::with_capacity(rows.len()) };
    for row in rows {
        let [now, total, pid, started, who @ .., query, blockers] = row;
        let [username, database, application, address, state, wait_event_type, wait_event, age, transaction, statement, changed] = who;
        (all.read_at, all.total) = (time(now)?, number(total)?);
        let mut blocked_by: Vec<i32> = blockers.iter().flat_map(|pids| pids.split(',')).filter_map(|pid| pid.parse().ok()).collect();
        // The processes of a parallel query are one blocker.
        blocked_by.sort_unstable();
        blocked_by.dedup();
        all.sessions.push(ClientSession {
            id: SessionId { pid: number(pid)?, started_micros: number(started.clone())? },
            username: text(username),
            database: text(database),
            application: text(application).filter(|name| !name.is_empty()),
            address,
            state: state.as_deref().and_then(SessionState::of_postgres),
            wait_event_type,
            wait_event,
            connected_at: time(started)?,
            age_seconds: seconds(age).unwrap_or_default(),
            transaction_seconds: seconds(transaction),
            statement_seconds: seconds(statement),
            state_seconds: seconds(changed),
            statement: text(query).filter(|text| !text.is_empty()).map(|text| masked(&text).into_owned()),
            blocked_by,
        });
    }
    Ok(all)
}

/// The start of something is read before the present time, and clocks of processors differ.
fn seconds(column: Option<String>) -> Option<f64> {
    column?.parse().ok().map(|seconds: f64| seconds.max(0.0))
}
