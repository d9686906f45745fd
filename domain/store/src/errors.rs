//! Classifies the errors of the database, in one place.

use sqlx::Error as E;
use toygres_domain::{Error, Result, UserErrorCode};

/// Converts a result of the database into one of the domain.
pub(crate) trait Classify<T> {
    /// [`Error::Unavailable`] when a retry may succeed, [`Error::User`] for a value that PostgreSQL cannot store, and
    /// [`Error::Internal`] otherwise.
    fn classify(self) -> Result<T>;
}

impl<T> Classify<T> for Result<T, E> {
    fn classify(self) -> Result<T> {
        self.map_err(classified)
    }
}

pub(crate) fn classified(error: E) -> Error {
    let temporary = match &error {
        // Protocol: to sqlx, a connection that ends while it is being made is an answer that is not PostgreSQL's.
        E::Io(_) | E::Tls(_) | E::Protocol(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => true,
        // 08: connection exceptions; 57P: shut down by the administrator or starting up; 53: out of connections,
        // disk or memory; 40: serialisation failure or deadlock; 25006: read-only while failing over.
        // 3F000, 42P01, 42703, 42883: no such schema, table, column or function. All statements are checked when they are compiled, so
        // the migrations of this version have not run yet.
        E::Database(db) => db.code().is_some_and(|code| {
            ["08", "57P", "53", "40"].iter().any(|class| code.starts_with(class)) || matches!(&*code, "25006" | "3F000" | "42P01" | "42703" | "42883")
        }),
        _ => false,
    };
    // 22021, 22P05: a text with a NUL; 22008: a time out of range. Both can only come from callers, in names, keys and cursors.
    if let E::Database(db) = &error
        && db.code().is_some_and(|code| matches!(&*code, "22021" | "22P05" | "22008"))
    {
        return Error::user(UserErrorCode::Invalid, "input", "holds a character or a time that PostgreSQL cannot store");
    }
    if temporary { Error::Unavailable(error.into()) } else { Error::Internal(error.into()) }
}

/// Whether the error is a unique violation.
pub(crate) fn is_unique_violation(error: &Error) -> bool {
    let Error::Internal(cause) = error else { return false };
    matches!(cause.downcast_ref::<E>(), Some(E::Database(db)) if db.is_unique_violation())
}

/// Whether a lock was not to be had within its time.
pub(crate) fn is_lock_timeout(error: &Error) -> bool {
    let Error::Internal(cause) = error else { return false };
    matches!(cause.downcast_ref::<E>(), Some(E::Database(db)) if db.code().as_deref() == Some("55P03"))
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, PgConnection};
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    use super::*;

    #[tokio::test]
    async fn a_connection_that_ends_while_it_is_made_can_be_tried_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgres://somebody@{}/database?sslmode=prefer", listener.local_addr().unwrap());
        let stopping = async {
            let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
            // The request for TLS has 8 bytes. What was not read would reset the connection, which is another error.
            stream.read_exact(&mut [0; 8]).await.unwrap();
        };
        let (connected, ()) = tokio::join!(PgConnection::connect(&url), stopping);
        let error = connected.map(drop).unwrap_err();
        assert!(matches!(error, E::Protocol(_)), "{error}");
        assert!(matches!(classified(error), Error::Unavailable(_)));
    }
}
