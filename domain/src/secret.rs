//! Passwords and the key that seals them.

use std::{fmt, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{Error, Result};

/// A text that must not be shown: `Debug` is redacted, it has no `Display` and cannot be serialised, so that neither a log
/// line nor a workflow's history can hold it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// The longest password taken, in bytes. PostgreSQL itself takes more, but libpq before version 14 cut at 100 and other
/// clients have limits of their own.
pub const MAX_PASSWORD_BYTES: usize = 99;

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Parses a password that a caller chose: 8 to [`MAX_PASSWORD_BYTES`] bytes of any characters but control characters.
    ///
    /// # Errors
    /// A sentence that says what the password must look like, without repeating it.
    pub fn password(text: String) -> std::result::Result<Self, String> {
        if text.is_empty() {
            return Err("must not be empty; leave it out to have one generated".to_owned());
        }
        if text.len() < 8 {
            return Err("must have at least 8 characters".to_owned());
        }
        if text.len() > MAX_PASSWORD_BYTES {
            return Err(format!("must have at most {MAX_PASSWORD_BYTES} bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters".to_owned());
        }
        Ok(Self(text))
    }

    /// A random password: 32 characters of the URL-safe alphabet, about 190 bits.
    #[must_use]
    pub fn generate() -> Self {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = String::with_capacity(32);
        while text.len() < 32 {
            for byte in random::<48>() {
                // 248 is the largest multiple of 62 in a byte: taking more would favour the first letters.
                if byte < 248 && text.len() < 32 {
                    text.push(char::from(ALPHABET[usize::from(byte) % 62]));
                }
            }
        }
        Self(text)
    }

    /// The secret itself, for the one who must use it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The key that seals passwords in the metadata database (`TOYGRES_SECRET_KEY`): 32 random bytes in base64.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret key]")
    }
}

impl SecretKey {
    /// Parses the base64 text of a key.
    ///
    /// # Errors
    /// A sentence that says what a key looks like.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        BASE64_STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| "must be 32 random bytes in base64, for example from `openssl rand -base64 32`".to_owned())
    }

    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(random())
    }

    /// Reads the key from a file, or makes one there that only its owner can read.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file can be neither read nor written, or holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|why| Error::internal(format!("the secret key in {} {why}", path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Self::generate();
                // Written beside and renamed, so that a crash leaves either no key or a whole one.
                let draft = path.with_extension("new");
                let _ = std::fs::remove_file(&draft);
                let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(Error::internal)?;
                file.write_all(BASE64_STANDARD.encode(key.0).as_bytes()).map_err(Error::internal)?;
                file.sync_all().map_err(Error::internal)?;
                std::fs::rename(&draft, path).map_err(Error::internal)?;
                Ok(key)
            }
            Err(error) => Err(Error::internal(format!("cannot read the secret key in {}: {error}", path.display()))),
        }
    }

    /// Seals a secret (XChaCha20-Poly1305, random nonce in front). `context` is authenticated with it, so that a sealed
    /// password cannot be moved to another row.
    #[must_use]
    pub fn seal(&self, secret: &Secret, context: &str) -> Vec<u8> {
        let nonce: [u8; 24] = random();
        let sealed = XChaCha20Poly1305::new(&self.0.into())
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: secret.0.as_bytes(), aad: context.as_bytes() })
            .expect("encryption into a growing buffer fails only when memory does");
        [nonce.as_slice(), &sealed].concat()
    }

    /// A keyed digest (HMAC-SHA-256) of an input that may hold secrets, to recognise the same input again.
    #[must_use]
    pub fn digest(&self, input: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(input);
        mac.finalize().into_bytes().to_vec()
    }

    /// Opens what [`SecretKey::seal`] made with the same key and context.
    ///
    /// # Errors
    /// [`Error::Internal`] when the key or the context is another one, or the bytes were changed.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Secret> {
        let refused = || Error::internal("a sealed password does not open: TOYGRES_SECRET_KEY is not the key it was sealed with");
        let (nonce, body) = sealed.split_at_checked(24).ok_or_else(refused)?;
        let bytes = XChaCha20Poly1305::new(&self.0.into())
            .decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad: context.as_bytes() })
            .map_err(|_| refused())?;
        String::from_utf8(bytes).map(Secret).map_err(|_| refused())
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random source works");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("hunter22".into())), "[secret]");
    }

    #[test]
    fn sealed_is_bound_to_key_and_context() {
        let key = SecretKey::generate();
        let sealed = key.seal(&Secret::new("hunter22".into()), "a");
        assert_eq!(key.open(&sealed, "a").unwrap().expose(), "hunter22");
        assert!(key.open(&sealed, "b").is_err());
        assert!(SecretKey::generate().open(&sealed, "a").is_err());
        assert!(key.open(&sealed[..10], "a").is_err());
    }

    #[test]
    fn passwords_are_checked_and_generated() {
        assert!(Secret::password(String::new()).is_err());
        assert!(Secret::password("short".into()).is_err());
        assert!(Secret::password("x".repeat(100)).is_err());
        assert!(Secret::password("with \"quotes' and $".into()).is_ok());
        assert_eq!(Secret::generate().expose().len(), 32);
        assert_ne!(Secret::generate(), Secret::generate());
    }
}
