//! Resumes an instance.

use serde::Serialize;
use toygres_domain::{
    InstanceId, Result,
    operation::{Params, resume},
};
use toygres_store::{Accepted, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id},
};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct ResumeInstance {
    /// The id of the instance.
    pub id: String,
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
    /// Accepts the resumption of an instance; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::accept`] has it.
    pub async fn resume_instance(&self, input: ResumeInstance, requested_by: Option<String>) -> Result<Accepted> {
        let ResumeInstance { id, revision, idempotency_key } = input;
        let id = instance_id(&id)?;
        let fingerprint = Fingerprint { v: 1, id, revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let params = errors.check(Some(Params::Resume(resume::Params {})))?;
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        self.store.accept(Subject::Existing(id), &params, &request).await
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
