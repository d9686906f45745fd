//! Failures of backups, told apart.

use toygres_backup::BackupError;
use toygres_postgres::replication::ReplicationError;

/// Whether the server refused the login because the role, or the rule for it, is not there yet.
pub(super) fn is_refused_login(error: &BackupError) -> bool {
    matches!(error, BackupError::Replication(ReplicationError::Server { sqlstate, .. }) if matches!(sqlstate.as_str(), "28000" | "28P01" | "42501"))
}
