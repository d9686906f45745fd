//! Errors of the engine that only their text tells apart.

use duroxide::ClientError;
use toygres_domain::instance::{Reason, ReasonCode};

use crate::Failure;

/// Whether the engine refuses to start because a newer version has migrated its schema.
pub(super) fn is_newer_schema(text: &str) -> bool {
    text.contains("unknown migration") || text.contains("newer version")
}

/// An activity asks the engine, and it does not answer.
pub(super) fn unavailable(error: ClientError) -> Failure {
    tracing::warn!(%error, "the engine did not answer an activity");
    Failure::Retry(Reason::new(ReasonCode::Internal, "the workflow engine is not available"))
}
