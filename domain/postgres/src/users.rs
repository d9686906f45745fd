//! Users of an instance besides its owner. Everything that belongs to one user in one database is one transaction of the superuser, so that
//! a user is either complete or not there.

mod adoption;

use std::time::Duration;

use toygres_domain::{
    database_user::DatabaseAccess,
    instance::{Reason, ReasonCode},
    name::SqlName,
    roles::{DATABASE, RESERVED_PREFIX},
    secret::Secret,
};

use super::{
    Target,
    administration::{change, identifier, literal, open, within},
    clients::Shares,
    close,
    session::{Session, SessionError},
};

pub use super::clients::Clients;

/// A user to make.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// The name of the role.
    pub name: &'a SqlName,
    /// The verifier of its password, by which a repetition knows it.
    pub verifier: &'a Secret,
    /// What it may do.
    pub access: DatabaseAccess,
    /// The database in which it may do that.
    pub database: Option<&'a SqlName>,
}

/// Makes a user; one that exists with the same verifier is left alone. A role without a password that came with the data of another instance, in
/// which it had the same access, gets the password. `clients` includes it.
///
/// # Errors
/// Why it was not made. [`ReasonCode::QueryFailed`] is also that a role of its name exists, or that the database does not. It never contains a
/// secret.
pub async fn create(superuser: &Target, user: &NewUser<'_>, clients: Clients<'_>, timeout: Duration) -> Result<(), Reason> {
    let NewUser { name, verifier, access, database } = user;
    let refused = |message: String| Ok(Err(Reason::new(ReasonCode::QueryFailed, message)));
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        match role_verifier(&mut session, name).await? {
            Some(present) if present == verifier.expose() => return Ok(Ok(())),
            Some(_) => {
                if let Some(obstacle) = adoption::obstacle(superuser, &mut session, user).await? {
                    return refused(obstacle);
                }
                adoption::adopt(&mut session, user, clients).await?;
                close(Some(session)).await;
                return Ok(Ok(()));
            }
            None => {}
        }
        let mut grants = String::new();
        if let Some(database) = database {
            let query = format!(
                "SELECT (SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = '{database}' AND datallowconn)"
            );
            let [Some(owner)] = session.row(&query).await? else {
                return refused(format!("there is no database named {database}: choose another one"));
            };
            if owner.starts_with(RESERVED_PREFIX) {
                return refused(format!("the database {database} belongs to the platform: choose another one"));
            }
            grants = grant(name, *access, database, &owner);
        }
        let shares = Shares::ask(&mut session, clients).await?;
        let others = shares.differences(&mut session, clients).await?;
        close(Some(session)).await;
        let mut session = open(superuser, database.map_or(DATABASE, SqlName::as_str)).await?;
        let role = format!("CREATE ROLE \"{name}\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS");
        change(&mut session, &format!("{role} CONNECTION LIMIT {} PASSWORD {}; {grants} {others}", shares.user, literal(verifier.expose()))).await?;
        close(Some(session)).await;
        Ok(Ok(()))
    })
    .await?
}

/// Drops a user that has this verifier, with what [`create`] gave it; a role that was there before loses its password. `clients` are the others.
///
/// # Errors
/// Why it was not dropped.
pub async fn undo(superuser: &Target, name: &SqlName, verifier: &Secret, clients: Clients<'_>, timeout: Duration) -> Result<(), Reason> {
    let is_left = within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        let is_made = role_verifier(&mut session, name).await?.is_some_and(|present| present == verifier.expose());
        let is_left = is_made && !adoption::abandon(&mut session, name, clients).await?;
        close(Some(session)).await;
        Ok(is_left)
    });
    if is_left.await? {
        drop_user(superuser, name, clients.owner, clients, timeout).await?;
    }
    Ok(())
}

