//! An S3 server: `s3s-fs`, which verifies signatures and honours `If-None-Match`, with a temporary directory.

use hyper::{Method, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Mutex, task::JoinHandle};

pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET_KEY: &str = "the secret of the store";
pub const BUCKET: &str = "bucket";

/// A server with a bucket. It ends when it is dropped.
pub struct S3Server {
    _directory: TempDir,
    endpoint: String,
    task: JoinHandle<()>,
}

impl S3Server {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(directory.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            // `s3s-fs` looks whether there is an object and then writes it, so two could create the same one.
            let writes = std::sync::Arc::new(Mutex::new(()));
            while let Ok((socket, _)) = listener.accept().await {
                let (service, writes) = (service.clone(), writes.clone());
                let answer = service_fn(move |request: hyper::Request<Incoming>| {
                    let (service, writes) = (service.clone(), writes.clone());
                    async move {
                        let _write = if request.method() == Method::PUT { Some(writes.lock().await) } else { None };
                        hyper::service::Service::call(&service, request).await
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
            }
        });
        Self { _directory: directory, endpoint, task }
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
