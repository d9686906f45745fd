//! Compression with zstd, on threads for blocking work.

use std::io::{self, Read};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::error::blocking;

/// The level: 1 is about as fast as a disk writes. Higher levels take several times as long for a few percent.
const LEVEL: i32 = 1;
/// Bytes that a small object may have, decompressed: a timeline's history.
pub(crate) const MAX_SMALL: u64 = 1 << 20;

/// Compresses what a reader yields, with a checksum. The result ends with the reader.
pub(crate) fn compress_reader(reader: impl Read) -> io::Result<Bytes> {
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.include_checksum(true)?;
    io::copy(&mut io::BufReader::with_capacity(128 << 10, reader), &mut encoder)?;
    encoder.finish().map(Bytes::from)
}

/// Compresses a text.
pub(crate) async fn compress(content: Bytes) -> io::Result<Bytes> {
    blocking(move || compress_reader(content.as_ref())).await
}

/// Decompresses an object that must not have more than `limit` bytes.
pub(crate) async fn decompress(object: Bytes, limit: u64) -> io::Result<Bytes> {
    blocking(move || decompress_now(&object, limit)).await
}

/// The same on this thread.
pub(crate) fn decompress_now(object: &[u8], limit: u64) -> io::Result<Bytes> {
    let mut content = Vec::new();
    let read = zstd::Decoder::with_buffer(object)?.take(limit + 1).read_to_end(&mut content)?;
    if read as u64 > limit {
        return Err(io::Error::other("it is larger than what was written"));
    }
    Ok(content.into())
}

/// Whether two objects have the same content. Another version of zstd may have compressed one of them.
pub(crate) fn same_content(one: &[u8], other: &[u8], limit: u64) -> bool {
    one == other || matches!((decompress_now(one, limit), decompress_now(other, limit)), (Ok(one), Ok(other)) if one == other)
}

/// The SHA-256 in hexadecimal digits.
pub(crate) fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_not_decompressed() {
        let bomb = compress_reader(io::repeat(0).take(1 << 24)).unwrap();
        assert!(bomb.len() < 10_000);
        assert!(decompress_now(&bomb, 1 << 20).is_err());
        assert_eq!(decompress_now(&bomb, 1 << 24).unwrap().len(), 1 << 24);
    }

    #[test]
    fn a_changed_byte_is_found() {
        let mut object = compress_reader(&b"some content"[..]).unwrap().to_vec();
        let last = object.len() - 1;
        object[last] ^= 1;
        assert!(decompress_now(&object, 100).is_err());
    }
}
