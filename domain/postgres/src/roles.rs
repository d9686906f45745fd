//! The roles and the database of an instance, made by SQL once its server answers, on every host in the same way.
//!
//! The superuser exists already, because `initdb` makes it. Every statement has the same outcome if it runs twice or late, and what the
//! owner has changed since is left alone: their role and their database are only made if they do not exist.

use std::time::Duration;

use toygres_domain::{
    certificate::ServerIdentity,
    instance::{Endpoint, InstanceSpec, PostgresVersion, Reason, ReasonCode},
    name::SqlName,
    roles::{DATABASE, MONITOR, PlatformCredentials, REPLICATION},
    scram,
    secret::Secret,
    server_settings::{STATISTICS_LIBRARY, owner_connections},
};

use super::{
    CLOSE_TIMEOUT, Target,
    administration::{open, within},
    session::{Session, SessionError},
    symptom,
};

/// The name of the sessions in `pg_stat_activity`.
pub(super) const APPLICATION: &str = "toygres";

/// The lock of those who make roles in the same server at the same time.
pub(super) const LOCK: &str = "SELECT pg_advisory_lock(7096810442)";

/// Settings of these sessions: statements with verifiers go into no log, no statistics and no list of sessions, which the owner can read. The
/// platform writes also to a server that takes no writes: see [`super::storage::hold`].
pub(super) const SETTINGS: &str = "SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET log_min_duration_statement = -1;
    SET pg_stat_statements.track = 'none'; SET track_activities = off; SET default_transaction_read_only = off";

/// Tells the monitor, and nobody else, whether a role still has the password that the control plane knows: see
/// [`scram::has_password`]. A session of the monitor may not be encrypted, so the function does not return the stored key itself, with
/// which somebody who has recorded a login could log in.
const FINGERPRINT: &str = "CREATE SCHEMA IF NOT EXISTS toygres;
    CREATE OR REPLACE FUNCTION toygres.password_fingerprint(role name) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
        SET search_path = pg_catalog, pg_temp AS $$
        SELECT coalesce((
            SELECT split_part(rolpassword, '$', 2) || '$'
                || encode(sha256(convert_to(split_part(split_part(rolpassword, '$', 3), ':', 1), 'UTF8')), 'hex')
            FROM pg_authid WHERE rolname = role AND rolpassword LIKE 'SCRAM-SHA-256$%'), '')
    $$;
    REVOKE ALL ON SCHEMA toygres FROM PUBLIC;
    REVOKE ALL ON FUNCTION toygres.password_fingerprint(name) FROM PUBLIC";

/// Makes the roles and the database of an instance whose server listens at `endpoint`, and that has roles of the platform.
///
/// # Errors
/// Why it failed. The reason never contains a password.
pub async fn set_up(
    endpoint: &Endpoint,
    identity: Option<ServerIdentity>,
    spec: &InstanceSpec,
    owner: &Secret,
    platform: &PlatformCredentials,
    timeout: Duration,
) -> Result<(), Reason> {
    let target = Target::of_superuser(endpoint.clone(), platform).verifying(identity);
    match tokio::time::timeout(timeout, make(&target, spec, owner, &platform.monitor)).await {
        Err(_) => Err(symptom::no_answer(endpoint, timeout)),
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let Reason { code, message } = symptom::classify(endpoint, &error);
            Err(Reason::new(code, format!("the roles of the instance could not be made: {message}")))
        }
    }
}

/// Lets the role for replication log in with this password. The instance has the role already.
///
/// # Errors
/// Why it was not changed. The reason never contains a password.
pub async fn enable_replication(superuser: &Target, password: &Secret, timeout: Duration) -> Result<(), Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        let verifier = scram::verifier(password);
        session
            .execute(&format!("ALTER ROLE {REPLICATION} LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{verifier}'"))
            .await?;
        close(session).await;
        Ok(())
    })
    .await
}

async fn make(target: &Target, spec: &InstanceSpec, owner_password: &Secret, monitor_password: &Secret) -> Result<(), SessionError> {
    let InstanceSpec { username: owner, database, .. } = spec;
    let mut session = Session::log_in(target, DATABASE, APPLICATION).await?;
    session.execute(SETTINGS).await?;
    session.execute(LOCK).await?;
    let server = Server::inspect(&mut session, owner, database).await?;
    session.execute(&platform_roles(&server, monitor_password)).await?;
    session
        .execute(&format!(
            "{FINGERPRINT};
             GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO {MONITOR};
             GRANT USAGE ON SCHEMA toygres TO {MONITOR};
             GRANT EXECUTE ON FUNCTION toygres.password_fingerprint(name) TO {MONITOR}"
        ))
        .await?;
    if !server.has_owner {
        session.execute(&create_owner(&server, owner, owner_password)).await?;
    }
    if !server.has_database {
        if server.has_statistics {
            add_statistics(target, owner).await?;
        }
        session.execute(&format!("CREATE DATABASE \"{database}\" OWNER \"{owner}\"")).await?;
    }
    close(session).await;
    Ok(())
}

/// What decides about the statements: the server itself is asked, not the specification.
struct Server {
    version: PostgresVersion,
    max_connections: u16,
    superuser_reserved: u16,
    has_owner: bool,
    has_database: bool,
    has_statistics: bool,
}

