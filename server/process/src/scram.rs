//! The SCRAM-SHA-256 verifier of a password: what PostgreSQL keeps of it. Computed here, so that the password itself never
//! reaches a statement, and with it a log.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use toygres_domain::secret::Secret;

/// As many rounds as PostgreSQL takes by default.
const ITERATIONS: u32 = 4096;

/// The text that `CREATE ROLE ... PASSWORD` takes instead of a password. It has no quotes and no backslashes.
pub(super) fn verifier(password: &Secret) -> String {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the operating system's random source works");
    verifier_with(password, &salt)
}

fn verifier_with(password: &Secret, salt: &[u8]) -> String {
    // What cannot be prepared is taken as it is, as PostgreSQL and libpq do.
    let prepared = stringprep::saslprep(password.expose()).unwrap_or(password.expose().into());
    let salted = hi(prepared.as_bytes(), salt);
    let stored_key = Sha256::digest(hmac(&salted, &[b"Client Key"]));
    let server_key = hmac(&salted, &[b"Server Key"]);
    let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    format!("SCRAM-SHA-256${ITERATIONS}:{}${}:{}", encode(salt), encode(&stored_key), encode(&server_key))
}

/// `Hi()` of RFC 5802: PBKDF2 with one block.
fn hi(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut last = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut result = last;
    for _ in 1..ITERATIONS {
        last = hmac(password, &[&last]);
        result.iter_mut().zip(last).for_each(|(r, l)| *r ^= l);
    }
    result
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677: its proof and its server signature follow from the keys in the verifier.
    #[test]
    fn agrees_with_the_rfc() {
        let salt = BASE64_STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let text = verifier_with(&Secret::new("pencil".into()), &salt);
        let server_key = BASE64_STANDARD.decode(text.rsplit_once(':').unwrap().1).unwrap();
        let auth_message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,\
                            i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let signature = BASE64_STANDARD.encode(hmac(&server_key, &[auth_message.as_bytes()]));
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }
}
