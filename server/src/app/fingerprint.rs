//! Fingerprints: what an idempotency key stands for.
//!
//! A repeated key returns the first answer only when the input is the same. The store keeps a keyed digest of the input's
//! fingerprint, which is JSON with a version and its fields in a fixed order. A field that the caller omitted is absent, so a
//! field that is added later leaves the fingerprints of older requests as they are. Anything else that changes a fingerprint
//! breaks the replays of requests that were accepted before; a test in each use case pins it.

use std::fmt::Write;

use serde::Serialize;
use toygres_domain::{Error, Result, secret::Secret};
use toygres_store::Request;

use super::App;

/// What accompanies the input of an operation.
pub(super) struct Accompanying {
    pub(super) idempotency_key: Option<String>,
    pub(super) revision: Option<i64>,
    pub(super) requested_by: Option<String>,
}

impl App {
    /// The request of an operation whose input has this fingerprint.
    pub(super) fn request(&self, accompanying: Accompanying, fingerprint: &impl Serialize) -> Result<Request> {
        self.request_with_secret(accompanying, None, |_| fingerprint)
    }

    /// The same for an input with a secret, whose fingerprint has a keyed hash in its place.
    pub(super) fn request_with_secret<F: Serialize>(
        &self,
        accompanying: Accompanying,
        secret: Option<&Secret>,
        fingerprint: impl Fn(Option<String>) -> F,
    ) -> Result<Request> {
        let Accompanying { idempotency_key, revision, requested_by } = accompanying;
        let idempotency = match idempotency_key {
            Some(key) => Some((key, self.digests(secret, fingerprint)?)),
            None => None,
        };
        Ok(Request { idempotency, revision, requested_by, deadline: self.operation_deadline, password: None })
    }

    /// One digest by each key of the server, each over the fingerprint with the secret's hash by the same key.
    fn digests<F: Serialize>(&self, secret: Option<&Secret>, fingerprint: impl Fn(Option<String>) -> F) -> Result<Vec<Vec<u8>>> {
        let digest = |hash: Option<String>, position: usize| {
            let text = serde_json::to_vec(&fingerprint(hash)).map_err(Error::internal)?;
            let digest = self.store.digests(&text).into_iter().nth(position);
            digest.ok_or_else(|| Error::internal("the server's keys have changed"))
        };
        match secret {
            Some(secret) => {
                // The prefix keeps the hash of a password apart from the digest of a fingerprint.
                let hashes = self.store.digests(format!("secret:{}", secret.expose()).as_bytes());
                hashes.iter().enumerate().map(|(position, hash)| digest(Some(hex(hash)), position)).collect()
            }
            None => Ok(self.store.digests(&serde_json::to_vec(&fingerprint(None)).map_err(Error::internal)?)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
