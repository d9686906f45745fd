//! SCRAM-SHA-256 (RFC 5802): the verifier that PostgreSQL stores instead of a password. It is computed here, so that the password is
//! never part of a statement, which could be logged.

use std::fmt::Write as _;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::secret::{Secret, random};

/// Iterations of a new verifier: PostgreSQL's default.
const ITERATIONS: u32 = 4096;

/// Iterations that are computed at most. The owner can choose more (`scram_iterations`, from version 16 on), which most clients refuse too.
const MAX_ITERATIONS: u32 = 100_000;

/// The text that `CREATE ROLE ... PASSWORD` takes instead of a password, with a new salt. It has no quotes and no backslashes.
#[must_use]
pub fn verifier(password: &Secret) -> String {
    let salt: [u8; 16] = random();
    let salted = salted_password(password, &salt, ITERATIONS);
    let stored = stored_key(&salted);
    let server = BASE64_STANDARD.encode(mac(&salted, b"Server Key"));
    format!("SCRAM-SHA-256${ITERATIONS}:{}${stored}:{server}", BASE64_STANDARD.encode(salt))
}

/// Whether the role with this fingerprint has this password. A fingerprint is the part of a verifier that may be sent over a network:
/// `<iterations>:<salt>$<hexadecimal SHA-256 of the stored key>`, or anything else if the role has no such verifier.
#[must_use]
pub fn has_password(fingerprint: &str, password: &Secret) -> bool {
    let parts = || {
        let (parameters, digest) = fingerprint.split_once('$')?;
        let (iterations, salt) = parameters.split_once(':')?;
        let iterations = iterations.parse().ok().filter(|iterations| (1..=MAX_ITERATIONS).contains(iterations))?;
        Some((iterations, BASE64_STANDARD.decode(salt).ok()?, digest))
    };
    parts()
        .is_some_and(|(iterations, salt, digest)| hexadecimal(&Sha256::digest(stored_key(&salted_password(password, &salt, iterations)))) == digest)
}

/// A digest of a fingerprint and a password, to remember that [`has_password`] was true of them.
#[must_use]
pub fn digest(fingerprint: &str, password: &Secret) -> [u8; 32] {
    Sha256::new().chain_update(fingerprint).chain_update([0]).chain_update(password.expose()).finalize().into()
}

/// Whether this is a verifier of this password. Anything else than a SCRAM verifier is not.
#[must_use]
pub fn is_verifier_of(verifier: &str, password: &Secret) -> bool {
    fingerprint(verifier).is_some_and(|fingerprint| has_password(&fingerprint, password))
}

/// The fingerprint of a SCRAM verifier, as the function in an instance computes it.
fn fingerprint(verifier: &str) -> Option<String> {
    let (parameters, keys) = verifier.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
    let (stored, _) = keys.split_once(':')?;
    Some(format!("{parameters}${}", hexadecimal(&Sha256::digest(stored))))
}

/// PBKDF2 with one block, of the password after SASLprep.
fn salted_password(password: &Secret, salt: &[u8], iterations: u32) -> [u8; 32] {
    let prepared = stringprep::saslprep(password.expose());
    let key = prepared.as_deref().unwrap_or(password.expose()).as_bytes();
    let keyed = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    let mut last = {
        let mut first = keyed.clone();
        first.update(salt);
        first.update(&1_u32.to_be_bytes());
        first.finalize().into_bytes()
    };
    let mut sum: [u8; 32] = last.into();
    for _ in 1..iterations {
        let mut next = keyed.clone();
        next.update(&last);
        last = next.finalize().into_bytes();
        sum.iter_mut().zip(last).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

/// The stored key in base64, as it is in a verifier.
fn stored_key(salted: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(mac(salted, b"Client Key")))
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_needs_no_quoting_and_is_salted() {
        let password = Secret::new("it's \\ \"q\"".into());
        let (first, second) = (verifier(&password), verifier(&password));
        assert!(first.starts_with("SCRAM-SHA-256$4096:") && !first.contains(['\'', '\\', '\n']), "{first}");
        assert_ne!(first, second);
    }

    /// A verifier that another implementation (Python's hashlib) made of the password `hunter22`.
    #[test]
    fn the_keys_are_those_of_other_implementations() {
        let made =
            "SCRAM-SHA-256$4096:AAECAwQFBgcICQoLDA0ODw==$pCeGPXavd0c6h2ppv2gTBswp7UnYNDMNy35KBBPxCDw=:wiwU8N3n4+Xe+IaW1DpAgHJ5ORX0xY325MMavUVKDyU=";
        let salt = BASE64_STANDARD.decode(made.split([':', '$']).nth(2).unwrap()).unwrap();
        let salted = salted_password(&Secret::new("hunter22".into()), &salt, ITERATIONS);
        let (stored, server) = (stored_key(&salted), BASE64_STANDARD.encode(mac(&salted, b"Server Key")));
        assert_eq!(made.split('$').nth(2).unwrap(), format!("{stored}:{server}"));
        assert!(has_password(&fingerprint(made).unwrap(), &Secret::new("hunter22".into())));
    }

    #[test]
    fn a_fingerprint_is_that_of_one_password() {
        let (right, wrong) = (Secret::new("hunter22".into()), Secret::new("hunter23".into()));
        let made = verifier(&right);
        let known = fingerprint(&made).unwrap();
        assert!(has_password(&known, &right) && !has_password(&known, &wrong));
        assert!(is_verifier_of(&made, &right) && !is_verifier_of(&made, &wrong));
        for other in ["", "md5", "x:y$z", "4096:!$00", "4294967295:AAAA$00", "0:AAAA$00"] {
            assert!(!has_password(other, &right) && !is_verifier_of(other, &right), "{other}");
        }
    }
}
