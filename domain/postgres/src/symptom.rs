//! Classifies the errors of connections. This is done in one place, also because some errors differ only in their text.

use std::{io, time::Duration};

use toygres_domain::instance::{Endpoint, Reason, ReasonCode};

use super::session::SessionError;

/// Part of the text of a resolver's error, which has no `ErrorKind` of its own. The standard library writes it for every failure of
/// `getaddrinfo`.
const LOOKUP_FAILED: &str = "failed to lookup address information";

/// The server did not answer in time.
pub(super) fn no_answer(endpoint: &Endpoint, timeout: Duration) -> Reason {
    Reason::new(ReasonCode::ConnectionTimeout, format!("no answer from {}:{} within {} s", endpoint.host, endpoint.port, timeout.as_secs_f32()))
}

/// Connecting to the server or querying it failed.
pub(super) fn classify(endpoint: &Endpoint, error: &SessionError) -> Reason {
    let address = format!("{}:{}", endpoint.host, endpoint.port);
    match error {
        SessionError::Io(io) => match io.kind() {
            io::ErrorKind::ConnectionRefused => Reason::new(ReasonCode::ConnectionRefused, format!("nobody listens at {address}")),
            io::ErrorKind::TimedOut => Reason::new(ReasonCode::ConnectionTimeout, format!("{address} does not answer")),
            _ if io.to_string().contains(LOOKUP_FAILED) => Reason::new(ReasonCode::DnsFailed, format!("the name {} does not resolve", endpoint.host)),
            _ => Reason::new(ReasonCode::ConnectionLost, format!("the connection to {address} was lost: {io}")),
        },
        SessionError::Tls(cause) => Reason::new(ReasonCode::TlsFailed, format!("TLS with {address} failed: {cause}")),
        SessionError::Server(code, message) if code == "28P01" => Reason::new(
            ReasonCode::AuthenticationFailed,
            format!("{address} answered: {message}; checks use the password that the instance was created with, so its role has to keep it"),
        ),
        SessionError::Server(code, message) => Reason::new(classify_sqlstate(code), format!("{address} answered: {message}")),
        SessionError::Refused(why) => Reason::new(ReasonCode::QueryFailed, format!("{address} is refused: {why}")),
        SessionError::Protocol(cause) => Reason::new(ReasonCode::ConnectionLost, format!("{address} does not speak as PostgreSQL does: {cause}")),
    }
}

/// Whether a login failed because of the database, or because of the rules for it: it does not exist, the role may not connect to it,
/// nobody may, or `pg_hba.conf` has no entry.
pub(super) fn is_closed_database(sqlstate: &str) -> bool {
    matches!(sqlstate, "3D000" | "42501" | "55000" | "28000")
}

/// Whether a statement failed only because another transaction was in its way: the same statement succeeds after that has ended.
pub(super) fn is_conflict(error: &SessionError) -> bool {
    let SessionError::Server(code, message) = error else { return false };
    match code.as_str() {
        // `serialization_failure` and `deadlock_detected`
        "40001" | "40P01" => true,
        // Two changes of the same row of a system catalog, such as that of a role or a database: an internal error without a code of its own.
        "XX000" => message.starts_with("tuple concurrently "),
        _ => false,
    }
}

/// The codes are those of appendix A of the PostgreSQL manual.
fn classify_sqlstate(code: &str) -> ReasonCode {
    match code {
        "28000" | "3D000" => ReasonCode::AuthenticationFailed,
        "57P03" | "57P01" | "57P02" => ReasonCode::StartingUp,
        "53300" => ReasonCode::TooManyConnections,
        "53100" => ReasonCode::DiskFull,
        "53200" => ReasonCode::OutOfMemory,
        "25006" => ReasonCode::ReadOnly,
        // `system_error`, `io_error` and `internal_error`. The last is also what a full disk makes of a new session: "could not write init file".
        "58000" | "58030" | "XX000" => ReasonCode::ServerError,
        _ => ReasonCode::QueryFailed,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint { host: "db".to_owned(), port: 5432 }
    }

    /// Checks the text of the standard library, which tokio passes on.
    #[tokio::test]
    async fn a_name_that_does_not_resolve_is_told_by_the_text_of_the_resolver() {
        // The top-level domain `invalid` never resolves (RFC 2606).
        let error = TcpStream::connect(("no-such-host.invalid", 5432)).await.unwrap_err();
        assert!(error.to_string().contains(LOOKUP_FAILED), "{error}");
        assert_eq!(classify(&endpoint(), &SessionError::Io(error)).code, ReasonCode::DnsFailed);
    }

    #[test]
    fn errors_with_a_kind_are_told_by_it() {
        let io = |kind| classify(&endpoint(), &SessionError::Io(io::Error::from(kind))).code;
        assert_eq!(io(io::ErrorKind::ConnectionRefused), ReasonCode::ConnectionRefused);
        assert_eq!(io(io::ErrorKind::TimedOut), ReasonCode::ConnectionTimeout);
        assert_eq!(io(io::ErrorKind::ConnectionReset), ReasonCode::ConnectionLost);
        assert_eq!(classify_sqlstate("53100"), ReasonCode::DiskFull);
        assert_eq!(classify_sqlstate("XX000"), ReasonCode::ServerError);
        assert_eq!(classify_sqlstate("58P01"), ReasonCode::QueryFailed, "a file that is not installed does not come by itself");
    }
}
