//! Deletes an instance.

use serde::Serialize;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    backup::BackupId,
    operation::{OperationKind, Params, delete},
};
use toygres_store::{Accepted, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id},
    limits,
};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct DeleteInstance {
    /// The id of the instance.
    pub id: String,
    /// Whether the volumes are kept; off by default.
    pub keep_volumes: Option<bool>,
    /// See [`limits::BACKUP_RETENTION_DAYS`]; the default is that of the instance.
    pub backup_retention_days: Option<i32>,
    /// Whether a base backup is taken first; off by default.
    pub final_backup: Option<bool>,
    /// The revision that the instance must have.
    pub revision: Option<i64>,
    /// The caller's key for this request.
    pub idempotency_key: Option<String>,
}

/// See [`super::fingerprint`].
#[derive(Serialize)]
struct Fingerprint {
    v: u8,
    id: InstanceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_volumes: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_retention_days: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    final_backup: Option<bool>,
}

impl App {
    /// Accepts the deletion of an instance; a workflow carries it out. A request for a deletion that is in progress returns that one, which can
    /// only be changed to do without its final backup.
    ///
    /// # Errors
    /// [`Error::User`] as [`toygres_store::Store::accept`] has it, or for the idempotency key, or with `Conflict` when a final backup cannot be
    /// taken, or the deletion that is in progress keeps less than this one asks for, or its backups for another time.
    pub async fn delete_instance(&self, input: DeleteInstance, requested_by: Option<String>) -> Result<Accepted> {
        let DeleteInstance { id, keep_volumes, backup_retention_days, final_backup, revision, idempotency_key } = input;
        let id = instance_id(&id)?;
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let fingerprint = Fingerprint { v: 1, id, keep_volumes, revision, backup_retention_days, final_backup };
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        let mut accepted = match self.store.replay(OperationKind::Delete, &request).await? {
            Some(first) => first,
            None => {
                if backup_retention_days.is_some() {
                    errors.in_range("backupRetentionDays", "days", backup_retention_days, limits::BACKUP_RETENTION_DAYS);
                }
                let is_archived = self.is_archived_after_deletion(id, backup_retention_days).await?;
                if let (Some(true), Err(why)) = (final_backup, &is_archived) {
                    errors.add(UserErrorCode::Conflict, "finalBackup", *why);
                }
                errors.check(Some(()))?;
                let params = delete::Params {
                    keep_volumes: keep_volumes.unwrap_or(false),
                    backup_retention_days,
                    final_backup: (final_backup == Some(true)).then(BackupId::generate),
                    close_archive: is_archived.is_ok(),
                };
                let accepted = self.store.accept(Subject::Existing(id), &Params::Delete(params.clone()), &request).await?;
                let default = accepted.instance.backups.or(self.backups.policy).retention_days;
                if !accepted.replayed
                    && let Some((field, how)) = difference(&params, &in_progress(&accepted)?, default)
                {
                    let message = format!("{} is in progress {how}; cancel it first, if it can be", accepted.operation.id);
                    return Err(Error::user(UserErrorCode::Conflict, field, message));
                }
                accepted
            }
        };
        if final_backup == Some(false) && in_progress(&accepted)?.final_backup.is_some() && !accepted.operation.status.is_terminal() {
            self.store.waive_final_backup(&accepted.operation.id).await?;
            accepted.operation = self.store.operation(&accepted.operation.id).await?.ok_or(Error::Superseded)?;
        }
        Ok(accepted)
    }

    /// Whether what an instance has committed is archived before it is removed; otherwise says why not.
    async fn is_archived_after_deletion(&self, id: InstanceId, days: Option<i32>) -> Result<std::result::Result<(), &'static str>> {
        let policy = self.store.instance(id).await?.map_or(self.backups.policy, |instance| instance.backups.or(self.backups.policy));
        Ok(if self.backups.store.is_none() {
            Err("there is no store for backups: the operator of the server sets TOYGRES_BACKUP_STORE")
        } else if !policy.enabled {
            Err("backups of the instance are turned off: turn them on with updateInstance first")
        } else if days.unwrap_or(policy.retention_days) == 0 {
            Err("its backups would be deleted at once: give backupRetentionDays")
        } else {
            Ok(())
        })
    }
}

fn in_progress(accepted: &Accepted) -> Result<delete::Params> {
    accepted.operation.params.clone().try_into().map_err(Error::internal)
}

/// What somebody who asks for a deletion would lose by another one that is in progress: the field of the input, and how that one is. `default`
/// is for how many days backups are kept if nothing is said.
fn difference(asked: &delete::Params, in_progress: &delete::Params, default: i32) -> Option<(&'static str, String)> {
    let days = in_progress.backup_retention_days.unwrap_or(default);
    if asked.keep_volumes && !in_progress.keep_volumes {
        Some(("keepVolumes", "and removes the volumes".to_owned()))
    } else if asked.backup_retention_days.is_some_and(|asked| asked != days) {
        Some(("backupRetentionDays", format!("and keeps the backups for {days} days")))
    } else if asked.final_backup.is_some() && in_progress.final_backup.is_none() {
        Some(("finalBackup", "without a final backup".to_owned()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_deletion_would_lose_is_told() {
        let nothing = delete::Params::default();
        let field = |asked: &delete::Params, in_progress: &delete::Params| difference(asked, in_progress, 7).map(|(field, _)| field);
        let volumes = delete::Params { keep_volumes: true, ..nothing.clone() };
        assert_eq!((field(&volumes, &nothing), field(&nothing, &volumes), field(&volumes, &volumes)), (Some("keepVolumes"), None, None));
        let days = |days| delete::Params { backup_retention_days: Some(days), ..nothing.clone() };
        assert_eq!((field(&days(30), &nothing), field(&days(7), &nothing)), (Some("backupRetentionDays"), None));
        assert_eq!((field(&days(30), &days(0)), field(&nothing, &days(0))), (Some("backupRetentionDays"), None));
        let backup = delete::Params { final_backup: Some(BackupId::generate()), ..nothing.clone() };
        assert_eq!((field(&backup, &nothing), field(&backup, &backup), field(&nothing, &backup)), (Some("finalBackup"), None, None));
    }

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let text = |keep_volumes, revision| {
            let fingerprint = Fingerprint { v: 1, id, keep_volumes, revision, backup_retention_days: None, final_backup: None };
            serde_json::to_string(&fingerprint).unwrap()
        };
        assert_eq!(text(None, None), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#);
        assert_eq!(text(Some(true), Some(7)), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","keep_volumes":true,"revision":7}"#);
    }
}
