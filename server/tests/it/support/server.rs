//! A running server, and requests to it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

use super::{Live, TIMEOUT, cpu_of, memory_of, subscribe_as, text};

/// A running server.
pub struct Server {
    child: Child,
    pub address: String,
    /// The API token of its clients.
    pub bearer: Option<String>,
    /// Trusts [`CERTIFICATE`](super::CERTIFICATE).
    pub http: reqwest::Client,
    scheme: &'static str,
    log: PathBuf,
}

impl Server {
    pub(super) fn of(child: Child, address: &str, scheme: &'static str, log: PathBuf) -> Self {
        let trusted = reqwest::Certificate::from_pem(&std::fs::read(super::CERTIFICATE).unwrap()).unwrap();
        let http = reqwest::Client::builder().add_root_certificate(trusted).build().unwrap();
        Self { child, address: address.to_owned(), bearer: None, http, scheme, log }
    }

    /// Waits for the ready line, if it was not read yet.
    pub async fn ready(&mut self) {
        let Some(stdout) = self.child.stdout.take() else { return };
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(TIMEOUT, lines.next_line()).await;
        match line {
            Ok(Ok(Some(line))) if line.contains("ready") => {}
            other => panic!("no ready line but {other:?}; the log:\n{}", self.log()),
        }
    }

    pub fn log_path(&self) -> &Path {
        &self.log
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The CPU time of the server.
    pub fn cpu(&self) -> Duration {
        cpu_of(self.child.id().expect("the server runs"))
    }

    /// The process id of what was started.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id().expect("the server runs")).unwrap()
    }

    /// The resident memory of the server in bytes.
    pub fn memory(&self) -> u64 {
        memory_of(self.child.id().expect("the server runs"))
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().expect("the server runs");
        kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
    }

    /// Stops the server with SIGTERM, and waits until it has exited without an error.
    pub async fn stop(self) {
        self.stop_with(Signal::SIGTERM).await;
    }

    /// Like [`Self::stop`], with another signal.
    pub async fn stop_with(mut self, signal: Signal) {
        self.signal(signal);
        let status = tokio::time::timeout(TIMEOUT, self.child.wait()).await.expect("the server stops in time").unwrap();
        assert!(status.success(), "{status}; the log:\n{}", self.log());
    }

    /// Kills the server with SIGKILL.
    pub async fn kill(mut self) {
        self.crash().await;
    }

    /// Kills the server with SIGKILL, so that it can be replaced.
    pub async fn crash(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait().await;
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        let mut request = self.http.get(self.url(path));
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    pub async fn post(&self, body: &Value) -> reqwest::Response {
        let mut request = self.http.post(self.url("/graphql")).json(body);
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    /// Sends a GraphQL request. Returns the whole response.
    pub async fn request(&self, query: &str, variables: Value) -> Value {
        self.post(&json!({ "query": query, "variables": variables })).await.json().await.unwrap()
    }

    /// Sends a GraphQL request that must not have errors. Returns the data.
    pub async fn query(&self, query: &str, variables: Value) -> Value {
        let answer = self.request(query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}\nthe log:\n{}", self.log());
        answer["data"].clone()
    }

    /// Requests the creation of an instance. Returns the payload.
    pub async fn create(&self, input: Value) -> Value {
        let mutation = "mutation($input: CreateInstanceInput!) { createInstance(input: $input) {
            instance { id name state username database postgresVersion storageGb deletionProtected labels { key value } }
            operation { id status } userErrors { code field message } } }";
        self.query(mutation, json!({ "input": input })).await["createInstance"].clone()
    }

    /// Requests the creation of an instance, which must be accepted. Returns the id.
    pub async fn create_ok(&self, name: &str) -> String {
        let payload = self.create(json!({ "name": name })).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        text(&payload["instance"]["id"])
    }

    /// Requests the deletion of an instance. Returns the payload.
    pub async fn delete(&self, id: &str) -> Value {
        let mutation =
            "mutation($id: ID!) { deleteInstance(input: { id: $id }) { instance { state } operation { id } userErrors { code field message } } }";
        self.query(mutation, json!({ "id": id })).await["deleteInstance"].clone()
    }

    pub async fn instance(&self, id: &str) -> Value {
        let query = "query($id: ID!) { instance(id: $id) { id name state health reason { code message } connectionString endpoint { host port }
            revision labels { key value } deletionProtected operations { nodes { id kind status error { code message } steps { name status attempt } } } } }";
        self.query(query, json!({ "id": id })).await["instance"].clone()
    }

    /// Follows an instance until `there` returns true. Returns the instance.
    pub async fn until(&self, id: &str, what: &str, there: impl Fn(&Value) -> bool) -> Value {
        let document =
            "subscription($id: ID!) { instance(id: $id) { state health reason { code message } connectionString endpoint { host port } } }";
        let mut live = self.subscribe(document, json!({ "id": id })).await;
        let deadline = Instant::now() + TIMEOUT;
        let mut last = Value::Null;
        while let Ok(Some(item)) = tokio::time::timeout(deadline.saturating_duration_since(Instant::now()), live.next()).await {
            // A connection that the database has closed is found out by whoever uses it first.
            if item["errors"][0]["extensions"]["code"] == "UNAVAILABLE" {
                live = self.subscribe(document, json!({ "id": id })).await;
                continue;
            }
            last = item["data"]["instance"].clone();
            if there(&last) {
                return last;
            }
        }
        panic!("{id} never was {what}; last: {last:#}\nthe log:\n{}", self.log());
    }

    pub async fn until_healthy(&self, id: &str) -> Value {
        self.until(id, "running and healthy", |now| now["state"] == "RUNNING" && now["health"] == "HEALTHY").await
    }

    pub async fn until_deleted(&self, id: &str) {
        self.until(id, "deleted", |now| now["state"] == "DELETED").await;
    }

    pub async fn subscribe(&self, query: &str, variables: Value) -> Live {
        subscribe_as(&self.address, self.bearer.as_deref(), query, variables).await.unwrap()
    }
}