impl Server {
    async fn inspect(session: &mut Session, owner: &SqlName, database: &SqlName) -> Result<Self, SessionError> {
        let query = format!(
            "SELECT current_setting('server_version_num')::int / 10000, current_setting('max_connections'),
                 current_setting('superuser_reserved_connections'),
                 EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}'), EXISTS (SELECT FROM pg_database WHERE datname = '{database}'),
                 '{STATISTICS_LIBRARY}' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','))"
        );
        let columns: [Option<String>; 6] = session.row(&query).await?;
        let [version, max_connections, superuser_reserved, has_owner, has_database, has_statistics] = columns;
        let number =
            |text: Option<String>| text.and_then(|text| text.parse().ok()).ok_or_else(|| SessionError::Protocol("a setting is no number".to_owned()));
        let is = |text: Option<String>| text.as_deref() == Some("t");
        Ok(Self {
            version: PostgresVersion(number(version)?),
            max_connections: number(max_connections)?,
            superuser_reserved: number(superuser_reserved)?,
            has_owner: is(has_owner),
            has_database: is(has_database),
            has_statistics: is(has_statistics),
        })
    }
}

/// The roles of the platform. Statements that are sent together are one transaction.
fn platform_roles(server: &Server, password: &Secret) -> String {
    let create = [MONITOR, REPLICATION]
        .map(|role| format!("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role}; END IF; END $$;"))
        .concat();
    format!(
        "{create}
         ALTER ROLE {MONITOR} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '{}';
         GRANT {} TO {MONITOR}",
        scram::verifier(password),
        monitor_memberships(server.version).join(", ")
    )
}

/// The predefined roles of the monitor. From version 16 on it may use the connections that are kept for it.
pub(super) fn monitor_memberships(version: PostgresVersion) -> &'static [&'static str] {
    if version.0 >= 16 { &["pg_monitor", "pg_use_reserved_connections"] } else { &["pg_monitor"] }
}

/// Whether the owner makes roles. Before version 16 a role with CREATEROLE can grant itself `pg_execute_server_program`.
pub(super) fn creates_roles(version: PostgresVersion) -> bool {
    version.0 >= 16
}

/// The owner is no superuser, cannot replicate, and so reads no file and runs no program.
fn create_owner(server: &Server, owner: &SqlName, password: &Secret) -> String {
    let create_role = if creates_roles(server.version) { "CREATEROLE" } else { "NOCREATEROLE" };
    let limit = owner_connections(server.version, server.max_connections, server.superuser_reserved);
    let limit = limit.map_or(String::new(), |limit| format!("CONNECTION LIMIT {limit} "));
    format!(
        "CREATE ROLE \"{owner}\" LOGIN NOSUPERUSER CREATEDB {create_role} NOREPLICATION NOBYPASSRLS {limit}PASSWORD '{}';
         GRANT {} TO \"{owner}\"",
        scram::verifier(password),
        memberships(server.version).join(", ")
    )
}

/// The predefined roles of the owner. `pg_create_subscription` is not among them, because no host lets an instance reach out, and
/// `pg_maintain` is not, because it locks any table, and without `pg_authid` nobody can log in.
#[must_use]
pub fn memberships(version: PostgresVersion) -> Vec<&'static str> {
    let mut roles = vec!["pg_monitor", "pg_signal_backend"];
    for (role, since) in [("pg_checkpoint", 15), ("pg_signal_autovacuum_worker", 18)] {
        if version.0 >= since {
            roles.push(role);
        }
    }
    roles
}

/// Adds the statistics of statements to the template of all databases, because only a superuser can.
async fn add_statistics(target: &Target, owner: &SqlName) -> Result<(), SessionError> {
    let mut session = Session::log_in(target, "template1", APPLICATION).await?;
    session.execute(SETTINGS).await?;
    session
        .execute(&format!(
            "CREATE EXTENSION IF NOT EXISTS {STATISTICS_LIBRARY} SCHEMA public;
             GRANT EXECUTE ON FUNCTION public.pg_stat_statements_reset TO \"{owner}\""
        ))
        .await?;
    // Nobody can copy a template that somebody is connected to. PostgreSQL itself waits for the end of a session for five seconds.
    close(session).await;
    Ok(())
}

/// Ignores time-outs: everything was done.
async fn close(session: Session) {
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, session.close()).await;
}

/// Whether a failure of [`set_up`] stays: the server has answered, and refuses.
#[must_use]
pub fn is_final(code: ReasonCode) -> bool {
    matches!(code, ReasonCode::AuthenticationFailed | ReasonCode::QueryFailed | ReasonCode::ReadOnly)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that is full for a moment fails a new session with an internal error; the creation of the instance goes on afterwards.
    #[test]
    fn what_may_pass_is_not_final() {
        let passing = [ReasonCode::DiskFull, ReasonCode::ServerError, ReasonCode::StartingUp, ReasonCode::TooManyConnections];
        assert!(passing.into_iter().all(|code| !is_final(code)));
        assert!(is_final(ReasonCode::QueryFailed));
    }

    #[test]
    fn an_owner_gets_what_the_version_can_give() {
        let server = |version| Server {
            version: PostgresVersion(version),
            max_connections: 100,
            superuser_reserved: 3,
            has_owner: false,
            has_database: false,
            has_statistics: true,
        };
        let (owner, password) = (SqlName::role("app").unwrap(), Secret::new("hunter22".to_owned()));
        let statement = |version| create_owner(&server(version), &owner, &password);
        assert!(statement(15).contains(" NOCREATEROLE ") && statement(15).contains(" CONNECTION LIMIT 89 "), "{}", statement(15));
        assert!(statement(16).contains(" CREATEROLE ") && !statement(16).contains("CONNECTION LIMIT"), "{}", statement(16));
        for version in 15..=18 {
            assert!(statement(version).contains("CREATE ROLE \"app\" LOGIN NOSUPERUSER CREATEDB "), "{}", statement(version));
            assert!(!statement(version).contains("hunter22"));
        }
        assert_eq!(memberships(PostgresVersion(15)), ["pg_monitor", "pg_signal_backend", "pg_checkpoint"]);
        assert_eq!(memberships(PostgresVersion(18)).len(), 4);
    }
}
