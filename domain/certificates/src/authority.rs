//! A certificate authority and what it issues.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use openssl::{
    asn1::{Asn1Integer, Asn1Time},
    bn::{BigNum, MsbOption},
    ec::{EcGroup, EcKey},
    error::ErrorStack,
    hash::MessageDigest,
    nid::Nid,
    pkey::{HasPublic, PKey, PKeyRef, Private},
    stack::Stack,
    x509::{
        X509, X509Builder, X509Name, X509NameRef, X509StoreContext, X509VerifyResult,
        extension::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier},
        store::X509StoreBuilder,
    },
};
use toygres_domain::{certificate::ServerCertificate, secret::Secret};

use crate::{CertificateError, Details};

/// Bits of a serial number: positive, and at most the 20 bytes of RFC 5280.
const SERIAL_BITS: i32 = 159;

/// A certificate authority with its key.
pub struct Authority {
    /// Its certificate, and those that clients need to verify it.
    certificates: Vec<X509>,
    key: PKey<Private>,
}

/// A certificate that an authority issued.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    /// The certificate, with what leads to the authority, and its key.
    pub certificate: ServerCertificate,
    /// What is in it.
    pub details: Details,
}

impl Authority {
    /// Makes a new authority, which signs itself. `name` is its common name.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn generate(name: &str, not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> Result<Self, CertificateError> {
        let key = generate_key()?;
        let name = common_name(name)?;
        let mut builder = begin(&name, &name, &key, not_before, not_after)?;
        builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(identifier)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { certificates: vec![builder.build()], key })
    }

    /// Reads an authority: its certificate, followed by those that issued it if it did not sign itself, and its key, both in PEM.
    ///
    /// # Errors
    /// If it cannot issue certificates that clients accept.
    pub fn read(certificates: &str, key: &Secret) -> Result<Self, CertificateError> {
        let error = |why: &str| CertificateError(why.to_owned());
        let certificates = X509::stack_from_pem(certificates.as_bytes()).map_err(|_| error("is no PEM text of certificates"))?;
        let first = certificates.first().ok_or_else(|| error("has no certificate"))?;
        // The callback keeps OpenSSL from asking the terminal for the password of an encrypted key.
        let key = PKey::private_key_from_pem_callback(key.expose().as_bytes(), |_| Ok(0))
            .map_err(|_| error("has a key that is no PEM text of a private key without a password"))?;
        if !first.public_key()?.public_eq(&key) {
            return Err(error("is not the certificate of its key"));
        }
        let authority = Self { certificates, key };
        authority.check()?;
        Ok(authority)
    }

    /// Issues a certificate and verifies it as clients do: that fails if the authority has expired or is none, or if what leads to its
    /// root is missing.
    fn check(&self) -> Result<(), CertificateError> {
        let Details { not_before, not_after, .. } = self.details()?;
        let trial = self.issue(&["trial.toygres.internal".to_owned()], not_before, not_after)?;
        let leaf = X509::from_pem(trial.certificate.chain.as_bytes())?;
        let mut trusted = X509StoreBuilder::new()?;
        let mut untrusted = Stack::new()?;
        for certificate in &self.certificates {
            if is_self_signed(certificate) {
                trusted.add_cert(certificate.clone())?;
            } else {
                untrusted.push(certificate.clone())?;
            }
        }
        let mut context = X509StoreContext::new()?;
        let result = context.init(&trusted.build(), &leaf, &untrusted, |context| {
            context.verify_cert()?;
            Ok(context.error())
        })?;
        match result {
            X509VerifyResult::OK => Ok(()),
            refused => Err(CertificateError(format!("cannot issue certificates that clients accept: {refused}"))),
        }
    }

    /// What clients trust, in PEM.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn certificate(&self) -> Result<String, CertificateError> {
        Ok(pem(self.certificates.iter())?)
    }

    /// Its key, in PEM.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn key(&self) -> Result<Secret, CertificateError> {
        key_pem(&self.key)
    }

    /// What is in its certificate.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn details(&self) -> Result<Details, CertificateError> {
        Ok(Details::of(&self.certificates[0])?)
    }

    /// Whether these certificates, in PEM, are of this authority too, as after a renewal: with its name and its key. Who trusts them accepts
    /// what it issues.
    #[must_use]
    pub fn has_certificate(&self, certificates: &str) -> bool {
        let Ok(certificates) = X509::stack_from_pem(certificates.as_bytes()) else { return false };
        let Some((own, other)) = self.certificates.first().zip(certificates.first()) else { return false };
        let is_same_name = || own.subject_name().try_cmp(other.subject_name()).is_ok_and(|order| order.is_eq());
        is_same_name() && other.public_key().is_ok_and(|key| key.public_eq(&self.key))
    }

    /// Issues a certificate for a server with a new key. `names` are DNS names and IP addresses; the first, a DNS name of at most 64
    /// characters, is its common name too. It is not valid for longer than the certificate of the authority.
    ///
    /// # Errors
    /// If OpenSSL fails.
    pub fn issue(&self, names: &[String], not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> Result<IssuedCertificate, CertificateError> {
        let issuer = &self.certificates[0];
        let key = generate_key()?;
        let subject = common_name(names.first().map_or("", String::as_str))?;
        let not_after = not_after.min(self.details()?.not_after);
        let mut builder = begin(&subject, issuer.subject_name(), &key, not_before, not_after)?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
        builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
        let mut alternatives = SubjectAlternativeName::new();
        for name in names {
            match name.parse::<IpAddr>() {
                Ok(_) => alternatives.ip(name),
                Err(_) => alternatives.dns(name),
            };
        }
        let alternatives = alternatives.build(&builder.x509v3_context(Some(issuer), None))?;
        builder.append_extension(alternatives)?;
        let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(Some(issuer), None))?;
        builder.append_extension(identifier)?;
        if issuer.subject_key_id().is_some() {
            let identifier = AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(Some(issuer), None))?;
            builder.append_extension(identifier)?;
        }
        builder.sign(&self.key, MessageDigest::sha256())?;
        let leaf = builder.build();
        // Clients have the root themselves.
        let intermediate = self.certificates.iter().filter(|certificate| !is_self_signed(certificate));
        let chain = pem(std::iter::once(&leaf).chain(intermediate))?;
        Ok(IssuedCertificate { certificate: ServerCertificate { chain, key: key_pem(&key)? }, details: Details::of(&leaf)? })
    }
}

