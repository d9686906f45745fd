//! A registry of npm with one package, for the real npm.

use std::{
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, extract::State, http::Uri, response::Response};
use serde_json::{Value, json};
use tempfile::TempDir;

pub struct Registry {
    address: String,
    published: Arc<Mutex<Vec<Published>>>,
    /// npm's cache, so that nothing comes from that of this machine.
    cache: TempDir,
}

struct Published {
    version: String,
    integrity: String,
    /// `None`: the download never begins.
    archive: Option<Vec<u8>>,
}

impl Registry {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let published = Arc::<Mutex<Vec<Published>>>::default();
        let router = Router::new().fallback(answer).with_state((address.clone(), published.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, published, cache: tempfile::tempdir().unwrap() }
    }

    /// A package with the programs of `bin`.
    pub fn publish(&self, version: &str, bin: &Path) {
        let archive = package(version, bin);
        self.published.lock().unwrap().push(Published { version: version.to_owned(), integrity: integrity(&archive), archive: Some(archive) });
    }

    /// A package that is not what the registry says.
    pub fn publish_altered(&self, version: &str, bin: &Path) {
        let mut archive = package(version, bin);
        let integrity = integrity(&archive);
        archive.push(0);
        self.published.lock().unwrap().push(Published { version: version.to_owned(), integrity, archive: Some(archive) });
    }

    /// A package whose download never begins.
    pub fn publish_stalled(&self, version: &str) {
        self.published.lock().unwrap().push(Published { version: version.to_owned(), integrity: integrity(&[]), archive: None });
    }

    pub fn withdraw(&self, version: &str) {
        self.published.lock().unwrap().retain(|published| published.version != version);
    }

    pub fn environment(&self) -> [(&'static str, String); 2] {
        [("npm_config_registry", format!("http://{}", self.address)), ("npm_config_cache", self.cache.path().display().to_string())]
    }
}

type Shared = (String, Arc<Mutex<Vec<Published>>>);

async fn answer(State((address, published)): State<Shared>, uri: Uri) -> Response {
    if let Some(version) = uri.path().strip_prefix("/archives/") {
        let archive = published.lock().unwrap().iter().find(|it| it.version == version).and_then(|it| it.archive.clone());
        return match archive {
            Some(archive) => Response::new(Body::from(archive)),
            None => std::future::pending().await,
        };
    }
    let name = uri.path().trim_start_matches('/').replace("%2f", "/");
    let versions: serde_json::Map<String, Value> = published
        .lock()
        .unwrap()
        .iter()
        .map(|Published { version, integrity, .. }| {
            let dist = json!({ "tarball": format!("http://{address}/archives/{version}"), "integrity": integrity });
            (version.clone(), json!({ "name": name, "version": version, "dist": dist }))
        })
        .collect();
    let latest = versions.keys().next_back().cloned();
    let found = name.starts_with("@embedded-postgres/") && latest.is_some();
    let body = if found { json!({ "name": name, "dist-tags": { "latest": latest }, "versions": versions }) } else { json!({ "error": "Not found" }) };
    let status = if found { 200 } else { 404 };
    Response::builder().status(status).header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
}

/// Programs that call those of `bin`, and nothing else, so that libraries and `pg_upgrade` are missing.
fn package(version: &str, bin: &Path) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let native = directory.path().join("package/native");
    std::fs::create_dir_all(native.join("bin")).unwrap();
    std::fs::write(directory.path().join("package/package.json"), json!({ "name": "x", "version": version }).to_string()).unwrap();
    for name in ["postgres", "initdb"] {
        let program = native.join("bin").join(name);
        std::fs::write(&program, format!("#!/bin/sh\nexec {} \"$@\"\n", bin.join(name).display())).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    let archive = Command::new("tar").args(["-czf", "-", "package"]).current_dir(directory.path()).output().unwrap();
    assert!(archive.status.success(), "{archive:?}");
    archive.stdout
}

fn integrity(bytes: &[u8]) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    format!("sha512-{}", base64::prelude::BASE64_STANDARD.encode(sha2::Sha512::digest(bytes)))
}
