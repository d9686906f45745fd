//! How errors of the domain look to a caller: expected failures are data (`userErrors`), faults are GraphQL errors with a
//! stable code and no internals.

use std::borrow::Borrow;

use async_graphql::{Enum, ErrorExtensions, Response, SimpleObject};
use toygres_domain as domain;

use super::QueryLimits;

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::UserErrorCode")]
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
    /// The instance is protected against deletion.
    Protected,
    /// The present state does not allow it.
    Conflict,
    /// The revision that was sent is not the present one.
    RevisionMismatch,
    /// The idempotency key was used before with another input.
    IdempotencyMismatch,
}

/// One thing about the input that the caller can act on. Nothing was changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What kind of mistake it is; stable, for programs.
    code: UserErrorCode,
    /// The path of the input field, from the top of `input`.
    field: Vec<String>,
    /// One sentence for people: what is wrong and what would be right.
    message: String,
}

/// Splits an outcome into what the payload of a mutation shows, and faults.
pub(super) fn payload<T>(outcome: domain::Result<T>) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match outcome {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(domain::Error::User(mistakes)) => Ok((
            None,
            mistakes.into_iter().map(|mistake| UserError { code: mistake.code.into(), field: mistake.field, message: mistake.message }).collect(),
        )),
        Err(domain::Error::Superseded) => Ok((
            None,
            vec![UserError {
                code: UserErrorCode::Conflict,
                field: vec!["id".to_owned()],
                message: "the instance changed at the same moment; look at it again".to_owned(),
            }],
        )),
        Err(fault) => Err(error(fault)),
    }
}

/// An error outside a mutation's payload.
pub(super) fn error(error: impl Borrow<domain::Error>) -> async_graphql::Error {
    let error = error.borrow();
    let (code, message) = match error {
        domain::Error::User(mistakes) => {
            let code = match mistakes.first().map(|mistake| mistake.code) {
                Some(domain::UserErrorCode::NotFound) => "NOT_FOUND",
                _ => "BAD_USER_INPUT",
            };
            (code, error.to_string())
        }
        domain::Error::Superseded => ("CONFLICT", error.to_string()),
        domain::Error::MustRefetch => ("MUST_REFETCH", "the cursor is older than the events that are kept; subscribe again without it".to_owned()),
        domain::Error::Unavailable(cause) => {
            tracing::warn!(%cause, "a request needed the metadata database in vain");
            ("UNAVAILABLE", "the metadata database is not available; try again in a moment".to_owned())
        }
        domain::Error::Internal(cause) => {
            tracing::error!(%cause, "a request failed");
            ("INTERNAL", "an internal error; the server's log says more".to_owned())
        }
    };
    coded(code, message)
}

/// An error with a stable code.
pub(super) fn coded(code: &'static str, message: impl Into<String>) -> async_graphql::Error {
    async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// Gives every error that has no code yet (of parsing and validation) the code `BAD_REQUEST`, and faults the id under which
/// the log has more.
pub fn mask(response: &mut Response, request_id: &str, limits: QueryLimits) {
    for error in &mut response.errors {
        match error.message.as_str() {
            "Query is too complex." => {
                error.message = format!(
                    "the request is too complex: its fields, those of lists counted as often as they may come, exceed {}; ask for smaller pages",
                    limits.complexity
                );
            }
            "Query is nested too deep." => error.message = format!("the request is nested deeper than {} fields", limits.depth),
            _ => {}
        }
        let extensions = error.extensions.get_or_insert_default();
        match extensions.get("code") {
            None => extensions.set("code", "BAD_REQUEST"),
            Some(code) if *code == "INTERNAL".into() || *code == "UNAVAILABLE".into() => {
                tracing::warn!(request_id, message = error.message, "a request ended with a fault");
                extensions.set("requestId", request_id);
            }
            Some(_) => {}
        }
    }
}
