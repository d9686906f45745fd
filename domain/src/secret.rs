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

    /// Parses a password that a caller chose: 8 to [`MAX_PASSWORD_BYTES`] bytes of any characters but control characters and those
    /// that SASLprep (RFC 4013) replaces or forbids. Of a password with such characters, PostgreSQL and its clients (libpq, sqlx,
    /// npm's pg, the JDBC driver) compute different verifiers, or none.
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
        if stringprep::saslprep(&text).ok().as_deref() != Some(text.as_str()) {
            return Err("must not contain characters that clients of PostgreSQL replace or refuse (SASLprep, RFC 4013), such as emoji, ligatures, \
                        non-breaking spaces, or right-to-left letters beside others: use letters, digits and punctuation, or leave the password \
                        out to have one generated"
                .to_owned());
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

/// A key that seals passwords in the metadata database: 32 random bytes, written in base64.
#[derive(Clone, PartialEq, Eq)]
struct SecretKey([u8; 32]);

/// The keys of a server (`TOYGRES_SECRET_KEY`). The first seals; the others open what was sealed before it came, until
/// `toygres secrets rotate` has sealed everything with the first.
#[derive(Clone)]
pub struct SecretKeys {
    first: SecretKey,
    others: Vec<SecretKey>,
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret keys]")
    }
}

