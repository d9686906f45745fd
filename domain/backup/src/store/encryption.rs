//! What is encrypted on its way into a store, and decrypted on its way back.

use bytes::Bytes;

use super::{Store, StoreError, StoreErrorKind};
use crate::{
    age::{self, AgeIdentity, AgeRecipient, Failure},
    error::blocking,
};

/// What has the data of an instance in it. The rest are positions, times and sizes.
const DATA: &str = ".zst";
/// What is appended to the name of an object that is encrypted.
const ENCRYPTED: &str = ".age";

/// For whom the data in a store is encrypted, and with what it is decrypted. By default it is not encrypted.
///
/// Objects that are encrypted and objects that are not may lie beside each other: encryption was turned on or off.
#[derive(Clone, Debug, Default)]
pub struct Encryption {
    /// For whom; for nobody if it is not encrypted.
    pub recipients: Vec<AgeRecipient>,
    /// With what it is decrypted.
    pub identities: Vec<AgeIdentity>,
}

/// The names that an object may have in the store.
pub(super) struct Names {
    /// The name of what is written now.
    pub(super) current: String,
    /// The name that it has if encryption was turned on or off since it was written.
    pub(super) former: Option<String>,
}

impl Encryption {
    /// Whether what is written can be read again.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.recipients.is_empty() || self.identities.iter().any(|identity| self.recipients.contains(&identity.recipient()))
    }

    pub(super) fn names(&self, path: &str) -> Names {
        if !path.ends_with(DATA) {
            return Names { current: path.to_owned(), former: None };
        }
        let (plain, encrypted) = (path.to_owned(), format!("{path}{ENCRYPTED}"));
        if self.recipients.is_empty() { Names { current: plain, former: Some(encrypted) } } else { Names { current: encrypted, former: Some(plain) } }
    }

    /// The path of a stored object, as it is without encryption, and whether its name is a former one.
    pub(super) fn path(&self, stored: &str) -> (String, bool) {
        let plain = stored.strip_suffix(ENCRYPTED).filter(|path| path.ends_with(DATA));
        let path = plain.unwrap_or(stored);
        (path.to_owned(), self.names(path).current != stored)
    }
}

impl Store {
    /// The same store, in which data is encrypted.
    #[must_use]
    pub fn encrypted(self, encryption: Encryption) -> Self {
        Self { encryption: encryption.into(), ..self }
    }

    /// The content as it is stored under a name.
    pub(super) async fn encrypt(&self, stored: &str, content: Bytes) -> Result<Bytes, StoreError> {
        if !is_encrypted(stored) {
            return Ok(content);
        }
        let encryption = self.encryption.clone();
        let encrypted = blocking(move || age::encrypt(&content, &encryption.recipients)).await;
        encrypted.map_err(|error| StoreError::new(StoreErrorKind::Configuration, &self.name, format!("{stored} cannot be encrypted: {error}")))
    }

    /// The content of what is stored under a name.
    pub(super) async fn decrypt(&self, stored: &str, content: Bytes) -> Result<Bytes, StoreError> {
        if !is_encrypted(stored) {
            return Ok(content);
        }
        let refused = |why: &str| StoreError::new(StoreErrorKind::Configuration, &self.name, format!("{stored} is encrypted{why}"));
        if self.encryption.identities.is_empty() {
            return Err(refused("; set TOYGRES_BACKUP_AGE_IDENTITY"));
        }
        let encryption = self.encryption.clone();
        match blocking(move || age::decrypt(&content, &encryption.identities)).await {
            Ok(content) => Ok(content),
            Err(Failure::NotForUs) => Err(refused(" for another identity; check TOYGRES_BACKUP_AGE_IDENTITY")),
            Err(Failure::Damaged(why)) => Err(self.damaged(stored, why)),
        }
    }
}

fn is_encrypted(stored: &str) -> bool {
    stored.ends_with(ENCRYPTED)
}
