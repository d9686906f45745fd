//! Maps errors of the domain to the API: expected failures are data (`userErrors`), others are GraphQL errors with a stable code
//! and without internal details.

use std::borrow::Borrow;

use async_graphql::{Enum, ErrorExtensions, Response, SimpleObject};
use toygres_domain as domain;

use super::QueryLimits;

/// The kind of a user error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::UserErrorCode")]
pub enum UserErrorCode {
    /// The value does not have the required form.
    Invalid,
    /// The number is outside the range of the field.
    OutOfRange,
    /// Another instance has this name.
    NameTaken,
    /// The runtime does not offer this PostgreSQL version.
    UnsupportedVersion,
    /// No object has this ID.
    NotFound,
    /// The deletion protection of the instance is on.
    Protected,
    /// The current state does not allow the request.
    Conflict,
    /// The instance has another revision.
    RevisionMismatch,
    /// The idempotency key was used before with a different input.
    IdempotencyMismatch,
}

/// An error in the input of a mutation, which the caller can correct. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The kind of error. Stable, for programs.
    code: UserErrorCode,
    /// The path of the field within `input`.
    field: Vec<String>,
    /// One sentence for people.
    message: String,
}

impl From<domain::FieldError> for UserError {
    fn from(error: domain::FieldError) -> Self {
        let domain::FieldError { code, field, message } = error;
        Self { code: code.into(), field, message }
    }
}

/// Separates user errors, which are part of a mutation's payload, from other errors.
pub(super) fn user_errors<T>(outcome: domain::Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    let errors = match outcome {
        Ok(value) => return Ok((Some(value), Vec::new())),
        Err(domain::Error::User(errors)) => errors,
        Err(domain::Error::Superseded) => {
            vec![domain::FieldError::new(domain::UserErrorCode::Conflict, "id", "the instance changed at the same moment; read it again")]
        }
        Err(fault) => return Err(error(fault)),
    };
    Ok((None, errors.into_iter().map(UserError::from).collect()))
}

/// An error outside a mutation's payload.
pub(super) fn error(error: impl Borrow<domain::Error>) -> async_graphql::Error {
    let error = error.borrow();
    let (code, message) = match error {
        domain::Error::User(errors) => {
            let code = match errors.first().map(|error| error.code) {
                Some(domain::UserErrorCode::NotFound) => "NOT_FOUND",
                _ => "BAD_USER_INPUT",
            };
            (code, error.to_string())
        }
        domain::Error::Superseded => ("CONFLICT", error.to_string()),
        domain::Error::MustRefetch => {
            ("MUST_REFETCH", "the cursor is older than the events that are kept, or of another log; subscribe again without it".to_owned())
        }
        domain::Error::Unavailable(cause) => {
            tracing::warn!(%cause, "a request failed because the metadata database is not available");
            ("UNAVAILABLE", "the metadata database is not available; try again in a moment".to_owned())
        }
        domain::Error::Internal(cause) => {
            tracing::error!(%cause, "a request failed");
            ("INTERNAL", "an internal error; the log of the server has the details".to_owned())
        }
    };
    coded(code, message)
}

/// An error with a stable code.
pub(super) fn coded(code: &'static str, message: impl Into<String>) -> async_graphql::Error {
    async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// Errors of one response, in the order in which the executor reports them. More would not help its caller.
const MAX_ERRORS: usize = 100;
/// Bytes of the message of an error.
const MAX_MESSAGE_BYTES: usize = 4096;

/// Completes the errors of a response: drops all but the first `MAX_ERRORS`, cuts messages after `MAX_MESSAGE_BYTES`, rewords those
/// about limits, adds the code `BAD_REQUEST` to every error without one (of parsing and validation), and adds the request ID, which the
/// log has too, to `INTERNAL` and `UNAVAILABLE`. Which errors come first is not specified: the executor reports some in the order of a
/// hash table, not of the document. Among those that it drops can be an `INTERNAL` one, which is in the log all the same.
pub fn mask(response: &mut Response, request_id: &str, limits: QueryLimits) {
    // A document can have an error in each of its fields, and repeat a name of any length in each of them.
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        if let Some(exceeded) = Exceeded::of(&error.message) {
            error.message = exceeded.explain(limits);
        }
        error.message.truncate(error.message.floor_char_boundary(MAX_MESSAGE_BYTES));
        let extensions = error.extensions.get_or_insert_default();
        match extensions.get("code") {
            None => extensions.set("code", "BAD_REQUEST"),
            Some(code) if *code == "INTERNAL".into() || *code == "UNAVAILABLE".into() => {
                tracing::warn!(request_id, message = error.message, "a request failed");
                extensions.set("requestId", request_id);
            }
            Some(_) => {}
        }
    }
}

/// A limit that a request exceeds. async-graphql 7.2.1 reports it only in the text of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exceeded {
    Complexity,
    Depth,
}

impl Exceeded {
    fn of(message: &str) -> Option<Self> {
        match message {
            "Query is too complex." => Some(Self::Complexity),
            "Query is nested too deep." => Some(Self::Depth),
            _ => None,
        }
    }

    fn explain(self, limits: QueryLimits) -> String {
        match self {
            Self::Complexity => format!(
                "the request is too complex: its fields, counting those of a list once per possible entry, exceed {}; request smaller pages",
                limits.complexity
            ),
            Self::Depth => format!("the request is nested deeper than {} fields", limits.depth),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn nested(&self) -> Query {
            Query
        }
        async fn value(&self) -> i32 {
            0
        }
    }

    #[tokio::test]
    async fn the_wording_of_the_library_is_known() {
        let schema =
            |depth, complexity| Schema::build(Query, EmptyMutation, EmptySubscription).limit_depth(depth).limit_complexity(complexity).finish();
        let message = async |schema: Schema<Query, EmptyMutation, EmptySubscription>| {
            schema.execute("{ nested { nested { value } } }").await.errors.remove(0).message
        };
        assert_eq!(Exceeded::of(&message(schema(2, 100)).await), Some(Exceeded::Depth));
        assert_eq!(Exceeded::of(&message(schema(10, 2)).await), Some(Exceeded::Complexity));
    }
}
