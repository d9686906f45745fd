//! Takes a base backup of an instance.

use std::time::Duration;

use serde::Serialize;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    backup::{Backup, BackupId},
    operation::{OperationKind, Params, create_backup},
};
use toygres_store::{Accepted, Request, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id_at, no_instance},
};

/// How long a base backup may take, with the attempts that failed. A TiB takes hours.
const DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct CreateBackup {
    /// The id of the instance.
    pub instance_id: String,
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
    revision: Option<i64>,
}

impl App {
    /// Accepts a base backup; a worker takes it. Returns the backup too.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] as [`toygres_store::Store::accept`] has it, or with `Conflict` when the instance is not backed up.
    pub async fn create_backup(&self, input: CreateBackup, requested_by: Option<String>) -> Result<(Accepted, Backup)> {
        let CreateBackup { instance_id, revision, idempotency_key } = input;
        let id = instance_id_at("instanceId", &instance_id)?;
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        errors.check(Some(()))?;
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &Fingerprint { v: 1, id, revision })?;
        if let Some(first) = self.store.replay(OperationKind::CreateBackup, &request).await? {
            return self.with_backup(first).await;
        }
        let instance = self.store.instance(id).await?.ok_or_else(|| no_instance("instanceId", &instance_id))?;
        let conflict = |message: String| Error::user(UserErrorCode::Conflict, "instanceId", message);
        if self.backups.store.is_none() {
            return Err(conflict("there is no store for backups: the operator of the server sets TOYGRES_BACKUP_STORE".to_owned()));
        }
        if !instance.backups.or(self.backups.policy).enabled {
            return Err(conflict(format!("backups of '{}' are turned off: turn them on with updateInstance first", instance.name)));
        }
        let params = Params::CreateBackup(create_backup::Params { backup: BackupId::generate() });
        let accepted = self.store.accept(Subject::Existing(id), &params, &Request { deadline: DEADLINE, ..request }).await?;
        self.with_backup(accepted).await
    }

    /// With the backup of the operation, which is that of the first request if this one repeats it.
    async fn with_backup(&self, accepted: Accepted) -> Result<(Accepted, Backup)> {
        let create_backup::Params { backup } = accepted.operation.params.clone().try_into().map_err(Error::internal)?;
        let backup = self.store.backup(backup).await?.ok_or(Error::Superseded)?;
        Ok((accepted, backup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let text = |revision| serde_json::to_string(&Fingerprint { v: 1, id, revision }).unwrap();
        assert_eq!(text(None), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#);
        assert_eq!(text(Some(7)), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","revision":7}"#);
    }
}
