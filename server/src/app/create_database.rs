//! Creates a database in an instance.

use serde::Serialize;
use toygres_domain::{
    InstanceId, Result,
    name::SqlName,
    operation::{Params, create_database},
};
use toygres_store::{Accepted, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id_at, no_instance},
};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct CreateDatabase {
    /// The id of the instance.
    pub instance_id: String,
    /// Its name.
    pub name: String,
    /// The role that owns it; the default is the owner of the instance.
    pub owner: Option<String>,
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
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

impl App {
    /// Accepts the creation of a database; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::accept`] has it.
    pub async fn create_database(&self, input: CreateDatabase, requested_by: Option<String>) -> Result<Accepted> {
        let CreateDatabase { instance_id, name, owner, revision, idempotency_key } = input;
        let id = instance_id_at("instanceId", &instance_id)?;
        let fingerprint = Fingerprint { v: 1, id, name: &name, owner: owner.as_deref(), revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        let parsed = errors.parsed("name", SqlName::database(&name));
        let owner = match &owner {
            Some(owner) => errors.parsed("owner", SqlName::try_from(owner.clone())),
            None => Some(self.store.instance(id).await?.ok_or_else(|| no_instance("instanceId", &instance_id))?.spec.username),
        };
        let (name, owner) = errors.check(parsed.zip(owner))?;
        let params = Params::CreateDatabase(create_database::Params { name, owner });
        self.store.accept(Subject::Existing(id), &params, &request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let all = Fingerprint { v: 1, id, name: "reports", owner: Some("shop"), revision: Some(7) };
        let expected = r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"reports","owner":"shop","revision":7}"#;
        assert_eq!(serde_json::to_string(&all).unwrap(), expected);
        let least = Fingerprint { owner: None, revision: None, ..all };
        assert_eq!(serde_json::to_string(&least).unwrap(), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"reports"}"#);
    }
}
