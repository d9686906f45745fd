//! Connections to hosted instances, which no other crate opens. [`check`] logs in; the [`Prober`] keeps connections open between
//! checks.

mod administration;
pub mod clients;
mod columns;
pub mod configuration;
#[cfg(feature = "contract-tests")]
pub mod contract;
pub mod databases;
mod logins;
pub mod online_backup;
pub mod passwords;
mod prober;
pub mod replication;
pub mod roles;
mod session;
pub mod sessions;
mod sizes;
pub mod statements;
pub mod storage;
mod symptom;
pub mod upgrade;
pub mod users;
mod vitals;

use std::time::{Duration, Instant};

pub use logins::Logins;
pub use prober::{Activity, Answer, Measure, OwnerPassword, Prober};
pub use sizes::has_sizes;
pub use vitals::ServerMetrics;

use self::session::{Session, SessionError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use toygres_domain::{
    certificate::ServerIdentity,
    instance::{Endpoint, InstanceSpec, Reason, ReasonCode},
    name::SqlName,
    roles::{Credentials, DATABASE, MONITOR, PlatformCredentials, REPLICATION, SUPERUSER},
    secret::Secret,
};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The name of the sessions of checks in `pg_stat_activity`.
const APPLICATION: &str = "toygres-health-check";

/// Characters of [`Activity::sessions`].
const MAX_SESSIONS_LENGTH: usize = 100;

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
    /// The owner, if this is a login of the monitor, which can tell whether the password is still theirs.
    pub owner: Option<Owner>,
    /// What its certificate must be; `None` accepts any, and none.
    pub identity: Option<ServerIdentity>,
}

/// The role of an owner.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Its name.
    pub role: SqlName,
    /// Its password.
    pub password: Secret,
    /// The one that it may have instead, after a rotation that did not succeed.
    pub other_password: Option<Secret>,
}

impl Target {
    /// The login of the owner, as clients make it.
    #[must_use]
    pub fn of_owner(endpoint: Endpoint, spec: &InstanceSpec, password: Secret) -> Self {
        Self { endpoint, username: spec.username.to_string(), password, database: spec.database.to_string(), owner: None, identity: None }
    }

    /// The login of the superuser.
    #[must_use]
    pub fn of_superuser(endpoint: Endpoint, platform: &PlatformCredentials) -> Self {
        let password = platform.superuser.clone();
        Self { endpoint, username: SUPERUSER.to_owned(), password, database: DATABASE.to_owned(), owner: None, identity: None }
    }

    /// The login of backups.
    #[must_use]
    pub fn of_replication(endpoint: Endpoint, password: Secret) -> Self {
        Self { endpoint, username: REPLICATION.to_owned(), password, database: DATABASE.to_owned(), owner: None, identity: None }
    }

    /// The same check, of an owner who may have this password instead.
    #[must_use]
    pub fn or_with(self, other_password: Option<Secret>) -> Self {
        Self { owner: self.owner.map(|owner| Owner { other_password, ..owner }), ..self }
    }

    /// The same login, to a server whose certificate is checked.
    #[must_use]
    pub fn verifying(self, identity: Option<ServerIdentity>) -> Self {
        Self { identity, ..self }
    }

    /// The login of checks: that of the monitor, or that of the owner if an earlier release created the instance, without a monitor.
    #[must_use]
    pub fn of_checks(endpoint: Endpoint, spec: &InstanceSpec, credentials: Credentials) -> Self {
        let Credentials { owner: password, platform } = credentials;
        match platform {
            None => Self::of_owner(endpoint, spec, password),
            Some(platform) => Self {
                endpoint,
                username: MONITOR.to_owned(),
                password: platform.monitor,
                database: DATABASE.to_owned(),
                owner: Some(Owner { role: spec.username.clone(), password, other_password: None }),
                identity: None,
            },
        }
    }
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
    let login = within(target, timeout, log_in_and_query(target, &target.database)).await?;
    close(login.session).await;
    Ok(login.latency)
}

