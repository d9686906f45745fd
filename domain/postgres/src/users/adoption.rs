//! Users that came with the data of another instance, in which the platform made them: a copy has the roles, without passwords
//! ([`toygres_domain::restoration::finishing_statements`]), and the metadata does not know them.

use toygres_domain::{database_user::DatabaseAccess, name::SqlName};

use super::{Clients, NewUser, end_sessions};
use crate::{
    Target,
    administration::{change, literal, open},
    clients::Shares,
    close,
    session::{Session, SessionError},
};

/// The comment of a role that was there before it got its password: who takes that back does not drop the role. Owners cannot change it.
const MARK: &str = "It was there before createDatabaseUser gave it a password.";

/// Why a role that exists does not become this user; `None` if it can. What it may do is not changed, so it has to be what is asked for.
pub(super) async fn obstacle(superuser: &Target, session: &mut Session, user: &NewUser<'_>) -> Result<Option<String>, SessionError> {
    let NewUser { name, verifier: _, access, database } = user;
    // Before version 16 the platform alone makes roles. Since then those who make one have ADMIN OPTION on it, unless they are superusers.
    let query = format!(
        "SELECT rolpassword IS NULL AND rolcanlogin AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members WHERE roleid = role.oid AND admin_option),
             EXISTS (SELECT FROM pg_catalog.pg_database WHERE datdba = role.oid),
             (SELECT pg_catalog.string_agg(datname, ', ' ORDER BY datname) FROM pg_catalog.pg_database WHERE {CONNECTS}),
             (SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_db_role_setting WHERE setrole = role.oid AND setdatabase = pg_database.oid
                      AND pg_catalog.array_to_string(setconfig, ',') ~ '(^|,)role=') THEN 'owner' ELSE 'user' END
              FROM pg_catalog.pg_database WHERE datname = {} AND datallowconn AND {CONNECTS})
         FROM pg_catalog.pg_authid AS role WHERE rolname = '{name}'",
        literal(database.map_or("", SqlName::as_str))
    );
    let [adoptable, owns, databases, there] = session.row(&query).await?;
    if adoptable.as_deref() != Some("t") {
        return Ok(Some(format!("a role named {name} exists already, made by SQL or with a password: choose another name")));
    }
    let has = match (database, there.as_deref()) {
        (None, _) if owns.as_deref() == Some("t") || databases.is_none() => Some(DatabaseAccess::Owner),
        (Some(_), Some("owner")) => Some(DatabaseAccess::Owner),
        (Some(database), Some(_)) => access_to_rows(superuser, name, database).await?,
        (None, _) | (Some(_), None) => None,
    };
    Ok((has != Some(*access)).then(|| {
        let has = match (has, database) {
            (Some(access), Some(database)) => format!("the access {} to {database}", access.as_str().to_uppercase()),
            _ => format!("access to {}", databases.as_deref().unwrap_or("the databases that it owns")),
        };
        format!(
            "a role named {name} exists already, which came with the data of another instance and has {has}: ask for what it had there, or choose \
             another name"
        )
    }))
}

/// That a database was opened to the role, and not because it owns it.
const CONNECTS: &str = "datdba <> role.oid AND EXISTS (SELECT FROM pg_catalog.aclexplode(datacl) AS granted
    WHERE granted.grantee = role.oid AND granted.privilege_type = 'CONNECT')";

/// What a role may do with the rows of a database: what it gets in tables that will be made decides, because owners may have granted more or
/// less in a single one.
async fn access_to_rows(superuser: &Target, name: &SqlName, database: &SqlName) -> Result<Option<DatabaseAccess>, SessionError> {
    let mut session = open(superuser, database.as_str()).await?;
    let query = format!(
        "SELECT coalesce(pg_catalog.bool_or(privilege = 'SELECT'), false),
             coalesce(pg_catalog.bool_or(privilege = 'INSERT' AND later)
                 OR (NOT pg_catalog.bool_or(later) AND pg_catalog.bool_or(privilege = 'INSERT')), false)
         FROM (
             SELECT privilege_type, grantee, true FROM pg_catalog.pg_default_acl CROSS JOIN LATERAL pg_catalog.aclexplode(defaclacl)
             WHERE defaclobjtype = 'r'
             UNION ALL SELECT privilege_type, grantee, false FROM pg_catalog.pg_class CROSS JOIN LATERAL pg_catalog.aclexplode(relacl)
             WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
         ) AS granted (privilege, grantee, later) WHERE grantee = '{name}'::pg_catalog.regrole"
    );
    let [reads, writes] = session.row(&query).await?;
    close(Some(session)).await;
    let is = |column: Option<String>| column.as_deref() == Some("t");
    Ok(is(reads).then_some(if is(writes) { DatabaseAccess::ReadWrite } else { DatabaseAccess::ReadOnly }))
}

/// Gives a role its password, and its share of the connections.
pub(super) async fn adopt(session: &mut Session, user: &NewUser<'_>, clients: Clients<'_>) -> Result<(), SessionError> {
    let NewUser { name, verifier, access: _, database: _ } = user;
    let others = Shares::ask(session, clients).await?.differences(session, clients).await?;
    let password = format!("ALTER ROLE \"{name}\" PASSWORD {}", literal(verifier.expose()));
    change(session, &format!("COMMENT ON ROLE \"{name}\" IS {}; {password}; {others}", literal(MARK))).await
}

/// Takes the password of an adopted role back, and ends its sessions. Returns whether it is one.
pub(super) async fn abandon(session: &mut Session, name: &SqlName, clients: Clients<'_>) -> Result<bool, SessionError> {
    let [is_adopted] = session
        .row(&format!("SELECT coalesce(pg_catalog.shobj_description('{name}'::pg_catalog.regrole, 'pg_authid') = {}, false)", literal(MARK)))
        .await?;
    if is_adopted.as_deref() != Some("t") {
        return Ok(false);
    }
    let others = Shares::ask(session, clients).await?.differences(session, clients).await?;
    change(session, &format!("ALTER ROLE \"{name}\" PASSWORD NULL; {}; {others}", end_sessions(name))).await?;
    Ok(true)
}
