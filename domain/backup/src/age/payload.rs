//! The payload: chunks of 64 KiB, each sealed with its number and with whether it is the last.

use bytes::Bytes;
use openssl::{error::ErrorStack, symm};

use super::{Failure, cipher, hkdf};

const CHUNK: usize = 64 << 10;
const TAG: usize = 16;
const NONCE: usize = 16;

/// Appends the sealed content to a file.
pub(super) fn seal(content: &[u8], file_key: &[u8], file: &mut Vec<u8>) -> Result<(), ErrorStack> {
    let mut nonce = [0; NONCE];
    openssl::rand::rand_bytes(&mut nonce)?;
    let key = hkdf(file_key, &nonce, "payload");
    file.reserve_exact(NONCE + content.len() + (content.len() / CHUNK + 1) * TAG);
    file.extend(nonce);
    // Empty content is one empty chunk.
    let count = content.len().div_ceil(CHUNK).max(1);
    for number in 0..count {
        let chunk = &content[number * CHUNK..content.len().min((number + 1) * CHUNK)];
        let mut tag = [0; TAG];
        file.extend(symm::encrypt_aead(cipher(), &key, Some(&chunk_nonce(number, number + 1 == count)), &[], chunk, &mut tag)?);
        file.extend(tag);
    }
    Ok(())
}

/// The content of what was sealed.
pub(super) fn open(sealed: &[u8], file_key: &[u8]) -> Result<Bytes, Failure> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or(Failure::Damaged("it is too short"))?;
    let key = hkdf(file_key, nonce, "payload");
    let mut content = Vec::with_capacity(sealed.len());
    let count = sealed.len().div_ceil(CHUNK + TAG);
    for (number, chunk) in sealed.chunks(CHUNK + TAG).enumerate() {
        let changed = Failure::Damaged("it was changed, or its end is missing");
        let (body, tag) = chunk.split_at(chunk.len().checked_sub(TAG).ok_or(changed)?);
        if body.is_empty() && number > 0 {
            return Err(changed);
        }
        let nonce = chunk_nonce(number, number + 1 == count);
        content.extend(symm::decrypt_aead(cipher(), &key, Some(&nonce), &[], body, tag).map_err(|_| changed)?);
    }
    if count == 0 { Err(Failure::Damaged("it is too short")) } else { Ok(content.into()) }
}

/// The number of the chunk in 11 bytes, and whether it is the last.
fn chunk_nonce(number: usize, is_last: bool) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&(number as u64).to_be_bytes());
    nonce[11] = u8::from(is_last);
    nonce
}
