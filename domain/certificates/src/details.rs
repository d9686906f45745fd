//! What is read from a certificate.

use chrono::{DateTime, Utc};
use openssl::{
    asn1::{Asn1Time, Asn1TimeRef},
    error::ErrorStack,
    hash::{MessageDigest, hash},
    x509::{X509, X509Ref},
};

use crate::CertificateError;

/// What is read from a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The SHA-256 digest of the certificate, in lower-case hexadecimal digits.
    pub fingerprint: String,
    /// The SHA-256 digest of its public key, likewise.
    pub public_key: String,
    /// When it becomes valid.
    pub not_before: DateTime<Utc>,
    /// When it expires.
    pub not_after: DateTime<Utc>,
}

impl Details {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// If there is none.
    pub fn of_pem(pem: &str) -> Result<Self, CertificateError> {
        let certificates = X509::stack_from_pem(pem.as_bytes()).map_err(|_| CertificateError("is no PEM text of certificates".to_owned()))?;
        let first = certificates.first().ok_or_else(|| CertificateError("has no certificate".to_owned()))?;
        Ok(Self::of(first)?)
    }

    /// Reads a certificate in DER, as a server presents it.
    ///
    /// # Errors
    /// If it is none.
    pub fn of_der(der: &[u8]) -> Result<Self, CertificateError> {
        let certificate = X509::from_der(der)?;
        Ok(Self::of(&certificate)?)
    }

    pub(crate) fn of(certificate: &X509Ref) -> Result<Self, ErrorStack> {
        let key = hash(MessageDigest::sha256(), &certificate.public_key()?.public_key_to_der()?)?;
        Ok(Self {
            fingerprint: hexadecimal(&certificate.digest(MessageDigest::sha256())?),
            public_key: hexadecimal(&key),
            not_before: time(certificate.not_before())?,
            not_after: time(certificate.not_after())?,
        })
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn time(time: &Asn1TimeRef) -> Result<DateTime<Utc>, ErrorStack> {
    let since_1970 = Asn1Time::from_unix(0)?.diff(time)?;
    let seconds = i64::from(since_1970.days) * 86_400 + i64::from(since_1970.secs);
    // A certificate cannot hold a year that chrono lacks.
    Ok(DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC))
}
