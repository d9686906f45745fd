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
    /// The API token that its clients present.
    pub bearer: Option<String>,
    http: reqwest::Client,
    log: PathBuf,
}

impl Server {
    pub(super) fn of(child: Child, address: &str, log: PathBuf) -> Self {
        Self { child, address: address.to_owned(), bearer: None, http: reqwest::Client::new(), log }
    }

    /// Waits for the ready line, if it has not been seen yet.
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

    /// Its processor time so far.
    pub fn cpu(&self) -> Duration {
        cpu_of(self.child.id().expect("the server runs"))
    }

    /// Its resident memory in bytes.
    pub fn memory(&self) -> u64 {
        memory_of(self.child.id().expect("the server runs"))
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().expect("the server runs");
        kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal).unwrap();
    }

    /// Stops it as Ctrl-C does, and waits for its end.
    pub async fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        let status = tokio::time::timeout(TIMEOUT, self.child.wait()).await.expect("the server stops in time").unwrap();
        assert!(status.success(), "{status}; the log:\n{}", self.log());
    }

    /// Kills it as a crash does.
    pub async fn kill(mut self) {
        self.crash().await;
    }

    /// The same, to be replaced.
    pub async fn crash(&mut self) {
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait().await;
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(format!("http://{}{path}", self.address)).send().await.unwrap()
    }

    pub async fn post(&self, body: &Value) -> reqwest::Response {
        let mut request = self.http.post(format!("http://{}/graphql", self.address)).json(body);
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    /// A GraphQL request; the whole answer.
    pub async fn request(&self, query: &str, variables: Value) -> Value {
        self.post(&json!({ "query": query, "variables": variables })).await.json().await.unwrap()
    }

    /// A GraphQL request that must not have errors; its data.
    pub async fn query(&self, query: &str, variables: Value) -> Value {
        let answer = self.request(query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}\nthe log:\n{}", self.log());
        answer["data"].clone()
    }

    /// Orders an instance; the payload.
    pub async fn create(&self, input: Value) -> Value {
        let mutation = "mutation($input: CreateInstanceInput!) { createInstance(input: $input) {
            instance { id name state username database postgresVersion storageGb deletionProtected labels { key value } }
            operation { id status } userErrors { code field message } } }";
        self.query(mutation, json!({ "input": input })).await["createInstance"].clone()
    }

    /// Orders an instance that must be accepted; its id.
    pub async fn create_ok(&self, name: &str) -> String {
        let payload = self.create(json!({ "name": name })).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        text(&payload["instance"]["id"])
    }

    /// Orders the deletion; the payload.
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

    /// Follows an instance until `there` holds; what it was then.
    pub async fn until(&self, id: &str, what: &str, there: impl Fn(&Value) -> bool) -> Value {
        let document =
            "subscription($id: ID!) { instance(id: $id) { state health reason { code message } connectionString endpoint { host port } } }";
        let mut live = self.subscribe(document, json!({ "id": id })).await;
        let deadline = Instant::now() + TIMEOUT;
        let mut last = Value::Null;
        while let Ok(Some(item)) = tokio::time::timeout(deadline.saturating_duration_since(Instant::now()), live.next()).await {
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
