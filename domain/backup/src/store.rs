//! The object store: a directory, S3 and what is compatible with it, Azure Blob Storage, or Google Cloud Storage.

mod config;
mod connector;
mod crypto;
mod encryption;
mod error;
mod marker;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path};

pub use self::{
    config::{AzureCredentials, S3Credentials, StoreConfig},
    encryption::Encryption,
    error::{StoreError, StoreErrorKind},
};
use self::{encryption::Names, error::one_line, marker::Marker};

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
    /// The settings of its login, which errors name.
    login: &'static str,
    /// What its directory is recognized by, if it is one.
    marker: Option<Marker>,
    encryption: Arc<Encryption>,
    /// Whether it has objects from before encryption was turned on or off.
    is_mixed: Arc<AtomicBool>,
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

impl Store {
    /// Opens a store. Nothing is sent yet. A directory is marked, so that it is recognized for as long as the store is open.
    ///
    /// # Errors
    /// The configuration is wrong, or the directory cannot be created.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let name = config.to_string();
        match config::build(config) {
            Ok(objects) => {
                let marker = match config {
                    StoreConfig::Directory(directory) => Some(Marker::of(directory)),
                    StoreConfig::S3 { .. } | StoreConfig::Azure { .. } | StoreConfig::Google { .. } => None,
                };
                Ok(Self { login: config.login(), marker, ..Self::from_parts(objects, &name) })
            }
            Err(error) => Err(StoreError::of_configuration(&error, &name.into(), config.login())),
        }
    }

    /// A store of another implementation, such as one that fails.
    #[must_use]
    pub fn from_parts(objects: Arc<dyn ObjectStore>, name: &str) -> Self {
        Self { objects, name: name.into(), login: "its credentials", marker: None, encryption: Arc::default(), is_mixed: Arc::default() }
    }

    /// Asks for what is not there, so that credentials that are wrong are told before they are needed.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn check(&self) -> Result<(), StoreError> {
        self.list_stored("toygres-check", None).await.map(drop)
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
        let Names { current, .. } = self.encryption.names(path);
        let location = self.path(&current)?;
        let content = self.encrypt(&current, content).await?;
        match self.within(self.objects.put_opts(&location, content.into(), options)).await {
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                if identical(self.read_stored(&current).await?) {
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
        let Names { current, former } = self.encryption.names(path);
        match (self.read_stored(&current).await, former) {
            (Err(error), Some(former)) if error.kind == StoreErrorKind::NotFound => match self.read_stored(&former).await {
                Err(other) if other.kind == StoreErrorKind::NotFound => Err(error),
                outcome => outcome,
            },
            (outcome, _) => outcome,
        }
    }

    async fn read_stored(&self, stored: &str) -> Result<Bytes, StoreError> {
        let location = self.path(stored)?;
        let read = async {
            let result = self.objects.get(&location).await?;
            if result.meta.size > MAX_OBJECT { Ok(None) } else { result.bytes().await.map(Some) }
        };
        let content = self.within(read).await?.ok_or_else(|| self.damaged(stored, "it is larger than any that is written"))?;
        self.decrypt(stored, content).await
    }

    /// The objects below a path, in the order of their paths, which are those without encryption.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn list(&self, path: &str) -> Result<Vec<Object>, StoreError> {
        Ok(self.named(self.list_stored(path, None).await?))
    }

    /// The same, for those whose paths come after another one.
    pub(crate) async fn list_after(&self, path: &str, after: &str) -> Result<Vec<Object>, StoreError> {
        Ok(self.named(self.list_stored(path, Some(after)).await?))
    }

    fn named(&self, mut objects: Vec<Object>) -> Vec<Object> {
        for object in &mut objects {
            let (path, is_former) = self.encryption.path(&object.path);
            object.path = path;
            if is_former {
                self.is_mixed.store(true, Ordering::Relaxed);
            }
        }
        objects.sort();
        objects
    }

    async fn list_stored(&self, path: &str, after: Option<&str>) -> Result<Vec<Object>, StoreError> {
        let prefix = self.path(path)?;
        let after = after.map(|after| self.path(after)).transpose()?;
        let list = async {
            let mut objects = Vec::new();
            let mut stream = match &after {
                Some(after) => self.objects.list_with_offset(Some(&prefix), after),
                None => self.objects.list(Some(&prefix)),
            };
            while let Some(meta) = stream.try_next().await? {
                if objects.len() >= MAX_LISTED {
                    return Ok(None);
                }
                objects.push(Object { path: meta.location.to_string(), bytes: meta.size, created_at: meta.last_modified });
            }
            Ok(Some(objects))
        };
        self.within(list).await?.ok_or_else(|| self.damaged(path, "it has more objects than any archive"))
    }

    /// The names of the directories in a directory, sorted; in the root, if the path is empty.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn directories(&self, path: &str) -> Result<Vec<String>, StoreError> {
        let prefix = if path.is_empty() { None } else { Some(self.path(path)?) };
        let listed = self.within(self.objects.list_with_delimiter(prefix.as_ref())).await?;
        let mut names: Vec<String> = listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// Deletes an object. Succeeds if there is none.
    ///
    /// # Errors
    /// See [`StoreErrorKind`].
    pub async fn delete(&self, path: &str) -> Result<(), StoreError> {
        let Names { current, former } = self.encryption.names(path);
        if let Some(former) = former.filter(|_| self.is_mixed.load(Ordering::Relaxed)) {
            self.delete_stored(&former).await?;
        }
        self.delete_stored(&current).await
    }

    async fn delete_stored(&self, stored: &str) -> Result<(), StoreError> {
        let location = self.path(stored)?;
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
        for object in self.list_stored(path, None).await? {
            self.delete_stored(&object.path).await?;
        }
        Ok(())
    }

    pub(crate) fn damaged(&self, path: &str, why: impl fmt::Display) -> StoreError {
        StoreError::new(StoreErrorKind::Damaged, &self.name, format!("{path} is damaged: {why}"))
    }

    fn path(&self, path: &str) -> Result<Path, StoreError> {
        Path::parse(path).map_err(|error| StoreError::new(StoreErrorKind::Configuration, &self.name, one_line(&error)))
    }

    /// What a request answers, if the store was there before it and after it: a directory that is away would be made anew by a write, and
    /// look empty.
    async fn within<T>(&self, request: impl Future<Output = object_store::Result<T>>) -> Result<T, StoreError> {
        let asked = async {
            self.recognize().await?;
            let outcome = request.await;
            self.recognize().await?;
            outcome.map_err(|source| StoreError::of(&source, &self.name, self.login))
        };
        match tokio::time::timeout(REQUEST_TIMEOUT, asked).await {
            Err(_) => Err(StoreError::new(StoreErrorKind::Unavailable, &self.name, format!("no answer within {} s", REQUEST_TIMEOUT.as_secs()))),
            Ok(outcome) => outcome,
        }
    }

    async fn recognize(&self) -> Result<(), StoreError> {
        let Some(marker) = &self.marker else { return Ok(()) };
        marker.check().await.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                StoreError::new(StoreErrorKind::Denied, &self.name, format!("it denies access ({error}); check {}", self.login))
            }
            _ => StoreError::new(StoreErrorKind::Unavailable, &self.name, error.to_string()),
        })
    }
}
