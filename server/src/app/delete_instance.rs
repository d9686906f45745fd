//! Deletes an instance.

use serde::Serialize;
use toygres_domain::{
    InstanceId, Result,
    operation::{Params, delete},
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
}

impl App {
    /// Accepts the deletion of an instance; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] as [`toygres_store::Store::accept`] has it, or for the idempotency key.
    pub async fn delete_instance(&self, input: DeleteInstance, requested_by: Option<String>) -> Result<Accepted> {
        let DeleteInstance { id, keep_volumes, backup_retention_days, revision, idempotency_key } = input;
        let id = instance_id(&id)?;
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        if backup_retention_days.is_some() {
            errors.in_range("backupRetentionDays", "days", backup_retention_days, limits::BACKUP_RETENTION_DAYS);
        }
        errors.check(Some(()))?;
        let fingerprint = Fingerprint { v: 1, id, keep_volumes, revision, backup_retention_days };
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        let params = Params::Delete(delete::Params { keep_volumes: keep_volumes.unwrap_or(false), backup_retention_days });
        self.store.accept(Subject::Existing(id), &params, &request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let text =
            |keep_volumes, revision| serde_json::to_string(&Fingerprint { v: 1, id, keep_volumes, revision, backup_retention_days: None }).unwrap();
        assert_eq!(text(None, None), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#);
        assert_eq!(text(Some(true), Some(7)), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","keep_volumes":true,"revision":7}"#);
    }
}
