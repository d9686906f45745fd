//! Failures of backups as reasons.

use toygres_backup::{BackupError, StoreErrorKind};
use toygres_domain::instance::{Reason, ReasonCode};
use toygres_postgres::replication::ReplicationError;

/// The reason of a failure.
pub(super) fn reason(error: &BackupError) -> Reason {
    match error {
        BackupError::Replication(ReplicationError::Connection(reason)) => reason.clone(),
        error => Reason::new(code(error), error.to_string()),
    }
}

fn code(error: &BackupError) -> ReasonCode {
    match error {
        BackupError::Store(error) => match error.kind {
            StoreErrorKind::Denied | StoreErrorKind::Configuration => ReasonCode::StoreRefused,
            StoreErrorKind::Unavailable => ReasonCode::StoreUnavailable,
            StoreErrorKind::NotFound | StoreErrorKind::Conflict | StoreErrorKind::Damaged => ReasonCode::StoreDamaged,
        },
        BackupError::OtherCluster { .. } | BackupError::Damaged(_) => ReasonCode::StoreDamaged,
        BackupError::Replication(_)
        | BackupError::Io { .. }
        | BackupError::AnotherWriter
        | BackupError::TooLarge { .. }
        | BackupError::NotCovered { .. }
        | BackupError::NotEmpty(_) => ReasonCode::BackupFailed,
    }
}

/// Whether the server refused the login because the role, or the rule for it, is not there yet.
pub(super) fn is_refused_login(error: &BackupError) -> bool {
    matches!(error, BackupError::Replication(ReplicationError::Server { sqlstate, .. }) if matches!(sqlstate.as_str(), "28000" | "28P01" | "42501"))
}