impl SecretKeys {
    /// Parses the base64 texts of keys, separated by commas or white space.
    ///
    /// # Errors
    /// A sentence that says what keys look like.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut keys = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|key| !key.is_empty()).map(|key| {
            let bytes = BASE64_STANDARD.decode(key).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.map(SecretKey).ok_or_else(|| {
                "must be 32 random bytes in base64, for example from `openssl rand -base64 32`, or several of these separated by commas".to_owned()
            })
        });
        let first = keys.next().unwrap_or_else(|| Err("must not be empty".to_owned()))?;
        Ok(Self { first, others: keys.collect::<std::result::Result<_, _>>()? })
    }

    /// A new random key, and no other.
    #[must_use]
    pub fn generate() -> Self {
        Self { first: SecretKey(random()), others: Vec::new() }
    }

    /// A new random key in front of these.
    #[must_use]
    pub fn with_new_first(&self) -> Self {
        Self { first: SecretKey(random()), others: std::iter::once(&self.first).chain(&self.others).cloned().collect() }
    }

    /// Without all but the first and the one before it. The latter stays for what a server that did not know the first yet may
    /// still have sealed.
    #[must_use]
    pub fn without_oldest(&self) -> Self {
        Self { first: self.first.clone(), others: self.others.iter().take(1).cloned().collect() }
    }

    /// How many there are beside the first.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// Reads the keys from a file, one a line, or makes one there.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file can be neither read nor written, or holds something else.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|why| Error::internal(format!("the secret key in {} {why}", path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let keys = Self::generate();
                keys.save(path)?;
                Ok(keys)
            }
            Err(error) => Err(Error::internal(format!("cannot read the secret key in {}: {error}", path.display()))),
        }
    }

    /// Writes the keys to a file that only its owner can read.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        use std::{io::Write, os::unix::fs::OpenOptionsExt};
        let lines: String = self.all().map(|key| BASE64_STANDARD.encode(key.0) + "\n").collect();
        // Written to another file and renamed, so that a crash leaves either the old keys or the new ones.
        let draft = path.with_extension("new");
        let _ = std::fs::remove_file(&draft);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(Error::internal)?;
        file.write_all(lines.as_bytes()).map_err(Error::internal)?;
        file.sync_all().map_err(Error::internal)?;
        std::fs::rename(&draft, path).map_err(Error::internal)?;
        // The rename has to survive a power cut: what the new key seals next could not be opened without it.
        let directory = std::fs::File::open(path.parent().unwrap_or(path)).map_err(Error::internal)?;
        directory.sync_all().map_err(Error::internal)
    }

    /// Seals a secret with the first key (XChaCha20-Poly1305, random nonce in front). `context` is authenticated with it, so
    /// that a sealed password cannot be moved to another row.
    #[must_use]
    pub fn seal(&self, secret: &Secret, context: &str) -> Vec<u8> {
        let nonce: [u8; 24] = random();
        let sealed = XChaCha20Poly1305::new(&self.first.0.into())
            .encrypt(&XNonce::from(nonce), Payload { msg: secret.0.as_bytes(), aad: context.as_bytes() })
            .expect("encryption into a growing buffer fails only when memory does");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`SecretKeys::seal`] made with one of these keys and the same context.
    ///
    /// # Errors
    /// [`Error::Internal`] when it was another key or context, or the bytes were changed.
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<Secret> {
        self.all()
            .find_map(|key| key.open(sealed, context))
            .ok_or_else(|| Error::internal("a sealed password does not open: the secret key is not the one it was sealed with"))
    }

    /// The secret sealed anew with the first key; nothing when that is what it is sealed with.
    ///
    /// # Errors
    /// As [`SecretKeys::open`].
    pub fn reseal(&self, sealed: &[u8], context: &str) -> Result<Option<Vec<u8>>> {
        if self.first.open(sealed, context).is_some() {
            return Ok(None);
        }
        Ok(Some(self.seal(&self.open(sealed, context)?, context)))
    }

    /// Keyed digests (HMAC-SHA-256) of an input that may hold secrets, to recognise the same input again: one by each key, that
    /// of the first at the front.
    #[must_use]
    pub fn digests(&self, input: &[u8]) -> Vec<Vec<u8>> {
        self.all().map(|key| key.digest(input)).collect()
    }

    fn all(&self) -> impl Iterator<Item = &SecretKey> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl SecretKey {
    fn open(&self, sealed: &[u8], context: &str) -> Option<Secret> {
        let (nonce, body) = sealed.split_first_chunk::<24>()?;
        let payload = Payload { msg: body, aad: context.as_bytes() };
        let bytes = XChaCha20Poly1305::new(&self.0.into()).decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(bytes).map(Secret).ok()
    }

    fn digest(&self, input: &[u8]) -> Vec<u8> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(input);
        mac.finalize().into_bytes().to_vec()
    }
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
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
        let keys = SecretKeys::generate();
        let sealed = keys.seal(&Secret::new("hunter22".into()), "a");
        assert_eq!(keys.open(&sealed, "a").unwrap().expose(), "hunter22");
        assert!(keys.open(&sealed, "b").is_err());
        assert!(SecretKeys::generate().open(&sealed, "a").is_err());
        assert!(keys.open(&sealed[..10], "a").is_err());
    }

    #[test]
    fn a_new_key_seals_and_the_old_one_still_opens() {
        let old = SecretKeys::generate();
        let sealed = old.seal(&Secret::new("hunter22".into()), "a");
        let both = old.with_new_first();
        assert_eq!(both.open(&sealed, "a").unwrap().expose(), "hunter22");
        let resealed = both.reseal(&sealed, "a").unwrap().expect("it is sealed with the old key");
        assert_eq!(both.reseal(&resealed, "a").unwrap(), None, "once is enough");
        assert!(old.open(&resealed, "a").is_err());
        assert!(both.reseal(&sealed, "b").is_err());
        assert!(both.digests(b"input").contains(&old.digests(b"input")[0]), "an input is recognised across the change");
        assert_eq!(both.with_new_first().without_oldest().others(), 1);
    }

    #[test]
    fn keys_are_read_as_they_were_written() {
        let directory = std::env::temp_dir().join(format!("toygres-keys-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("secret.key");
        let made = SecretKeys::load_or_create(&file).unwrap();
        made.with_new_first().save(&file).unwrap();
        let read = SecretKeys::load_or_create(&file).unwrap();
        assert_eq!(read.others(), 1);
        assert!(read.open(&made.seal(&Secret::new("hunter22".into()), "a"), "a").is_ok());
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(SecretKeys::parse("").is_err() && SecretKeys::parse("c2hvcnQ=").is_err());
    }

    #[test]
    fn passwords_are_checked_and_generated() {
        assert!(Secret::password(String::new()).is_err());
        assert!(Secret::password("short".into()).is_err());
        assert!(Secret::password("x".repeat(100)).is_err());
        assert!(Secret::password("with \"quotes' and $".into()).is_ok());
        for same in [
            "p\u{e4}ssw\u{f6}rter",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}-1",
            "\u{5bc6}\u{7801}\u{5bc6}\u{7801}",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        ] {
            assert!(Secret::password(same.into()).is_ok(), "{same}");
        }
        // Replaced: a ligature, a decomposed letter, a space, a soft hyphen. Refused: an emoji, a letter that is newer than RFC 3454,
        // two directions.
        for other in ["\u{fb01}", "u\u{308}", "\u{a0}", "\u{ad}", "\u{1f434}", "\u{1e9e}", "\u{5e9}"] {
            let refusal = Secret::password(format!("secret-{other}-horse")).unwrap_err();
            assert!(refusal.contains("SASLprep") && !refusal.contains("horse") && refusal.is_ascii(), "{refusal}");
        }
        assert_eq!(Secret::generate().expose().len(), 32);
        assert_ne!(Secret::generate(), Secret::generate());
    }
}
