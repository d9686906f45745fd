//! Connections to hosted instances, which no other crate opens. [`check`] logs in; the [`Prober`] keeps connections open between
//! checks.

#[cfg(feature = "contract-tests")]
pub mod contract;
mod prober;
mod session;
mod symptom;

use std::time::{Duration, Instant};

pub use prober::Prober;

use self::session::{Session, SessionError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use toygres_domain::{
    certificate::ServerIdentity,
    instance::{Endpoint, InstanceSpec, Reason, ReasonCode},
    secret::Secret,
};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The database that checks use. Both runtimes create it with the cluster, and it is the platform's: a session in the database of the
/// owner would keep them from dropping, renaming or copying it.
const DATABASE: &str = "postgres";

/// How long a server may take to end a session.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How to log in to an instance.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The role.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// The database.
    pub database: String,
    /// What its certificate must be; `None` accepts any, and none.
    pub identity: Option<ServerIdentity>,
}

impl Target {
    /// The target for an instance that listens at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint, spec: &InstanceSpec, password: Secret, identity: Option<ServerIdentity>) -> Self {
        Self { endpoint, username: spec.username.to_string(), password, database: spec.database.to_string(), identity }
    }
}

/// The URL that clients use, without the password.
#[must_use]
pub fn connection_string(endpoint: &Endpoint, spec: &InstanceSpec) -> String {
    format!("postgresql://{}@{}:{}/{}", spec.username, host(&endpoint.host), endpoint.port, spec.database)
}

/// The URL that clients use, with the password, which is shown to the caller only.
#[must_use]
pub fn connection_string_with_password(connection_string: &str, password: &Secret) -> Option<String> {
    let (user, rest) = connection_string.strip_prefix("postgresql://")?.split_once('@')?;
    Some(format!("postgresql://{user}:{}@{rest}", utf8_percent_encode(password.expose(), RESERVED)))
}

/// Logs in to the database of the target as its clients do, and runs a query; returns the duration of both together.
///
/// # Errors
/// Why it failed. The reason never contains the password.
pub async fn check(target: &Target, timeout: Duration) -> Result<Duration, Reason> {
    let (latency, session) = within(target, timeout, log_in_and_query(target, &target.database)).await?;
    close(session).await;
    Ok(latency)
}

/// The certificate that the server presents to clients, in DER; `None` if it offers no TLS. Anybody may ask for it.
///
/// # Errors
/// Why the server could not be asked.
pub async fn presented_certificate(endpoint: &Endpoint, timeout: Duration) -> Result<Option<Vec<u8>>, Reason> {
    match tokio::time::timeout(timeout, session::presented_certificate(endpoint)).await {
        Err(_) => Err(symptom::no_answer(endpoint, timeout)),
        Ok(outcome) => outcome.map_err(|error| symptom::classify(endpoint, &error)),
    }
}

/// Has the server read its configuration, and so its certificate, again. The role must be allowed to.
///
/// # Errors
/// Why it does not. The reason never contains the password.
pub async fn reload_configuration(target: &Target, timeout: Duration) -> Result<(), Reason> {
    let reload = async {
        let mut session = Session::log_in(target, DATABASE).await?;
        let [_] = session.row("SELECT pg_catalog.pg_reload_conf()").await?;
        Ok(session)
    };
    match tokio::time::timeout(timeout, reload).await {
        Err(_) => Err(symptom::no_answer(&target.endpoint, timeout)),
        Ok(Err(error)) => Err(symptom::classify(&target.endpoint, &error)),
        Ok(Ok(session)) => {
            close(Some(session)).await;
            Ok(())
        }
    }
}

/// Logs in to [`DATABASE`] and runs a query; returns the duration of both together, and the session. If the owner has
/// dropped that database or refuses logins to it, checks the owner's database, without a session to keep.
async fn check_server(target: &Target, timeout: Duration) -> Result<(Duration, Option<Session>), Reason> {
    let check = async {
        match log_in_and_query(target, DATABASE).await {
            Err(SessionError::Server(code, _)) if symptom::is_closed_database(&code) => {
                let (status, session) = log_in_and_query(target, &target.database).await?;
                close(session).await;
                Ok((status, None))
            }
            outcome => outcome,
        }
    };
    within(target, timeout, check).await
}

/// Runs a check with a time-out, and maps its errors to reasons.
async fn within(
    target: &Target,
    timeout: Duration,
    check: impl Future<Output = Result<(ServerStatus, Option<Session>), SessionError>>,
) -> Result<(Duration, Option<Session>), Reason> {
    let started = Instant::now();
    let (status, session) = match tokio::time::timeout(timeout, check).await {
        Err(_) => return Err(symptom::no_answer(&target.endpoint, timeout)),
        Ok(Err(error)) => return Err(symptom::classify(&target.endpoint, &error)),
        Ok(Ok(checked)) => checked,
    };
    let latency = started.elapsed();
    match status.writable() {
        Ok(()) => Ok((latency, session)),
        Err(reason) => {
            close(session).await;
            Err(reason)
        }
    }
}

async fn log_in_and_query(target: &Target, database: &str) -> Result<(ServerStatus, Option<Session>), SessionError> {
    let mut session = Session::log_in(target, database).await?;
    let status = ServerStatus::query(ServerStatus::QUERY_WITH_FILE, &mut session).await?;
    Ok((status, Some(session)))
}

/// Ignores errors and time-outs, because the server has already answered.
async fn close(session: Option<Session>) {
    if let Some(session) = session {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, session.close()).await;
    }
}

/// Whether the server is in recovery, and whether it is read-only. A role or database that its owner has set to read-only does not
/// count.
macro_rules! status_query {
    () => {
        "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')::bool AND EXISTS
         (SELECT FROM pg_settings WHERE name = 'default_transaction_read_only' AND source NOT IN ('database', 'user', 'database user'))"
    };
}

/// The status that a server reports.
struct ServerStatus {
    in_recovery: bool,
    read_only: bool,
}

impl ServerStatus {
    const QUERY: &str = status_query!();
    /// The same, with a sort of a few hundred KB, which uses a temporary file on the volume and fails if the volume is full.
    const QUERY_WITH_FILE: &str = concat!(status_query!(), " FROM (SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 5000)) AS spilled");

    async fn query(query: &str, session: &mut Session) -> Result<Self, SessionError> {
        let [in_recovery, read_only] = session.row(query).await?;
        let is = |column: Option<String>| match column.as_deref() {
            Some("t") => Ok(true),
            Some("f") => Ok(false),
            _ => Err(SessionError::Protocol("the answer to the query is neither true nor false".to_owned())),
        };
        Ok(Self { in_recovery: is(in_recovery)?, read_only: is(read_only)? })
    }

    /// Returns an error unless the server accepts writes.
    fn writable(self) -> Result<(), Reason> {
        let Self { in_recovery, read_only } = self;
        if in_recovery {
            return Err(Reason::new(ReasonCode::StartingUp, "the server is in recovery"));
        }
        if read_only {
            return Err(Reason::new(ReasonCode::ReadOnly, "the server takes no writes (default_transaction_read_only is on)"));
        }
        Ok(())
    }
}

fn host(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_escaped_in_the_url() {
        let url = connection_string_with_password("postgresql://app@127.0.0.1:5432/db", &Secret::new("a b/ä@'".into()));
        assert_eq!(url.as_deref(), Some("postgresql://app:a%20b%2F%C3%A4%40%27@127.0.0.1:5432/db"));
    }
}
