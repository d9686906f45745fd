//! The Secret with the password.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use toygres_domain::secret::Secret as Password;

use super::names::{self, Meta};

/// The key of the password in the Secret, and so the name of the file in the pod.
pub(super) const PASSWORD_KEY: &str = "password";

pub(super) fn secret(meta: &Meta<'_>, password: &Password) -> Secret {
    Secret {
        metadata: meta.object(names::object(meta.id)),
        type_: Some("Opaque".to_owned()),
        // Not `stringData`: that field is write-only, so that a repeated apply would not own the data.
        data: Some(BTreeMap::from([(PASSWORD_KEY.to_owned(), ByteString(password.expose().as_bytes().to_vec()))])),
        ..Secret::default()
    }
}
