//! The error type of the domain, free of any transport. What a caller may read is separate from what only the log gets.

use std::fmt;

/// The result of everything in the domain.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input is wrong, or the present state does not allow it: the caller can act on every entry.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    User(Vec<FieldError>),
    /// The caller's revision, run or cursor is outdated: read again.
    #[error("the record has moved on")]
    Superseded,
    /// The cursor is older than what the event log keeps, or of another log: start again from a snapshot.
    #[error("the cursor is older than the events that are kept")]
    MustRefetch,
    /// The metadata database cannot be reached; trying again later is right.
    #[error("the metadata database is not available")]
    Unavailable(#[source] BoxError),
    /// An internal error. The text is for the log only.
    #[error("{0}")]
    Internal(#[source] BoxError),
}

/// What lies behind an error, for the log.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// An internal error, with its cause for the log.
    pub fn internal(cause: impl Into<BoxError>) -> Self {
        Self::Internal(cause.into())
    }

    /// One mistake that the caller can correct.
    pub fn user(code: UserErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self::User(vec![FieldError::new(code, field, message)])
    }

    /// Whether the same call can succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Internal(_))
    }
}

/// One mistake in an input that the caller can correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The kind of mistake; stable, for programs.
    pub code: UserErrorCode,
    /// The path of the input field, for example `["healthCheck", "intervalSeconds"]`.
    pub field: Vec<String>,
    /// One sentence for people: what is wrong and what would be right.
    pub message: String,
}

impl FieldError {
    /// A mistake in the input field with this path (its parts joined by dots).
    pub fn new(code: UserErrorCode, field: &str, message: impl Into<String>) -> Self {
        Self { code, field: field.split('.').map(str::to_owned).collect(), message: message.into() }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field.join("."), self.message)
    }
}

/// The kinds of mistakes that a caller can correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserErrorCode {
    /// The value does not have the form the field asks for.
    Invalid,
    /// The value is a number outside the range of the field.
    OutOfRange,
    /// Another instance that is not deleted has this name.
    NameTaken,
    /// The runtime does not offer this PostgreSQL version.
    UnsupportedVersion,
    /// Nothing has this id.
    NotFound,
    /// The deletion protection of the instance is on.
    Protected,
    /// The present state does not allow it.
    Conflict,
    /// The revision that was sent is not the present one.
    RevisionMismatch,
    /// The idempotency key was used before with another input.
    IdempotencyMismatch,
}
