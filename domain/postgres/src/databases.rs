//! Databases of an instance besides the one that it was created with.

use std::time::Duration;

use toygres_domain::{
    instance::{Reason, ReasonCode},
    name::SqlName,
    roles::DATABASE,
};

use super::{
    Target,
    administration::{change, open, within},
    close,
    session::SessionError,
};

/// `object_in_use`.
const IN_USE: &str = "55006";

/// Whether there is a database of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// There is none.
    Absent,
    /// There is one to which nobody can connect.
    Closed,
    /// There is one to which clients can connect.
    Open,
}

/// Whether there is a database of this name.
///
/// # Errors
/// Why it is not known.
pub async fn presence(superuser: &Target, name: &SqlName, timeout: Duration) -> Result<Presence, Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        let [is_open] = session.row(&format!("SELECT (SELECT datallowconn FROM pg_catalog.pg_database WHERE datname = '{name}')")).await?;
        close(Some(session)).await;
        Ok(match is_open.as_deref() {
            None => Presence::Absent,
            Some("t") => Presence::Open,
            Some(_) => Presence::Closed,
        })
    })
    .await
}

/// Who owns the database of this name; `None` if there is none.
///
/// # Errors
/// Why it is not known.
pub async fn owner(superuser: &Target, name: &SqlName, timeout: Duration) -> Result<Option<String>, Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        let query = format!("SELECT (SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = '{name}')");
        let [owner] = session.row(&query).await?;
        close(Some(session)).await;
        Ok(owner)
    })
    .await
}

/// Makes a database, as a copy of the template, which has the statistics of statements. Nobody can connect to it before [`admit`]: until then
/// it has nothing in it that could be lost, and is known from one that somebody has made by SQL.
///
/// # Errors
/// Why it was not made, for example because it exists.
pub async fn create(superuser: &Target, name: &SqlName, owner: &SqlName, timeout: Duration) -> Result<(), Reason> {
    run(superuser, &format!("CREATE DATABASE \"{name}\" OWNER \"{owner}\" ALLOW_CONNECTIONS false"), timeout).await?.map_err(|message| {
        // It is copied, which somebody who is connected to it prevents.
        Reason::new(ReasonCode::ConnectionLost, message)
    })
}

/// Lets clients connect to a database that was made.
///
/// # Errors
/// Why they cannot.
pub async fn admit(superuser: &Target, name: &SqlName, timeout: Duration) -> Result<(), Reason> {
    let in_use = |message| Reason::new(ReasonCode::ConnectionLost, message);
    run(superuser, &format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true"), timeout).await?.map_err(in_use)
}

/// Drops a database, if there is one of this name. With `force` the sessions in it are ended.
///
/// # Errors
/// Why it was not dropped: [`ReasonCode::QueryFailed`] if there are sessions in it, with the remedy.
pub async fn drop_database(superuser: &Target, name: &SqlName, force: bool, timeout: Duration) -> Result<(), Reason> {
    let force = if force { " WITH (FORCE)" } else { "" };
    run(superuser, &format!("DROP DATABASE IF EXISTS \"{name}\"{force}"), timeout)
        .await?
        .map_err(|message| Reason::new(ReasonCode::QueryFailed, format!("{message}: end its sessions, or drop it with `force`, which does that")))
}

/// Runs a statement that is a transaction by itself. The inner error is the message of the server that something is in use.
async fn run(superuser: &Target, statement: &str, timeout: Duration) -> Result<Result<(), String>, Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        let outcome = match change(&mut session, statement).await {
            Err(SessionError::Server(code, message)) if code == IN_USE => Err(message),
            outcome => Ok(outcome?),
        };
        close(Some(session)).await;
        Ok(outcome)
    })
    .await
}
