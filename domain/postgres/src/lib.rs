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
    instance::{Endpoint, InstanceSpec, Reason, ReasonCode},
    secret::Secret,
};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
}

impl Target {
    /// The target for an instance that listens at `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint, spec: &InstanceSpec, password: Secret) -> Self {
        Self { endpoint, username: spec.username.to_string(), password, database: spec.database.to_string() }
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

/// Logs in and runs a query; returns the duration of both together.
///
/// # Errors
/// Why it failed. The reason never contains the password.
pub async fn check(target: &Target, timeout: Duration) -> Result<Duration, Reason> {
    let started = Instant::now();
    match tokio::time::timeout(timeout, log_in_and_query(target)).await {
        Err(_) => Err(symptom::no_answer(&target.endpoint, timeout)),
        Ok(Err(error)) => Err(symptom::classify(&target.endpoint, &error)),
        Ok(Ok(status)) => status.writable().map(|()| started.elapsed()),
    }
}

/// The status that a server reports.
struct ServerStatus {
    in_recovery: bool,
    read_only: bool,
}

impl ServerStatus {
    const QUERY: &str = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool";
    /// The same, with a sort of a few hundred KB, which uses a temporary file on the volume and fails if the volume is full.
    const QUERY_WITH_FILE: &str =
        "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool
         FROM (SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 5000)) AS spilled";

    async fn query(query: &str, session: &mut Session) -> Result<Self, SessionError> {
        let [in_recovery, read_only] = session.row(query).await?;
        let yes = |column: Option<String>| column.as_deref() == Some("t");
        Ok(Self { in_recovery: yes(in_recovery), read_only: yes(read_only) })
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

async fn log_in_and_query(target: &Target) -> Result<ServerStatus, SessionError> {
    let mut session = Session::log_in(target).await?;
    let status = ServerStatus::query(ServerStatus::QUERY_WITH_FILE, &mut session).await?;
    // The server has answered, so that it does not end the session does not matter.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, session.close()).await;
    Ok(status)
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
