//! Certificates of hosted servers, and the authorities that issue them.
//!
//! Clients trust every authority that is published. A new one is published for a while before it issues anything, and an old one for as
//! long as a running server presents a certificate of it, so that no client has to change its trust at a certain moment.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::secret::Secret;

/// Identifies an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuthorityId(pub Uuid);

impl AuthorityId {
    /// A new, unique id.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl std::fmt::Display for AuthorityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A certificate authority, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its id.
    pub id: AuthorityId,
    /// What clients trust, in PEM. More than one certificate if it is an intermediate authority.
    pub certificate: String,
    /// The SHA-256 digest of its own certificate, in hexadecimal digits.
    pub fingerprint: String,
    /// Whether it issues certificates.
    pub status: AuthorityStatus,
    /// When it becomes valid.
    pub not_before: DateTime<Utc>,
    /// When it expires.
    pub not_after: DateTime<Utc>,
    /// When it was published.
    pub published_at: DateTime<Utc>,
    /// When it begins to issue certificates.
    pub issues_from: DateTime<Utc>,
}

crate::instance::text_enum! {
    /// Whether an authority issues certificates.
    pub enum AuthorityStatus {
        /// It is published, so that clients can trust it before it issues anything. Only if the key of the one that issues is gone, it
        /// issues for new instances.
        Upcoming,
        /// It issues certificates.
        Issuing,
        /// It issues no more, and is published until no running server presents a certificate of it.
        Retiring,
    }
}

/// The certificate of a hosted server, and its key.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    /// The certificate, followed by those between it and the root, in PEM.
    pub chain: String,
    /// Its key, in PEM.
    pub key: Secret,
}

/// What a client checks of the certificate that a server presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerIdentity {
    /// The authorities to trust, in PEM.
    pub authorities: String,
    /// The name that must be in the certificate.
    pub name: String,
    /// Whether a server without TLS is refused.
    pub required: bool,
}

/// The time in which a certificate is used: it is renewed when two thirds of its life are over.
#[must_use]
pub fn renew_at(not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> DateTime<Utc> {
    not_before + (not_after - not_before) * 2 / 3
}
