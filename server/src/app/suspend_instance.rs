//! Suspends an instance.

use serde::Serialize;
use toygres_domain::{
    InstanceId, Result,
    operation::{Params, suspend},
};
use toygres_store::{Accepted, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id},
    limits::IntRange,
};

/// Seconds that the server may take to shut down gracefully before it is stopped immediately.
pub const TIMEOUT_SECONDS: IntRange = IntRange::new(*suspend::Params::TIMEOUT_SECONDS.start(), *suspend::Params::TIMEOUT_SECONDS.end())
    .default(suspend::Params::DEFAULT_TIMEOUT_SECONDS);
/// Minutes without a session of a client after which an instance is suspended.
pub const IDLE_MINUTES: IntRange = IntRange::new(*suspend::Params::IDLE_MINUTES.start(), *suspend::Params::IDLE_MINUTES.end());

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct SuspendInstance {
    /// The id of the instance.
    pub id: String,
    /// See [`TIMEOUT_SECONDS`].
    pub timeout_seconds: Option<i32>,
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
    timeout_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

impl App {
    /// Accepts the suspension of an instance; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, or as [`toygres_store::Store::accept`] has it.
    pub async fn suspend_instance(&self, input: SuspendInstance, requested_by: Option<String>) -> Result<Accepted> {
        let SuspendInstance { id, timeout_seconds, revision, idempotency_key } = input;
        let id = instance_id(&id)?;
        let fingerprint = Fingerprint { v: 1, id, timeout_seconds, revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        let timeout = errors.in_range("timeoutSeconds", "seconds", timeout_seconds, TIMEOUT_SECONDS);
        let params = errors.check(timeout.map(|timeout_seconds| Params::Suspend(suspend::Params { timeout_seconds, idle_minutes: None })))?;
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
        let text = |timeout_seconds, revision| serde_json::to_string(&Fingerprint { v: 1, id, timeout_seconds, revision }).unwrap();
        assert_eq!(text(None, None), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#);
        assert_eq!(text(Some(30), Some(7)), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","timeout_seconds":30,"revision":7}"#);
    }
}
