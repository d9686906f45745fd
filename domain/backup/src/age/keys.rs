//! The keys of `age`, and how each wraps the key of a file.

use std::fmt;

use openssl::{
    derive::Deriver,
    error::ErrorStack,
    pkey::{Id, PKey, Private, Public},
    symm,
};

use super::{FILE_KEY, bech32, cipher, hkdf};

const RECIPIENT: &str = "age";
const IDENTITY: &str = "AGE-SECRET-KEY-";
const INFO: &str = "age-encryption.org/v1/X25519";
const TAG: usize = 16;
/// Bytes of a wrapped key.
pub(super) const WRAPPED: usize = FILE_KEY + TAG;

/// A public key, `age1...`: what is encrypted for it can be read by whoever has the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeRecipient([u8; 32]);

/// An identity, `AGE-SECRET-KEY-1...`: the secret key of a recipient.
#[derive(Clone)]
pub struct AgeIdentity {
    key: PKey<Private>,
    recipient: AgeRecipient,
}

impl fmt::Display for AgeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode(RECIPIENT, &self.0))
    }
}

impl fmt::Debug for AgeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgeIdentity({})", self.recipient)
    }
}

/// The recipients in a text, separated by commas or white space.
///
/// # Errors
/// One sentence for people, which begins with "it must".
pub fn parse_recipients(text: &str) -> Result<Vec<AgeRecipient>, String> {
    let wrong = || "it must have public keys of age, such as age1..., separated by commas".to_owned();
    let recipients: Vec<_> = words(text).map(|word| bech32::decode(RECIPIENT, word).map(AgeRecipient)).collect::<Option<_>>().ok_or_else(wrong)?;
    if recipients.is_empty() { Err(wrong()) } else { Ok(recipients) }
}

/// The identities in a text, separated by commas or white space; also one that `age-keygen` has written, with comments.
///
/// # Errors
/// One sentence for people, which begins with "it must" and does not repeat the text.
pub fn parse_identities(text: &str) -> Result<Vec<AgeIdentity>, String> {
    let wrong = || "it must have identities of age, AGE-SECRET-KEY-1..., separated by commas".to_owned();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let identity = |word| AgeIdentity::of(&bech32::decode(IDENTITY, word)?).ok();
    let identities: Vec<_> = lines.flat_map(words).map(identity).collect::<Option<_>>().ok_or_else(wrong)?;
    if identities.is_empty() { Err(wrong()) } else { Ok(identities) }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '\t', '\r', '\n']).filter(|word| !word.is_empty())
}

impl AgeIdentity {
    fn of(secret: &[u8; 32]) -> Result<Self, ErrorStack> {
        let key = PKey::private_key_from_raw_bytes(secret, Id::X25519)?;
        let recipient = AgeRecipient(public(&key)?);
        Ok(Self { key, recipient })
    }

    /// Its public key.
    #[must_use]
    pub fn recipient(&self) -> AgeRecipient {
        self.recipient
    }

    #[cfg(test)]
    pub(super) fn generate() -> Result<Self, ErrorStack> {
        let key = PKey::generate_x25519()?;
        let recipient = AgeRecipient(public(&key)?);
        Ok(Self { key, recipient })
    }

    /// The key of a file, if it was wrapped for this identity.
    pub(super) fn unwrap(&self, share: &[u8; 32], wrapped: &[u8; WRAPPED]) -> Option<Vec<u8>> {
        let key = wrapping_key(&self.key, share, share, &self.recipient).ok()?;
        let (body, tag) = wrapped.split_at(FILE_KEY);
        symm::decrypt_aead(cipher(), &key, Some(&[0; 12]), &[], body, tag).ok()
    }
}

/// Wraps the key of a file for a recipient. Returns the public share, and the wrapped key.
pub(super) fn wrap(file_key: &[u8; FILE_KEY], recipient: &AgeRecipient) -> Result<([u8; 32], Vec<u8>), ErrorStack> {
    let ephemeral = PKey::generate_x25519()?;
    let share = public(&ephemeral)?;
    let key = wrapping_key(&ephemeral, &recipient.0, &share, recipient)?;
    let mut tag = [0; TAG];
    let mut wrapped = symm::encrypt_aead(cipher(), &key, Some(&[0; 12]), &[], file_key, &mut tag)?;
    wrapped.extend(tag);
    Ok((share, wrapped))
}

/// OpenSSL refuses a peer whose shared secret would be zero.
fn wrapping_key(own: &PKey<Private>, peer: &[u8; 32], share: &[u8; 32], recipient: &AgeRecipient) -> Result<[u8; 32], ErrorStack> {
    let peer: PKey<Public> = PKey::public_key_from_raw_bytes(peer, Id::X25519)?;
    let mut deriver = Deriver::new(own)?;
    deriver.set_peer(&peer)?;
    let secret = deriver.derive_to_vec()?;
    Ok(hkdf(&secret, &[*share, recipient.0].concat(), INFO))
}

fn public(key: &PKey<Private>) -> Result<[u8; 32], ErrorStack> {
    // It always has 32 bytes.
    key.raw_public_key()?.try_into().map_err(|_| ErrorStack::get())
}
