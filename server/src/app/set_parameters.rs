//! Sets parameters of the server of an instance.

use serde::Serialize;
use toygres_domain::{
    Error, InstanceId, Result, UserErrorCode,
    instance::InstanceSpec,
    operation::{OperationKind, Params, set_parameters},
    parameter::{self, Change, ChangeError, Changes, ErrorField},
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
pub struct SetParameters {
    /// The id of the instance.
    pub id: String,
    /// Names and values; without a value, a parameter gets its default again.
    pub parameters: Vec<(String, Option<String>)>,
    /// Whether the server is restarted if that is needed; off by default.
    pub allow_restart: Option<bool>,
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
    parameters: &'a [(String, Option<String>)],
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_restart: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

impl App {
    /// Accepts the change of parameters of an instance; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::accept`] has it.
    pub async fn set_parameters(&self, input: SetParameters, requested_by: Option<String>) -> Result<Accepted> {
        let SetParameters { id, parameters, allow_restart, revision, idempotency_key } = input;
        let id = instance_id(&id)?;
        let fingerprint = Fingerprint { v: 1, id, parameters: &parameters, allow_restart, revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let request = self.request(Accompanying { idempotency_key, revision, requested_by }, &fingerprint)?;
        if let Some(first) = self.store.replay(OperationKind::SetParameters, &request).await? {
            return Ok(first);
        }
        let instance = self.store.instance(id).await?;
        let instance = instance.ok_or_else(|| Error::user(UserErrorCode::NotFound, "id", format!("no instance has the id {id}")))?;
        let changes = self.checked_parameters(&instance.spec, parameters, &mut errors);
        let allow_restart = allow_restart.unwrap_or(false);
        let params = errors.check(changes.map(|changes| Params::SetParameters(set_parameters::Params { changes, allow_restart })))?;
        self.store.accept(Subject::Existing(id), &params, &request).await
    }

    /// Checks parameters of an instance with this specification; adds every mistake, with the path of the entry.
    pub(super) fn checked_parameters(
        &self,
        spec: &InstanceSpec,
        parameters: Vec<(String, Option<String>)>,
        errors: &mut FieldErrors,
    ) -> Option<Changes> {
        if !limits::PARAMETERS.contains_length(parameters.len()) {
            errors.add(UserErrorCode::OutOfRange, "parameters", format!("may have at most {} entries", limits::PARAMETERS.max));
            return None;
        }
        let changes: Vec<_> = parameters.into_iter().map(|(name, value)| Change { name, value }).collect();
        match parameter::check(spec, &self.runtime.preloadable(spec.postgres_version), &changes) {
            Ok(changes) => Some(changes),
            Err(mistakes) => {
                for ChangeError { index, field, code, message } in mistakes {
                    let field = match field {
                        ErrorField::Name => "name",
                        ErrorField::Value => "value",
                    };
                    errors.add(code, &format!("parameters.{index}.{field}"), message);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let parameters = [("work_mem".to_owned(), Some("8MB".to_owned())), ("jit".to_owned(), None)];
        let text =
            |parameters, allow_restart, revision| serde_json::to_string(&Fingerprint { v: 1, id, parameters, allow_restart, revision }).unwrap();
        assert_eq!(text(&[], None, None), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","parameters":[]}"#);
        assert_eq!(
            text(&parameters, Some(true), Some(7)),
            concat!(
                r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","parameters":[["work_mem","8MB"],["jit",null]],"#,
                r#""allow_restart":true,"revision":7}"#
            )
        );
    }
}
