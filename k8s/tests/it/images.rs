//! `scripts/pin-images`, with a registry of the test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{any, get},
};

const TOKEN: &str = "a-token";
const DOCKERFILE: &str =
    "# Text: FROM here:1\nFROM node:22-slim AS page\nRUN build\n\nFROM owner/rust:1.94 AS server\nFROM debian:slim\nCOPY --from=server /a /b\n";

/// A registry that gives a digest to whoever brings the token for it.
struct Registry {
    url: String,
    /// The last digit of every digest.
    digit: Arc<Mutex<char>>,
}

impl Registry {
    async fn start() -> Self {
        let digit = Arc::new(Mutex::new('a'));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = (url.clone(), Arc::clone(&digit));
        let routes = Router::new().route("/token", get(token)).fallback(any(manifest)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, digit }
    }

    fn digest(&self) -> String {
        format!("sha256:{}{}", "0".repeat(63), *self.digit.lock().unwrap())
    }

    /// Runs the script on a copy of the Dockerfile.
    async fn pin(&self, dockerfile: &Path, arguments: &'static [&str]) -> Output {
        let mut command = Command::new("scripts/pin-images");
        command
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        command.env("REGISTRY", &self.url).env("DOCKERFILE", dockerfile);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }
}

type Shared = (String, Arc<Mutex<char>>);

async fn token(OriginalUri(uri): OriginalUri) -> impl IntoResponse {
    let query = uri.query().unwrap_or_default();
    assert!(query.contains("service=registry.test") && query.contains("pull"), "{query}");
    format!(r#"{{"expires_in": 300, "token": "{TOKEN}"}}"#)
}

async fn manifest(State((url, digit)): State<Shared>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> impl IntoResponse {
    if headers.get("authorization").is_none_or(|value| value != &format!("Bearer {TOKEN}")) {
        let challenge = format!(r#"Bearer realm="{url}/token",service="registry.test",scope="repository:a/b:pull""#);
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]);
    }
    let digest = format!("sha256:{}{}", "0".repeat(63), *digit.lock().unwrap());
    let known = ["/v2/library/node/manifests/22-slim", "/v2/owner/rust/manifests/1.94", "/v2/library/debian/manifests/slim"];
    // Without it, a registry answers with the manifest of one platform.
    let is_index = headers["accept"].to_str().unwrap().contains("application/vnd.oci.image.index.v1+json");
    if is_index && known.contains(&uri.path()) {
        (StatusCode::OK, [("docker-content-digest", digest)])
    } else {
        (StatusCode::NOT_FOUND, [("x-reason", "unknown".to_owned())])
    }
}

fn dockerfile(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn base_images_are_pinned_and_their_digests_renewed() {
    let registry = Registry::start().await;
    let path = dockerfile("Dockerfile-pinned", DOCKERFILE);
    assert_eq!(registry.pin(&path, &["--check"]).await.status.code(), Some(1), "there is no digest yet");
    for digit in ['a', 'b'] {
        *registry.digit.lock().unwrap() = digit;
        let output = registry.pin(&path, &[]).await;
        assert!(output.status.success(), "{output:?}");
        let mut expected = DOCKERFILE.to_owned();
        for image in ["node:22-slim", "owner/rust:1.94", "debian:slim"] {
            expected = expected.replace(&format!("FROM {image}"), &format!("FROM {image}@{}", registry.digest()));
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        assert!(registry.pin(&path, &["--check"]).await.status.success());
    }
    *registry.digit.lock().unwrap() = 'c';
    assert_eq!(registry.pin(&path, &["--check"]).await.status.code(), Some(1), "the tags have moved");
}

#[tokio::test]
async fn a_tag_that_is_unknown_changes_nothing() {
    let registry = Registry::start().await;
    let text = DOCKERFILE.replace("debian:slim", "debian:no-such-tag");
    let path = dockerfile("Dockerfile-unknown", &text);
    let output = registry.pin(&path, &[]).await;
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("no digest of debian:no-such-tag"), "{output:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

/// The bases of the Dockerfile that is here are images that the script finds.
#[test]
fn every_base_image_has_a_tag() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Dockerfile")).unwrap();
    let bases: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next()).collect();
    assert_eq!(bases.len(), 4);
    assert!(bases.iter().all(|base| base.contains(':')), "{bases:?}");
    let stages: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("FROM ")?.split_once(" AS ")).map(|(_, stage)| stage).collect();
    let compose = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../compose.yaml")).unwrap();
    let target = compose.lines().find_map(|line| line.trim().strip_prefix("target: ")).unwrap();
    assert!(stages.contains(&target), "compose.yaml builds {target}, and there are {stages:?}");
}
