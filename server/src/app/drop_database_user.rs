//! Drops a user of an instance.

use serde::Serialize;
use toygres_domain::{
    InstanceId, Result,
    name::SqlName,
    operation::{Params, drop_database_user},
};
use toygres_store::{Accepted, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id_at, no_instance},
};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct DropDatabaseUser {
    /// The id of the instance.
    pub instance_id: String,
    /// Its name.
    pub name: String,
    /// The role that gets what it owns; the default is the owner of the instance.
    pub reassign_to: Option<String>,
    /// The revision that the instance must have.
    pub revision: Option<i64>,
    /// The caller's key for this request.
    pub idempotency_key: Option<String>,
}

/// See [`super::fingerprint`].
#[derive(Serialize)]
struct Fingerprint<'a> {
    v: u8,
    id: InstanceId,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reassign_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

impl App {
    /// Accepts the removal of a user; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::accept`] has it.
    pub async fn drop_database_user(&self, input: DropDatabaseUser, requested_by: Option<String>) -> Result<Accepted> {
        let DropDatabaseUser { instance_id, name, reassign_to, revision, idempotency_key } = input;
        let id = instance_id_at("instanceId", &instance_id)?;
        let fingerprint = Fingerprint { v: 1, id, name: &name, reassign_to: reassign_to.as_deref(), revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        let parsed = errors.parsed("name", SqlName::try_from(name.clone()));
        let reassign_to = match &reassign_to {
            Some(reassign_to) => errors.parsed("reassignTo", SqlName::try_from(reassign_to.clone())),
            None => Some(self.store.instance(id).await?.ok_or_else(|| no_instance("instanceId", &instance_id))?.spec.username),
        };
        let (name, reassign_to) = errors.check(parsed.zip(reassign_to))?;
        let params = Params::DropDatabaseUser(drop_database_user::Params { name, reassign_to });
        self.store.accept(Subject::Existing(id), &params, &request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let all = Fingerprint { v: 1, id, name: "reports", reassign_to: Some("shop"), revision: Some(7) };
        let expected = r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"reports","reassign_to":"shop","revision":7}"#;
        assert_eq!(serde_json::to_string(&all).unwrap(), expected);
        let least = Fingerprint { reassign_to: None, revision: None, ..all };
        assert_eq!(serde_json::to_string(&least).unwrap(), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"reports"}"#);
    }
}
