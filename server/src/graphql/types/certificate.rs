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
    /// Whether another certificate was issued, which the instance does not present yet, or it does not follow a changed `requireTls` yet.
    renewing: bool,
}

impl Certificate {
    /// What the server was seen to present.
    pub(super) fn presented(known: &InstanceCertificate, require_tls: bool) -> Option<Self> {
        let Presented { fingerprint, not_after } = known.presented.clone()?;
        Some(Self {
            fingerprint,
            not_after,
            names: known.names.clone(),
            renewing: !known.is_presented() || known.requires_tls.is_some_and(|requires_tls| requires_tls != require_tls),
        })
    }
}
