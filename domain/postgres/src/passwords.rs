//! The password of an owner's role, which the superuser of the platform changes. It is read and set as a verifier, so that it never reaches the
//! server, and the owner's role is what it was in every other respect.

use std::time::Duration;

use toygres_domain::{
    instance::{Reason, ReasonCode},
    name::SqlName,
    roles::DATABASE,
    secret::Secret,
};

use super::{
    Target,
    administration::{change, literal, open, within},
    close,
    roles::APPLICATION,
    session::{Session, SessionError},
};

/// The verifier of a role; empty if it has no password.
///
/// # Errors
/// Why it is not known. It never contains a secret.
pub async fn verifier(superuser: &Target, role: &SqlName, timeout: Duration) -> Result<Secret, Reason> {
    let query = format!("SELECT (SELECT coalesce(rolpassword, '') FROM pg_authid WHERE rolname = '{role}')");
    let [verifier] = row(superuser, &query, timeout).await?;
    verifier.map(Secret::new).ok_or_else(|| Reason::new(ReasonCode::QueryFailed, format!("the role {role} does not exist any more")))
}

/// Sets the verifier of a role; an empty one is no password. Sessions of the role go on.
///
/// # Errors
/// Why it was not set, or is not known to be. It never contains a secret.
pub async fn set_verifier(superuser: &Target, role: &SqlName, verifier: &Secret, timeout: Duration) -> Result<(), Reason> {
    let password = if verifier.expose().is_empty() { "NULL".to_owned() } else { literal(verifier.expose()) };
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        change(&mut session, &format!("ALTER ROLE \"{role}\" PASSWORD {password}")).await?;
        close(Some(session)).await;
        Ok(())
    })
    .await
}

/// Logs in as a role to the database of the platform, because the owner may have dropped theirs. Which databases a role may connect to is
/// decided after its password was accepted.
///
/// # Errors
/// Why the password is not known to be right. It never contains a secret.
pub async fn confirm(target: &Target, timeout: Duration) -> Result<(), Reason> {
    let login = within(target, timeout, async {
        match Session::log_in(target, DATABASE, APPLICATION).await {
            Ok(session) => close(Some(session)).await,
            Err(SessionError::Server(code, _)) if matches!(code.as_str(), "3D000" | "42501" | "55000") => {}
            Err(SessionError::Server(code, message)) if code == "28P01" => return Ok(Err(message)),
            Err(error) => return Err(error),
        }
        Ok(Ok(()))
    });
    login.await?.map_err(|message| Reason::new(ReasonCode::AuthenticationFailed, format!("the server refuses the new password: {message}")))
}

/// Ends the sessions of a role. Returns how many there were.
///
/// # Errors
/// Why they may go on.
pub async fn end_sessions(superuser: &Target, role: &SqlName, timeout: Duration) -> Result<u32, Reason> {
    let query = format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{role}'");
    let [ended] = row(superuser, &query, timeout).await?;
    Ok(ended.and_then(|ended| ended.parse().ok()).unwrap_or(0))
}

async fn row(superuser: &Target, query: &str, timeout: Duration) -> Result<[Option<String>; 1], Reason> {
    within(superuser, timeout, async {
        let mut session = open(superuser, DATABASE).await?;
        let row = session.row(query).await?;
        close(Some(session)).await;
        Ok(row)
    })
    .await
}
