//! X.509 certificates: authorities, and the server certificates that they issue. All keys are ECDSA P-256: PostgreSQL 18 offers no
//! larger curve of this family by default, and every client has this one.

mod authority;
mod details;

pub use authority::{Authority, IssuedCertificate};
pub use details::Details;

/// Whether a PEM text begins with the certificate of a server, and has its key.
#[must_use]
pub fn is_pair(pem: &str) -> bool {
    let certificate = openssl::x509::X509::from_pem(pem.as_bytes()).and_then(|certificate| certificate.public_key());
    let key = openssl::pkey::PKey::private_key_from_pem_callback(pem.as_bytes(), |_| Ok(0));
    certificate.is_ok_and(|certificate| key.is_ok_and(|key| certificate.public_eq(&key)))
}

/// Why a certificate or a key cannot be used or made: the rest of a sentence that begins with where it is from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CertificateError(String);

impl From<openssl::error::ErrorStack> for CertificateError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        // The first line is the cause; a stack that is empty says nothing.
        let cause = error.errors().first().map(ToString::to_string);
        Self(format!("is refused by OpenSSL: {}", cause.unwrap_or_else(|| "it gives no reason".to_owned())))
    }
}
