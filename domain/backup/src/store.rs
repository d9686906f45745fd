//! The object store: a directory, S3 and what is compatible with it, Azure Blob Storage, or Google Cloud Storage.

mod config;
mod connector;
mod crypto;

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path};

pub use config::{AzureCredentials, S3Credentials, StoreConfig};

/// How long one request may take, with its repetitions.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// Objects that one listing may have.
const MAX_LISTED: usize = 10_000_000;
/// Bytes that an object may have.
pub(crate) const MAX_OBJECT: u64 = 1 << 30;

/// A store of objects, which are created and deleted, but never changed.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// What it is called in errors.
    name: Arc<str>,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its path, whose parts are separated by `/`.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was created, by the store's clock.
    pub created_at: DateTime<Utc>,
}

/// What a request to a store fails with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{store}: {message}")]
pub struct StoreError {
    /// What kind of failure it is.
    pub kind: StoreErrorKind,
    store: Arc<str>,
    message: String,
}

/// What can be done about a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum StoreErrorKind {
    /// The store refuses the credentials, or they may not do this.
    Denied,
    /// There is no such object.
    NotFound,
    /// There is another object of this name, which is not replaced: two writers, or a restored copy that writes into the archive of its
    /// source.
    Conflict,
    /// The store cannot be reached, is too slow, or fails. Trying again may help.
    Unavailable,
    /// The configuration is wrong.
    Configuration,
    /// What is in the object is not what was written.
    Damaged,
}

impl Store {
    /// Opens a store. Nothing is sent yet.
    ///
    /// # Errors
    /// The configuration is wrong, or the directory cannot be created.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let name = config.to_string();
        match config::build(config) {
            Ok(objects) => Ok(Self::from_parts(objects, &name)),
            Err(error) => Err(StoreError { kind: StoreErrorKind::Configuration, store: name.into(), message: sentence(&error) }),
        }
    }

    /// A store of another implementation, such as one that fails.
    #[must_use]
    pub fn from_parts(objects: Arc<dyn ObjectStore>, name: &str) -> Self {
        Self { objects, name: name.into() }
    }

    /// Creates an object. Succeeds if there is an identical one. When it returns, the object is durable.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn create(&self, path: &str, content: Bytes) -> Result<(), StoreError> {
        self.create_unless(path, content.clone(), |existing| existing == content).await
    }

    /// The same, with another notion of identity: for two compressed forms of the same content.
    pub(crate) async fn create_unless(&self, path: &str, content: Bytes, identical: impl FnOnce(Bytes) -> bool) -> Result<(), StoreError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let location = self.path(path)?;
        match self.within(self.objects.put_opts(&location, content.into(), options)).await {
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                if identical(self.read(path).await?) {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            outcome => outcome.map(drop),
        }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn read(&self, path: &str) -> Result<Bytes, StoreError> {
        let location = self.path(path)?;
        let read = async {
            let result = self.objects.get(&location).await?;
            if result.meta.size > MAX_OBJECT { Ok(None) } else { result.bytes().await.map(Some) }
        };
        self.within(read).await?.ok_or_else(|| self.damaged(path, "it is larger than any that is written"))
    }

    /// The objects below a path, in the order of their paths.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn list(&self, path: &str) -> Result<Vec<Object>, StoreError> {
        let prefix = self.path(path)?;
        let list = async {
            let mut objects = Vec::new();
            let mut stream = self.objects.list(Some(&prefix));
            while let Some(meta) = stream.try_next().await? {
                if objects.len() >= MAX_LISTED {
                    return Ok(None);
                }
                objects.push(Object { path: meta.location.to_string(), bytes: meta.size, created_at: meta.last_modified });
            }
            Ok(Some(objects))
        };
        let mut objects = self.within(list).await?.ok_or_else(|| self.damaged(path, "it has more objects than any archive"))?;
        objects.sort();
        Ok(objects)
    }

    /// Deletes an object. Succeeds if there is none.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn delete(&self, path: &str) -> Result<(), StoreError> {
        let location = self.path(path)?;
        match self.within(self.objects.delete(&location)).await {
            Err(error) if error.kind == StoreErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Deletes all objects below a path: the archive of an instance whose retention has ended.
    ///
    /// # Errors
    /// See [`StoreErrorKind`]. What was not deleted is deleted by the next call.
    pub async fn delete_all(&self, path: &str) -> Result<(), StoreError> {
        for object in self.list(path).await? {
            self.delete(&object.path).await?;
        }
        Ok(())
    }

    pub(crate) fn damaged(&self, path: &str, why: impl fmt::Display) -> StoreError {
        StoreError { kind: StoreErrorKind::Damaged, store: self.name.clone(), message: format!("{path} is damaged: {why}") }
    }

    fn path(&self, path: &str) -> Result<Path, StoreError> {
        Path::parse(path).map_err(|error| StoreError { kind: StoreErrorKind::Configuration, store: self.name.clone(), message: sentence(&error) })
    }

    async fn within<T>(&self, request: impl Future<Output = object_store::Result<T>>) -> Result<T, StoreError> {
        let error = |kind, message| StoreError { kind, store: self.name.clone(), message };
        match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
            Err(_) => Err(error(StoreErrorKind::Unavailable, format!("no answer within {} s", REQUEST_TIMEOUT.as_secs()))),
            Ok(outcome) => outcome.map_err(|source| error(classify(&source), sentence(&source))),
        }
    }
}

fn classify(error: &object_store::Error) -> StoreErrorKind {
    use object_store::Error;
    match error {
        Error::NotFound { .. } => StoreErrorKind::NotFound,
        Error::AlreadyExists { .. } | Error::Precondition { .. } => StoreErrorKind::Conflict,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => StoreErrorKind::Denied,
        Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => {
            StoreErrorKind::Configuration
        }
        _ => StoreErrorKind::Unavailable,
    }
}

/// An error as one line of limited length: stores answer with pages of XML.
fn sentence(error: &dyn fmt::Display) -> String {
    const MAX: usize = 500;
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > MAX { text.chars().take(MAX).chain("...".chars()).collect() } else { text }
}
