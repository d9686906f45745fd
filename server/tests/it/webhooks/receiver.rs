//! Receivers of webhooks.

use std::{
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::TIMEOUT;

/// The receiver of `tests/clients`, which verifies signatures with npm's standardwebhooks. It keeps what successive processes received.
pub struct NpmReceiver {
    port: u16,
    secret: String,
    child: Option<Child>,
    received: Arc<Mutex<Vec<Value>>>,
}

impl NpmReceiver {
    /// A receiver that is away.
    pub fn new(port: u16, secret: String) -> Self {
        Self { port, secret, child: None, received: Arc::default() }
    }

    /// Starts it, and waits until it listens.
    pub async fn come(&mut self) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        assert!(directory.join("node_modules/standardwebhooks").is_dir(), "the reference clients are not installed: scripts/test does it");
        let mut child = Command::new("node")
            .args(["webhook_receiver.mjs", &self.port.to_string(), &self.secret])
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = tokio::time::timeout(TIMEOUT, lines.next_line()).await.expect("it starts in time").unwrap();
        assert_eq!(ready.as_deref(), Some("{\"ready\":true}"));
        let received = self.received.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                received.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        self.child = Some(child);
    }

    /// Kills it in the middle of whatever it does.
    pub async fn go(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    pub fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }
}

/// A receiver in this process, with an answer that can be changed.
#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    received: Arc<Mutex<Vec<Value>>>,
    answer: Arc<Mutex<Answer>>,
}

/// What a receiver answers.
#[derive(Clone)]
pub enum Answer {
    Status(u16),
    RetryAfter(u16, &'static str),
    Redirect(String),
    Never,
    /// A status and a body without an end.
    Endless(u16),
}

impl Receiver {
    pub async fn start(answer: Answer) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { port: listener.local_addr().unwrap().port(), received: Arc::default(), answer: Arc::new(Mutex::new(answer)) };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hooks", self.port)
    }

    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// What was received: the headers of the specification, and the body.
    pub fn received(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let body_text = String::from_utf8(body.to_vec()).unwrap();
    let parsed: Value = serde_json::from_str(&body_text).unwrap();
    receiver.received.lock().unwrap().push(json!({
        "id": text("webhook-id"), "timestamp": text("webhook-timestamp"), "signature": text("webhook-signature"), "text": body_text,
        "type": parsed["type"], "data": parsed["data"],
    }));
    let answer = receiver.answer.lock().unwrap().clone();
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    match answer {
        Answer::Status(code) => (status(code), "an answer").into_response(),
        Answer::RetryAfter(code, after) => (status(code), [(header::RETRY_AFTER, after)]).into_response(),
        Answer::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Answer::Never => std::future::pending().await,
        Answer::Endless(code) => {
            let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024])));
            (status(code), axum::body::Body::from_stream(chunks)).into_response()
        }
    }
}
