//! Resizes an instance.

use serde::Serialize;
use toygres_domain::{
    InstanceId, Result,
    operation::{Params, resize},
};
use toygres_store::{Accepted, Subject};

use super::{
    App,
    fingerprint::Accompanying,
    input::{FieldErrors, instance_id},
    limits::{self, IntRange},
};

/// The input, unchecked. What is omitted stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ResizeInstance {
    /// The id of the instance.
    pub id: String,
    /// See [`limits::CPU_MILLIS`].
    pub cpu_millis: Option<i32>,
    /// See [`limits::MEMORY_MB`].
    pub memory_mb: Option<i32>,
    /// See [`limits::STORAGE_GB`].
    pub storage_gb: Option<i32>,
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
    cpu_millis: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mb: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_gb: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
}

impl App {
    /// Accepts the resize of an instance; a workflow carries it out.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] with every error in the input, that the volume would shrink or nothing would change, or as
    /// [`toygres_store::Store::accept`] has it.
    pub async fn resize_instance(&self, input: ResizeInstance, requested_by: Option<String>) -> Result<Accepted> {
        let ResizeInstance { id, cpu_millis, memory_mb, storage_gb, revision, idempotency_key } = input;
        let id = instance_id(&id)?;
        let fingerprint = Fingerprint { v: 1, id, cpu_millis, memory_mb, storage_gb, revision };
        let mut errors = FieldErrors::default();
        let idempotency_key = errors.idempotency_key(idempotency_key);
        // Without the default of a creation.
        let mut in_range =
            |field, unit, value: Option<i32>, range: IntRange| value.and_then(|value| errors.in_range(field, unit, Some(value), range));
        let params = resize::Params {
            cpu_millis: in_range("cpuMillis", "millicores", cpu_millis, limits::CPU_MILLIS),
            memory_mb: in_range("memoryMb", "MiB", memory_mb, limits::MEMORY_MB),
            storage_gb: in_range("storageGb", "GiB", storage_gb, limits::STORAGE_GB),
            automatic: false,
        };
        let params = errors.check(Some(Params::Resize(params)))?;
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
        let text = |cpu_millis, memory_mb, storage_gb, revision| {
            serde_json::to_string(&Fingerprint { v: 1, id, cpu_millis, memory_mb, storage_gb, revision }).unwrap()
        };
        assert_eq!(text(None, None, None, None), r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#);
        assert_eq!(
            text(Some(100), Some(128), Some(1), Some(7)),
            r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","cpu_millis":100,"memory_mb":128,"storage_gb":1,"revision":7}"#
        );
    }
}
