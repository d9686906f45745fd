//! Drops a database of an instance.

use serde::Serialize;
use toygres_domain::{
    InstanceId, Result,
    name::SqlName,
    operation::{Params, drop_database},
};
use toygres_store::{Accepted, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id_at},
};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct DropDatabase {
    /// The id of the instance.
    pub instance_id: String,
    /// Its name.
    pub name: String,
    /// Whether open sessions in it are ended; off by default.
    pub force: Option<bool>,
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
    force: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

impl App {
    /// Accepts the removal of a database; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::accept`] has it.
    pub async fn drop_database(&self, input: DropDatabase, requested_by: Option<String>) -> Result<Accepted> {
        let DropDatabase { instance_id, name, force, revision, idempotency_key } = input;
        let id = instance_id_at("instanceId", &instance_id)?;
        let fingerprint = Fingerprint { v: 1, id, name: &name, force, revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        let parsed = errors.parsed("name", SqlName::try_from(name.clone()));
        let name = errors.check(parsed)?;
        let params = Params::DropDatabase(drop_database::Params { name, force: force.unwrap_or(false) });
        self.store.accept(Subject::Existing(id), &params, &request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let all = Fingerprint { v: 1, id, name: "reports", force: Some(true), revision: Some(7) };
        let expected = r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"reports","force":true,"revision":7}"#;
        assert_eq!(serde_json::to_string(&all).unwrap(), expected);
        let least = Fingerprint { force: None, revision: None, ..all };
        assert_eq!(serde_json::to_string(&least).unwrap(), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","name":"reports"}"#);
    }
}
