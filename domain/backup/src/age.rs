//! Encryption in the format `age-encryption.org/v1`, for X25519 recipients: what [`Store`](crate::Store) writes, `age` decrypts.
//!
//! A file is encrypted with a key of its own, which its header has once for each recipient. Other kinds of recipients (passphrases, SSH
//! keys, plugins) are deliberately absent: a server has nobody to ask.

mod bech32;
mod keys;
mod payload;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use openssl::symm::Cipher;
use sha2::Sha256;

pub use self::keys::{AgeIdentity, AgeRecipient, parse_identities, parse_recipients};
use self::keys::{WRAPPED, wrap};

const VERSION: &str = "age-encryption.org/v1";
/// Bytes of the key of a file.
const FILE_KEY: usize = 16;
/// Bytes that a header may have: for thousands of recipients.
const MAX_HEADER: usize = 1 << 20;
/// Characters of a line of base64. A shorter one ends a body.
const LINE: usize = 64;

/// Why something could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was encrypted for others.
    NotForUs,
    /// It is not what was written.
    Damaged(&'static str),
}

/// Encrypts a file.
pub(crate) fn encrypt(content: &[u8], recipients: &[AgeRecipient]) -> Result<Bytes, openssl::error::ErrorStack> {
    let mut key = [0; FILE_KEY];
    openssl::rand::rand_bytes(&mut key)?;
    let mut header = format!("{VERSION}\n");
    for recipient in recipients {
        let (share, body) = wrap(&key, recipient)?;
        header += &format!("-> X25519 {}\n{}\n", base64(&share), base64(&body));
    }
    header += "---";
    let mac = header_mac(&key, &header).finalize().into_bytes();
    let mut file = format!("{header} {}\n", base64(&mac)).into_bytes();
    payload::seal(content, &key, &mut file)?;
    Ok(file.into())
}

/// Decrypts a file that one of these identities may read.
pub(crate) fn decrypt(file: &[u8], identities: &[AgeIdentity]) -> Result<Bytes, Failure> {
    let header = Header::parse(file)?;
    let opened = header.stanzas.iter().find_map(|(share, body)| identities.iter().find_map(|identity| identity.unwrap(share, body)));
    let key = opened.ok_or(Failure::NotForUs)?;
    let mac = header_mac(&key, header.signed);
    mac.verify_slice(&header.mac).map_err(|_| Failure::Damaged("its header was changed"))?;
    payload::open(header.payload, &key)
}

/// What is before the payload.
struct Header<'a> {
    /// For each X25519 recipient the public share, and the wrapped key.
    stanzas: Vec<([u8; 32], [u8; WRAPPED])>,
    signed: &'a str,
    mac: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(file: &'a [u8]) -> Result<Self, Failure> {
        const NO_HEADER: Failure = Failure::Damaged("it has no header of age");
        let begin = &file[..file.len().min(MAX_HEADER)];
        let end = begin.windows(4).position(|window| window == b"\n---").ok_or(NO_HEADER)?;
        let signed = std::str::from_utf8(&file[..end + 4]).map_err(|_| NO_HEADER)?;
        let rest = &begin[end + 4..];
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or(NO_HEADER)?;
        let mac = rest[..length].strip_prefix(b" ").and_then(unbase64).ok_or(NO_HEADER)?;
        let payload = &file[end + 4 + length + 1..];
        let mut lines = signed.lines();
        if lines.next() != Some(VERSION) {
            return Err(NO_HEADER);
        }
        let mut stanzas = Vec::new();
        while let Some(line) = lines.next().filter(|line| *line != "---") {
            let mut arguments = line.strip_prefix("-> ").ok_or(NO_HEADER)?.split(' ');
            let is_ours = arguments.next() == Some("X25519");
            let share = arguments.next();
            let mut body = String::new();
            loop {
                let line = lines.next().ok_or(NO_HEADER)?;
                body += line;
                if line.len() < LINE {
                    break;
                }
            }
            if is_ours {
                let share = share.and_then(|share| unbase64(share.as_bytes())?.try_into().ok());
                let body = unbase64(body.as_bytes()).and_then(|body| body.try_into().ok());
                stanzas.push(share.zip(body).ok_or(NO_HEADER)?);
            }
        }
        Ok(Self { stanzas, signed, mac, payload })
    }
}

