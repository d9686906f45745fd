//! Repeats an operation that failed or was cancelled, as a new operation.

use serde::Serialize;
use toygres_domain::{OperationId, Result};
use toygres_store::Accepted;

use super::{App, fingerprint::Accompanying, input::FieldErrors};

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct RetryOperation {
    /// The id of the operation.
    pub id: String,
    /// The caller's key for this request.
    pub idempotency_key: Option<String>,
}

/// See [`super::fingerprint`].
#[derive(Serialize)]
struct Fingerprint<'a> {
    v: u8,
    id: &'a OperationId,
}

impl App {
    /// Accepts a new operation of the same kind with the same parameters.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] as [`toygres_store::Store::retry_operation`] has it, or for the idempotency key.
    pub async fn retry_operation(&self, input: RetryOperation, requested_by: Option<String>) -> Result<Accepted> {
        let id = OperationId::from_any(&input.id);
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(input.idempotency_key);
        errors.check(Some(()))?;
        let request = self.request(Accompanying { idempotency_key, revision: None, requested_by }, &Fingerprint { v: 1, id: &id })?;
        self.store.retry_operation(&id, &request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_fixed() {
        let id = OperationId::from_any("create-01890a5d-ac96-774b-bcce-b302099a8057-1");
        let text = serde_json::to_string(&Fingerprint { v: 1, id: &id }).unwrap();
        assert_eq!(text, r#"{"v":1,"id":"create-01890a5d-ac96-774b-bcce-b302099a8057-1"}"#);
    }
}
