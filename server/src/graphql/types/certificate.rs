//! `Certificate`.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use toygres_store::{InstanceCertificate, Presented};

/// The certificate that an instance presents.
#[derive(SimpleObject)]
pub struct Certificate {
    /// The SHA-256 digest of the certificate, in hexadecimal digits.
    fingerprint: String,
    /// When the certificate expires. It is renewed long before.
    not_after: DateTime<Utc>,
    /// The names and addresses in the latest certificate of the instance.
    names: Vec<String>,
    /// Whether another certificate was issued, which the instance does not present yet.
    renewing: bool,
}

impl Certificate {
    /// What the server was seen to present.
    pub(super) fn presented(known: &InstanceCertificate) -> Option<Self> {
        let Presented { fingerprint, not_after } = known.presented.clone()?;
        Some(Self { fingerprint, not_after, names: known.names.clone(), renewing: !known.is_presented() })
    }
}
