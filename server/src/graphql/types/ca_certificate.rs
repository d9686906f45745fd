//! `CaCertificate`.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use toygres_domain::certificate as domain;

use super::CaStatus;

/// The certificate of an authority that issues, will issue or has issued the certificates of instances. Clients trust all of them.
#[derive(SimpleObject)]
pub struct CaCertificate {
    /// The SHA-256 digest of the certificate, in hexadecimal digits. It identifies the authority.
    fingerprint: String,
    /// The certificate, in PEM. For an intermediate authority it is followed by those up to the root.
    pem: String,
    /// Whether the authority issues certificates.
    status: CaStatus,
    /// When the certificate becomes valid.
    not_before: DateTime<Utc>,
    /// When the certificate expires.
    not_after: DateTime<Utc>,
    /// When the authority begins to issue, or began to. Clients should trust it by then.
    issues_from: DateTime<Utc>,
}

impl From<domain::Authority> for CaCertificate {
    fn from(authority: domain::Authority) -> Self {
        let domain::Authority { id: _, certificate, fingerprint, status, not_before, not_after, published_at: _, issues_from } = authority;
        Self { fingerprint, pem: certificate, status: status.into(), not_before, not_after, issues_from }
    }
}
