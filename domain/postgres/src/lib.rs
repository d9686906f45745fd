//! Connecting to a hosted instance and asking it something: the one place that does. [`check`] logs in; the [`Prober`] keeps
//! connections between checks.

#[cfg(feature = "contract-tests")]
pub mod contract;
mod prober;

use std::{
    io,
    time::{Duration, Instant},
};

pub use prober::Prober;

use sqlx::{
    ConnectOptions, Connection, PgExecutor,
    postgres::{PgConnectOptions, PgSslMode},
};

use toygres_domain::{
    instance::{Endpoint, InstanceSpec, Reason, ReasonCode},
    secret::Secret,
};

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

/// The URL that clients use, with the password in it: for the caller's eyes only.
#[must_use]
pub fn connection_string_with_password(connection_string: &str, password: &Secret) -> Option<String> {
    let (user, rest) = connection_string.strip_prefix("postgresql://")?.split_once('@')?;
    Some(format!("postgresql://{user}:{}@{rest}", percent_encoded(password.expose())))
}

/// Logs in and runs a query; returns how long both took together.
///
/// # Errors
/// What went wrong, as a reason; never holds the password.
pub async fn check(target: &Target, timeout: Duration) -> Result<Duration, Reason> {
    let started = Instant::now();
    match tokio::time::timeout(timeout, log_in_and_ask(target)).await {
        Err(_) => Err(silent(&target.endpoint, timeout)),
        Ok(Err(error)) => Err(typed(&target.endpoint, &error)),
        Ok(Ok(answer)) => answer.judged().map(|()| started.elapsed()),
    }
}

/// What a server says about itself.
struct Answer {
    in_recovery: bool,
    read_only: bool,
}

impl Answer {
    const QUESTION: &str = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool";
    /// The same, and a sort of a few hundred KB, which goes to a file on the volume and so finds out whether that is full.
    const QUESTION_WITH_FILE: &str =
        "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool
         FROM (SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 5000)) AS spilled";

    async fn ask<'c>(question: &'static str, connection: impl PgExecutor<'c>) -> Result<Self, sqlx::Error> {
        let (in_recovery, read_only) = sqlx::query_as(question).fetch_one(connection).await?;
        Ok(Self { in_recovery, read_only })
    }

    fn judged(self) -> Result<(), Reason> {
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

async fn log_in_and_ask(target: &Target) -> Result<Answer, sqlx::Error> {
    let mut connection = sqlx::PgConnection::connect_with(&options(target)).await?;
    let answer = Answer::ask(Answer::QUESTION_WITH_FILE, &mut connection).await?;
    // The goodbye is a courtesy; a server that does not take it has answered all the same.
    let _ = connection.close().await;
    Ok(answer)
}

fn options(target: &Target) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host(&target.endpoint.host)
        .port(target.endpoint.port)
        .username(&target.username)
        .password(target.password.expose())
        .database(&target.database)
        .ssl_mode(PgSslMode::Prefer)
        .application_name("toygres-health-check")
        // The least that there is, so that the question above does go to a file.
        .options([("work_mem", "64kB")])
        .disable_statement_logging()
}

fn silent(endpoint: &Endpoint, timeout: Duration) -> Reason {
    Reason::new(ReasonCode::ConnectionTimeout, format!("no answer from {}:{} within {} s", endpoint.host, endpoint.port, timeout.as_secs_f32()))
}

fn typed(endpoint: &Endpoint, error: &sqlx::Error) -> Reason {
    let at = format!("{}:{}", endpoint.host, endpoint.port);
    match error {
        sqlx::Error::Io(io) => match io.kind() {
            io::ErrorKind::ConnectionRefused => Reason::new(ReasonCode::ConnectionRefused, format!("nobody listens at {at}")),
            io::ErrorKind::TimedOut => Reason::new(ReasonCode::ConnectionTimeout, format!("{at} does not answer")),
            _ if io.to_string().contains("lookup address") => {
                Reason::new(ReasonCode::DnsFailed, format!("the name {} does not resolve", endpoint.host))
            }
            _ => Reason::new(ReasonCode::ConnectionLost, format!("the connection to {at} broke: {io}")),
        },
        sqlx::Error::Tls(cause) => Reason::new(ReasonCode::TlsFailed, format!("TLS with {at} failed: {cause}")),
        sqlx::Error::Database(db) => {
            let code = match db.code().as_deref() {
                // Appendix A of the PostgreSQL manual.
                Some("28P01" | "28000" | "3D000") => ReasonCode::AuthenticationFailed,
                Some("57P03" | "57P01" | "57P02") => ReasonCode::StartingUp,
                Some("53300") => ReasonCode::TooManyConnections,
                Some("53100") => ReasonCode::DiskFull,
                Some("53200") => ReasonCode::OutOfMemory,
                Some("25006") => ReasonCode::ReadOnly,
                _ => ReasonCode::QueryFailed,
            };
            Reason::new(code, format!("{at} answered: {}", db.message()))
        }
        other => Reason::new(ReasonCode::ConnectionLost, format!("the connection to {at} broke: {other}")),
    }
}

fn host(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// RFC 3986: everything but the unreserved characters is escaped.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
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