/// Gives what a user owns to another role, takes back what it was granted, in every database, ends its sessions and drops it. One that does
/// not exist is dropped. Returns what was given away, a sentence for each database.
///
/// # Errors
/// Why it was not dropped; it may own less than before.
pub async fn drop_user(
    superuser: &Target,
    name: &SqlName,
    reassign_to: &SqlName,
    clients: Clients<'_>,
    timeout: Duration,
) -> Result<Vec<String>, Reason> {
    within(superuser, timeout, async {
        let mut findings = Vec::new();
        let mut session = open(superuser, DATABASE).await?;
        if role_verifier(&mut session, name).await?.is_some() {
            let mut last = String::new();
            while let Some(database) = next_database(&mut session, name, &last).await? {
                let mut there = open(superuser, &database).await?;
                let query = format!(
                    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_shdepend WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
                         AND refobjid = '{name}'::pg_catalog.regrole AND deptype = 'o'
                         AND dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))"
                );
                let [owned] = there.row(&query).await?;
                change(&mut there, &format!("REASSIGN OWNED BY \"{name}\" TO \"{reassign_to}\"; DROP OWNED BY \"{name}\"")).await?;
                close(Some(there)).await;
                if let Some(owned) = owned.filter(|owned| owned != "0") {
                    findings.push(format!("reassigned to {reassign_to} in {database}: {owned}"));
                }
                last = database;
            }
            let others = Shares::ask(&mut session, clients).await?.differences(&mut session, clients).await?;
            let end = end_sessions(name);
            change(&mut session, &format!("{end}; DROP ROLE \"{name}\"; {others}")).await?;
        }
        close(Some(session)).await;
        Ok(findings)
    })
    .await
}

/// What a user of a database is granted.
fn grant(name: &SqlName, access: DatabaseAccess, database: &SqlName, owner: &str) -> String {
    let connect = format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{name}\";");
    // As `pg_write_all_data` and `pg_read_all_data` have it, but in one database. Rows that are inserted take the next value of a sequence.
    let (tables, sequences) =
        if access == DatabaseAccess::ReadWrite { ("SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT") } else { ("SELECT", "SELECT") };
    match access {
        // It acts as the owner, so that what it makes belongs to the owner.
        DatabaseAccess::Owner => {
            let (role, value) = (identifier(owner), literal(owner));
            format!("{connect} GRANT {role} TO \"{name}\"; ALTER ROLE \"{name}\" IN DATABASE \"{database}\" SET role = {value};")
        }
        // What is there, and what those who have made something there will make.
        DatabaseAccess::ReadWrite | DatabaseAccess::ReadOnly => format!(
            "{connect}
             DO $$ DECLARE schema name; creator name; BEGIN
                 FOR schema IN SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
                     EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %1$I TO \"{name}\"; GRANT {tables} ON ALL TABLES IN SCHEMA %1$I TO \"{name}\";
                         GRANT {sequences} ON ALL SEQUENCES IN SCHEMA %1$I TO \"{name}\"', schema);
                 END LOOP;
                 FOR creator IN SELECT rolname FROM pg_catalog.pg_roles WHERE NOT rolsuper AND rolname !~ '^pg_' AND oid IN (
                     SELECT datdba FROM pg_catalog.pg_database WHERE datname = '{database}'
                     UNION SELECT nspowner FROM pg_catalog.pg_namespace UNION SELECT relowner FROM pg_catalog.pg_class) LOOP
                     EXECUTE pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %1$I GRANT USAGE ON SCHEMAS TO \"{name}\";
                         ALTER DEFAULT PRIVILEGES FOR ROLE %1$I GRANT {tables} ON TABLES TO \"{name}\";
                         ALTER DEFAULT PRIVILEGES FOR ROLE %1$I GRANT {sequences} ON SEQUENCES TO \"{name}\"', creator);
                 END LOOP;
             END $$;"
        ),
    }
}

/// A statement that ends the sessions of a role.
fn end_sessions(name: &SqlName) -> String {
    format!("SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity WHERE usename = '{name}'")
}

/// The verifier of a role, or `None` if there is no such role.
async fn role_verifier(session: &mut Session, name: &SqlName) -> Result<Option<String>, SessionError> {
    let [verifier] = session.row(&format!("SELECT (SELECT coalesce(rolpassword, '') FROM pg_catalog.pg_authid WHERE rolname = '{name}')")).await?;
    Ok(verifier)
}

/// The first database after `last` in which something depends on the role. Databases themselves are seen from that of the platform.
async fn next_database(session: &mut Session, name: &SqlName, last: &str) -> Result<Option<String>, SessionError> {
    let query = format!(
        "SELECT (SELECT min(datname::text COLLATE \"C\") FROM pg_catalog.pg_database
             WHERE datallowconn AND datname::text COLLATE \"C\" > {} AND oid IN (
                 SELECT CASE WHEN dbid = 0 THEN (SELECT oid FROM pg_catalog.pg_database WHERE datname = '{DATABASE}') ELSE dbid END
                 FROM pg_catalog.pg_shdepend WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
                     AND refobjid = '{name}'::pg_catalog.regrole))",
        literal(last)
    );
    let [database] = session.row(&query).await?;
    Ok(database)
}