fn header_mac(key: &[u8], header: &str) -> Hmac<Sha256> {
    hmac(&hkdf(key, &[], "header")).chain_update(header)
}

/// HKDF-SHA-256 with 32 bytes of output.
fn hkdf(key: &[u8], salt: &[u8], info: &str) -> [u8; 32] {
    let extracted = hmac(salt).chain_update(key).finalize().into_bytes();
    hmac(&extracted).chain_update(info).chain_update([1]).finalize().into_bytes().into()
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    // It accepts keys of any length.
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!())
}

fn cipher() -> Cipher {
    Cipher::chacha20_poly1305()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}

fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the documentation of `age`.
    const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";

    #[test]
    fn what_is_encrypted_is_decrypted_by_each_recipient_and_nobody_else() {
        let identities: Vec<_> = (0..3).map(|_| AgeIdentity::generate().unwrap()).collect();
        let recipients: Vec<_> = identities[..2].iter().map(AgeIdentity::recipient).collect();
        // Around the chunks, of 64 KiB.
        for length in [0, 1, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 200_000] {
            let content: Vec<u8> = (0..length).map(|byte: u32| byte as u8).collect();
            let file = encrypt(&content, &recipients).unwrap();
            for identity in &identities[..2] {
                assert_eq!(decrypt(&file, std::slice::from_ref(identity)).unwrap(), content, "{length}");
            }
            assert_eq!(decrypt(&file, &identities[2..]), Err(Failure::NotForUs));
            assert_eq!(decrypt(&file, &[]), Err(Failure::NotForUs));
            let end = file.len();
            for changed in [0, 30, 90, end - 1, end / 2] {
                let mut changed_file = file.to_vec();
                changed_file[changed] ^= 1;
                assert!(decrypt(&changed_file, &identities).is_err(), "byte {changed} of {end}");
            }
            assert!(decrypt(&file[..end - 1], &identities).is_err());
            // A payload that ends with a whole chunk.
            assert!(length <= 64 << 10 || decrypt(&file[..end - (length as usize % (64 << 10)) - 16], &identities).is_err());
            assert!(decrypt(&[&file[..], b"x"].concat(), &identities).is_err());
        }
    }

    #[test]
    fn keys_are_parsed_as_they_are_written() {
        let [identity] = &parse_identities(IDENTITY).unwrap()[..] else { panic!("it is one") };
        assert_eq!(identity.recipient().to_string(), "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj");
        let generated = AgeIdentity::generate().unwrap().recipient().to_string();
        assert_eq!(parse_recipients(&generated).unwrap()[0].to_string(), generated);
        let both = format!("# created: today\n# public key: {generated}\n{IDENTITY}\n");
        assert_eq!(parse_identities(&both).unwrap().len(), 1);
        assert_eq!(parse_recipients(&format!("{generated}, {generated}")).unwrap().len(), 2);
        for wrong in ["age1", "", "ssh-ed25519 AAAA", &generated[..60], &generated.replace(&generated[10..11], "b"), IDENTITY] {
            assert!(parse_recipients(wrong).is_err(), "{wrong}");
        }
        for wrong in ["AGE-SECRET-KEY-1", "", &generated, &IDENTITY[..60]] {
            let error = parse_identities(wrong).unwrap_err();
            assert!(!error.contains("GFPYYS"), "{error}");
        }
        assert!(!format!("{:?}", parse_identities(IDENTITY).unwrap()).contains("GFPYYS"));
    }
}