fn begin<T: HasPublic>(
    subject: &X509NameRef,
    issuer: &X509NameRef,
    key: &PKeyRef<T>,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
) -> Result<X509Builder, ErrorStack> {
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    let mut builder = X509::builder()?;
    // Version 3 is written as 2.
    builder.set_version(2)?;
    builder.set_serial_number(Asn1Integer::from_bn(&serial)?.as_ref())?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(Asn1Time::from_unix(not_before.timestamp())?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(not_after.timestamp())?.as_ref())?;
    Ok(builder)
}

fn generate_key() -> Result<PKey<Private>, ErrorStack> {
    PKey::from_ec_key(EcKey::generate(&*EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?)?)
}

fn common_name(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

fn is_self_signed(certificate: &X509) -> bool {
    certificate.public_key().is_ok_and(|key| certificate.verify(&key).unwrap_or(false))
}

fn pem<'a>(certificates: impl Iterator<Item = &'a X509>) -> Result<String, ErrorStack> {
    let mut text = String::new();
    for certificate in certificates {
        text.push_str(&String::from_utf8_lossy(&certificate.to_pem()?));
    }
    Ok(text)
}

fn key_pem(key: &PKey<Private>) -> Result<Secret, CertificateError> {
    let pem = String::from_utf8(key.private_key_to_pem_pkcs8()?).map_err(|_| CertificateError("has a key that is not text".to_owned()))?;
    Ok(Secret::new(pem))
}

#[cfg(test)]
mod tests;
