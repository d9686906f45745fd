//! Sessions in which the platform changes roles and databases of an instance.

use std::time::Duration;

use toygres_domain::instance::Reason;

use super::{
    Target,
    roles::{APPLICATION, SETTINGS},
    session::{Session, SessionError},
    symptom,
};

/// A session in a database in which nothing is logged. What the owner has made in the database is not on its search path.
pub(super) async fn open(superuser: &Target, database: &str) -> Result<Session, SessionError> {
    let mut session = Session::log_in(superuser, database, APPLICATION).await?;
    session.execute(SETTINGS).await?;
    Ok(session)
}

/// How long to wait before a change is repeated.
const PAUSE: Duration = Duration::from_millis(50);

/// Executes statements as one transaction, and again while transactions of clients are in its way, so that those fail no operation.
pub(super) async fn change(session: &mut Session, statements: &str) -> Result<(), SessionError> {
    loop {
        match session.execute(statements).await {
            Err(error) if symptom::is_conflict(&error) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
}

/// Runs statements with a time-out, and maps their errors to reasons.
pub(super) async fn within<T>(target: &Target, timeout: Duration, work: impl Future<Output = Result<T, SessionError>>) -> Result<T, Reason> {
    match tokio::time::timeout(timeout, work).await {
        Err(_) => Err(symptom::no_answer(&target.endpoint, timeout)),
        Ok(outcome) => outcome.map_err(|error| symptom::classify(&target.endpoint, &error)),
    }
}

/// A text as a literal of SQL, whatever `standard_conforming_strings` is, which owners can set for their databases.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A name as an identifier of SQL.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_ends_where_it_should() {
        assert_eq!(literal(r"a\'; DROP"), r"E'a\\''; DROP'");
        assert_eq!(literal("\""), "E'\"'", "what ends an identifier is a letter of a literal");
    }

    #[test]
    fn an_identifier_ends_where_it_should() {
        assert_eq!(identifier(r#"a\"; DROP"#), r#""a\""; DROP""#);
    }
}
