//! A store that fails.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, memory::InMemory, path::Path,
};

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    None,
    /// It answers 403.
    Denied,
    /// It answers 503.
    Unavailable,
    /// It writes the object, and the answer is lost.
    AnswerLost,
    /// It takes its time.
    Slow,
}

/// A store in memory whose writes fail as they are told to.
#[derive(Debug, Default)]
pub struct FaultyStore {
    objects: InMemory,
    fault: AtomicU32,
    writes: AtomicU64,
}

impl FaultyStore {
    pub fn create() -> Arc<Self> {
        Arc::default()
    }

    /// All writes fail from now on.
    pub fn fail(&self, fault: Fault) {
        self.fault.store(fault as u32, Ordering::SeqCst);
    }

    /// How many writes were tried.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    fn fault(&self) -> Fault {
        let fault = self.fault.load(Ordering::SeqCst);
        [Fault::Denied, Fault::Unavailable, Fault::AnswerLost, Fault::Slow].into_iter().find(|known| *known as u32 == fault).unwrap_or(Fault::None)
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty store")
    }
}

fn unavailable() -> Error {
    Error::Generic { store: "faulty", source: "503 Service Unavailable".into() }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        match self.fault() {
            Fault::None => self.objects.put_opts(location, payload, options).await,
            Fault::Denied => Err(Error::PermissionDenied { path: location.to_string(), source: "403 Forbidden".into() }),
            Fault::Unavailable => Err(unavailable()),
            Fault::AnswerLost => {
                self.objects.put_opts(location, payload, options).await?;
                Err(unavailable())
            }
            Fault::Slow => {
                tokio::time::sleep(Duration::from_millis(500)).await;
                self.objects.put_opts(location, payload, options).await
            }
        }
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.objects.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.fault() {
            Fault::None | Fault::Slow => self.objects.delete_stream(locations),
            _ => locations.map(|_| Err(unavailable())).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}