/// Whether the server refuses clients without TLS. Anybody may ask for it.
///
/// # Errors
/// Why the server could not be asked.
pub async fn requires_tls(endpoint: &Endpoint, spec: &InstanceSpec, timeout: Duration) -> Result<bool, Reason> {
    match tokio::time::timeout(timeout, session::rules::requires_tls(endpoint, spec)).await {
        Err(_) => Err(symptom::no_answer(endpoint, timeout)),
        Ok(outcome) => outcome.map_err(|error| symptom::classify(endpoint, &error)),
    }
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
        let mut session = Session::log_in(target, DATABASE, "toygres").await?;
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

/// A login, and the answer to a query.
struct Login {
    /// The duration of both together.
    latency: Duration,
    /// `None` if it is not to be kept.
    session: Option<Session>,
    /// Identifies the password of the owner: see [`toygres_domain::scram::has_password`]. Only the monitor is told.
    fingerprint: Option<String>,
    /// See [`Answer::activity`].
    activity: Activity,
    /// See [`Answer::outdated_collations`].
    outdated_collations: Option<String>,
    /// See [`Answer::is_held`].
    is_held: bool,
}

/// Logs in to [`DATABASE`] and runs a query. If an owner of an earlier release, who was a superuser, has dropped that database or refuses
/// logins to it, checks the owner's database, without a session to keep.
async fn check_server(target: &Target, timeout: Duration) -> Result<Login, Reason> {
    let check = async {
        match log_in_and_query(target, DATABASE).await {
            Err(SessionError::Server(code, _)) if target.owner.is_none() && symptom::is_closed_database(&code) => {
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
) -> Result<Login, Reason> {
    let started = Instant::now();
    let (status, session) = match tokio::time::timeout(timeout, check).await {
        Err(_) => return Err(symptom::no_answer(&target.endpoint, timeout)),
        Ok(Err(error)) => return Err(symptom::classify(&target.endpoint, &error)),
        Ok(Ok(checked)) => checked,
    };
    let latency = started.elapsed();
    let (fingerprint, activity) = (status.fingerprint.clone(), status.activity.clone());
    let outdated_collations = status.outdated_collations.clone();
    match status.writable() {
        Ok(is_held) => Ok(Login { latency, session, fingerprint, activity, outdated_collations, is_held }),
        Err(reason) => {
            close(session).await;
            Err(reason)
        }
    }
}

async fn log_in_and_query(target: &Target, database: &str) -> Result<(ServerStatus, Option<Session>), SessionError> {
    let mut session = Session::log_in(target, database, APPLICATION).await?;
    let mut status = ServerStatus::query(&ServerStatus::query_with_file(target.owner.as_ref()), &mut session).await?;
    if status.records_collations {
        status.outdated_collations = match session.row(&outdated_collations(target.owner.as_ref())).await {
            Ok([outdated]) => outdated,
            // A locale that the system does not have any more is an error of this query, and no outage.
            Err(SessionError::Server(..)) => None,
            Err(error) => return Err(error),
        };
    }
    Ok((status, Some(session)))
}

/// Queries the databases of the owner whose collation has another version than the one that was recorded when it was chosen.
fn outdated_collations(owner: Option<&Owner>) -> String {
    let owner = owner.map_or("current_user".to_owned(), |owner| format!("'{}'", owner.role));
    format!(
        "SELECT coalesce(left(string_agg(format('%s (%s, now %s)', datname, datcollversion, coalesce(actual, 'none')), ', '), 500), '')
         FROM (SELECT datname, datcollversion, pg_database_collation_actual_version(oid) AS actual FROM pg_database
               WHERE datallowconn AND datcollversion IS NOT NULL AND datname NOT IN ('postgres', 'template1')
                 AND pg_has_role({owner}, datdba, 'MEMBER') ORDER BY datname) AS recorded
         WHERE datcollversion IS DISTINCT FROM actual"
    )
}

/// Whether a client is connected, and what tells whether there was one since the last time. Clients are all but the roles of the platform
/// or, where there are none, the sessions of the control plane. The cumulative statistics count the sessions of the databases of owners, so
/// one that has ended is noticed too; a restart of the server counts as another number.
fn activity_columns(owner: Option<&Owner>) -> String {
    let is_client = match owner {
        Some(_) => format!("usename NOT IN ('{SUPERUSER}', '{MONITOR}', '{REPLICATION}')"),
        None => "application_name NOT LIKE 'toygres%'".to_owned(),
    };
    format!(
        "EXISTS (SELECT FROM pg_stat_activity WHERE backend_type IN ('client backend', 'walsender') AND {is_client}),
         (SELECT format('%s of %s', sum(sessions), pg_postmaster_start_time()::text) FROM pg_stat_database WHERE datname <> '{DATABASE}')"
    )
}

/// Ignores errors and time-outs, because the server has already answered.
async fn close(session: Option<Session>) {
    if let Some(session) = session {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, session.close()).await;
    }
}

/// The status that a server reports.
struct ServerStatus {
    in_recovery: bool,
    writes: Writes,
    fingerprint: Option<String>,
    activity: Activity,
    /// Whether the version of the server records the versions of collations of databases: from 15 on.
    records_collations: bool,
    outdated_collations: Option<String>,
}

impl ServerStatus {
    /// The query. A role or database that its owner has set to read-only does not count as a read-only server. What ALTER SYSTEM has set is
    /// ours: see [`storage::hold`]. (Members of `pg_read_all_settings` see where a setting is from.) The fingerprint of the
    /// owner's password is told to the monitor by a function of ours: see [`roles`].
    fn query_of(owner: Option<&Owner>) -> String {
        let fingerprint = owner.map_or("NULL".to_owned(), |owner| format!("toygres.password_fingerprint('{}')", owner.role));
        format!(
            "SELECT pg_is_in_recovery(), CASE WHEN current_setting('default_transaction_read_only')::bool THEN
                 (SELECT CASE WHEN source IN ('database', 'user', 'database user') THEN 'f'
                              WHEN sourcefile LIKE '%/postgresql.auto.conf' THEN 'held' ELSE 't' END
                  FROM pg_settings WHERE name = 'default_transaction_read_only') ELSE 'f' END,
             {fingerprint}, current_setting('server_version_num')::int >= 150000, {}",
            activity_columns(owner)
        )
    }

    /// The same, with a sort of a few hundred KB, which uses a temporary file on the volume and fails if the volume is full.
    fn query_with_file(owner: Option<&Owner>) -> String {
        Self::query_of(owner) + " FROM (SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 5000)) AS spilled"
    }

    async fn query(query: &str, session: &mut Session) -> Result<Self, SessionError> {
        let [in_recovery, read_only, fingerprint, records_collations, connected, sessions] = session.row(query).await?;
        let is = |column: Option<String>| match column.as_deref() {
            Some("t") => Ok(true),
            Some("f") => Ok(false),
            _ => Err(SessionError::Protocol("the answer to the query is neither true nor false".to_owned())),
        };
        let records_collations = is(records_collations)?;
        // The server chooses the text, which is stored.
        let sessions = sessions.iter().flat_map(|text| text.chars()).filter(|c| c.is_ascii_graphic()).take(MAX_SESSIONS_LENGTH).collect();
        let activity = Activity { is_connected: is(connected)?, sessions };
        let writes = if read_only.as_deref() == Some("held") {
            Writes::Held
        } else if is(read_only)? {
            Writes::Refused
        } else {
            Writes::Accepted
        };
        Ok(Self { in_recovery: is(in_recovery)?, writes, fingerprint, activity, records_collations, outdated_collations: None })
    }

    /// Returns an error unless the server accepts writes, or would if the control plane did not keep it from that, which is the answer.
    fn writable(self) -> Result<bool, Reason> {
        let Self { in_recovery, writes, .. } = self;
        if in_recovery {
            return Err(Reason::new(ReasonCode::StartingUp, "the server is in recovery"));
        }
        match writes {
            Writes::Accepted => Ok(false),
            Writes::Held => Ok(true),
            Writes::Refused => Err(read_only()),
        }
    }
}

fn read_only() -> Reason {
    Reason::new(ReasonCode::ReadOnly, "the server takes no writes (default_transaction_read_only is on)")
}

/// Whether a server accepts writes.
#[derive(Clone, Copy, Debug)]
enum Writes {
    Accepted,
    /// Not until the control plane lets it: see [`storage::hold`].
    Held,
    Refused,
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
