//! Errors of the engine that differ only in their text.

use duroxide::ClientError;
use toygres_domain::instance::{Reason, ReasonCode};

use crate::Failure;

/// Whether the engine refuses to start because a newer version has migrated its schema.
pub(super) fn is_newer_schema(text: &str) -> bool {
    text.contains("not recognized by this version of the code")
}

/// The failure of an activity whose call to the engine failed.
pub(super) fn unavailable(error: ClientError) -> Failure {
    tracing::warn!(%error, "the engine did not answer an activity");
    Failure::Retry(Reason::new(ReasonCode::Internal, "the workflow engine is not available"))
}
