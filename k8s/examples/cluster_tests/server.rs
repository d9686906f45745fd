//! The server as a process, and a client of it: GraphQL over HTTP, subscriptions over Server-Sent Events.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use toygres_store::testing::TestDatabase;

use crate::{Plan, Result};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The last lines of the logs of all servers of the run.
pub fn logs(plan: &Plan) -> String {
    let files = std::fs::read_dir(&plan.directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|log| format!("--- {}\n{}\n", log.display(), tail(&log))).collect()
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// A server, killed when it is dropped.
pub struct Server {
    child: Child,
    address: String,
    log: PathBuf,
    http: reqwest::Client,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub async fn start(plan: &Plan, database: &TestDatabase, kubeconfig: &Path, namespace: &str, env: &[(&str, &str)]) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(|error| error.to_string())?.port();
        let address = format!("127.0.0.1:{port}");
        let log = plan.directory.join(format!("server-{port}.log"));
        let file = std::fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let mut command = Command::new(&plan.server);
        command.args(["serve", "--listen", &address]).current_dir(&plan.directory).env_clear();
        for name in ["PATH", "HOME"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
            .env("TOYGRES_RUNTIME", "kubernetes")
            .env("DATABASE_URL", database.url())
            .env("TOYGRES_SECRET_KEY", KEY)
            .env("TOYGRES_DATA_DIR", plan.directory.join("data"))
            .env("TOYGRES_ENGINE_LOCK_SECONDS", "5")
            .env("AKS_NAMESPACE", namespace)
            .env("KUBECONFIG", kubeconfig)
            .envs(env.iter().copied());
        // In a process group of its own: Ctrl-C interrupts the tests, which stop the server after their clean-up.
        let child =
            command.stdout(Stdio::null()).stderr(file).process_group(0).spawn().map_err(|error| format!("{}: {error}", plan.server.display()))?;
        // Without the proxies of the environment.
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        let mut server = Self { child, address, log, http };
        server.ready().await?;
        Ok(server)
    }

    async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended with {status}: {}", self.tail()));
            }
            let answer = self.http.get(format!("http://{}/readyz", self.address)).timeout(Duration::from_secs(5)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("the server was not ready after {} s: {}", START_TIMEOUT.as_secs(), self.tail()))
    }

    /// Sends a GraphQL request; returns its data.
    pub async fn query(&self, query: &str, variables: Value) -> Result<Value> {
        let request = self.http.post(format!("http://{}/graphql", self.address)).timeout(Duration::from_secs(60));
        let response = request.json(&json!({"query": query, "variables": variables})).send().await.map_err(|error| error.to_string())?;
        let mut answer: Value = response.json().await.map_err(|error| error.to_string())?;
        if answer.get("errors").is_some() {
            return Err(format!("the server answered {answer}: {}", self.tail()));
        }
        Ok(answer["data"].take())
    }

    /// What clients of instances should trust, in PEM.
    pub async fn certificate_authorities(&self) -> Result<String> {
        let response = self.http.get(format!("http://{}/ca.pem", self.address)).send().await.map_err(|error| error.to_string())?;
        response.text().await.map_err(|error| error.to_string())
    }

    /// Creates an instance; returns its id.
    pub async fn create(&self, input: Value) -> Result<String> {
        let mutation = "mutation($input: CreateInstanceInput!) { createInstance(input: $input) { instance { id } userErrors { field message } } }";
        let payload = self.query(mutation, json!({"input": input})).await?["createInstance"].take();
        payload["instance"]["id"].as_str().map(str::to_owned).ok_or_else(|| format!("createInstance answered {payload}"))
    }

    /// Why an instance is not created.
    pub async fn refusal(&self, input: Value) -> Result<String> {
        let mutation = "mutation($input: CreateInstanceInput!) { createInstance(input: $input) { instance { id } userErrors { message } } }";
        let payload = self.query(mutation, json!({"input": input})).await?["createInstance"].take();
        payload["userErrors"][0]["message"].as_str().map(str::to_owned).ok_or_else(|| format!("createInstance answered {payload}"))
    }

    /// Requests the deletion of an instance; returns the ID of the operation.
    pub async fn request_deletion(&self, id: &str, keep_volumes: bool) -> Result<String> {
        let mutation = "mutation($id: ID!, $keep: Boolean) { deleteInstance(input: { id: $id, keepVolumes: $keep }) { operation { id } userErrors { message } } }";
        let payload = self.query(mutation, json!({"id": id, "keep": keep_volumes})).await?["deleteInstance"].take();
        payload["operation"]["id"].as_str().map(str::to_owned).ok_or_else(|| format!("deleteInstance answered {payload}"))
    }

    /// Deletes an instance and waits until it is deleted.
    pub async fn delete(&self, id: &str, keep_volumes: bool) -> Result<()> {
        self.request_deletion(id, keep_volumes).await?;
        // An instance that failed is deleted like any other, so `FAILED` is no reason to give up.
        let mut live = self.follow(id).await?;
        live.until_ok("DELETED", Duration::from_secs(180), |now| Ok(now["state"] == "DELETED")).await.map(drop)
    }

    /// Subscribes to an instance and waits until a value satisfies `condition`; returns it.
    pub async fn until(&self, id: &str, what: &str, limit: Duration, condition: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut live = self.follow(id).await?;
        live.until(what, limit, condition).await.map_err(|why| format!("{why}: {}", self.tail()))
    }

    /// Restarts an instance, and returns when that is accepted.
    pub async fn restart(&self, id: &str) -> Result<()> {
        let mutation = "mutation($id: ID!) { restartInstance(input: { id: $id }) { operation { id } userErrors { message } } }";
        let payload = self.query(mutation, json!({"id": id})).await?;
        if payload["restartInstance"]["userErrors"] == json!([]) { Ok(()) } else { Err(format!("restartInstance answered {payload}")) }
    }

    /// Repairs an instance; returns what the operation found when it has succeeded.
    pub async fn repair(&self, id: &str, limit: Duration) -> Result<Vec<String>> {
        let operation = self.operate("repairInstance", json!({ "id": id }), limit).await?;
        let findings = operation["steps"].as_array().into_iter().flatten().flat_map(|step| step["findings"].as_array()).flatten();
        Ok(findings.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Carries out a mutation that starts an operation; returns the operation when it has succeeded.
    pub async fn operate(&self, mutation: &str, input: Value, limit: Duration) -> Result<Value> {
        let type_name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let document =
            format!("mutation($input: {type_name}!) {{ {mutation}(input: $input) {{ operation {{ id }} userErrors {{ code field message }} }} }}");
        let payload = self.query(&document, json!({ "input": input })).await?[mutation].take();
        let id = payload["operation"]["id"].as_str().ok_or_else(|| format!("{mutation} answered {payload}"))?;
        let query = "query($id: ID!) { operation(id: $id) { status error { code message } steps { name status findings } } }";
        let deadline = Instant::now() + limit;
        loop {
            let now = self.query(query, json!({ "id": id })).await?["operation"].take();
            match now["status"].as_str() {
                Some("SUCCEEDED") => return Ok(now),
                Some("PENDING" | "RUNNING") if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(100)).await,
                _ => return Err(format!("the operation {id} is {now}: {}", self.tail())),
            }
        }
    }

    /// What was put back, as the event log of an instance says.
    pub async fn repairs(&self, id: &str) -> Result<Vec<String>> {
        let query = "query($id: ID!) { instance(id: $id) { events(first: 500) { nodes { type reason { message } } } } }";
        let events = self.query(query, json!({"id": id})).await?["instance"]["events"]["nodes"].take();
        let repairs = events.as_array().into_iter().flatten().filter(|event| event["type"] == "INSTANCE_REPAIRED");
        Ok(repairs.filter_map(|event| event["reason"]["message"].as_str().map(str::to_owned)).collect())
    }

    /// The codes of the reasons in the event log of an instance, in order.
    pub async fn reasons(&self, id: &str) -> Result<Vec<String>> {
        let query = "query($id: ID!) { instance(id: $id) { events(first: 500) { nodes { reason { code } } } } }";
        let events = self.query(query, json!({"id": id})).await?["instance"]["events"]["nodes"].take();
        Ok(events.as_array().into_iter().flatten().filter_map(|event| event["reason"]["code"].as_str().map(str::to_owned)).collect())
    }

    /// Whether the cluster answers, as the health of the server says.
    pub async fn sees_the_cluster(&self) -> Result<bool> {
        let health = self.query("{ controlPlane { health { runtime { reachable } } } }", json!({})).await?;
        Ok(health["controlPlane"]["health"]["runtime"]["reachable"] == true)
    }

    /// Subscribes to an instance.
    pub async fn follow(&self, id: &str) -> Result<Live> {
        let document =
            "subscription($id: ID!) { instance(id: $id) { name state health reason { code message } endpoint { host port } connectionString } }";
        let request = self.http.post(format!("http://{}/graphql", self.address)).header("Accept", "text/event-stream");
        let response = request.json(&json!({"query": document, "variables": {"id": id}})).send().await.map_err(|error| error.to_string())?;
        Ok(Live { response, buffer: Vec::new() })
    }

    /// Kills the server as a crash does.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops the server gracefully.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().map_err(|error| error.to_string())?;
        for _ in 0..200 {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("the server stopped with {status}: {}", self.tail())),
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Err(format!("the server did not stop within 20 s: {}", self.tail()))
    }

    /// The last lines of its log.
    fn tail(&self) -> String {
        format!("the end of its log:\n{}", tail(&self.log))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A subscription to an instance.
pub struct Live {
    response: reqwest::Response,
    buffer: Vec<u8>,
}

impl Live {
    /// Waits until a value satisfies `condition`; returns it. An instance that has failed satisfies no further one, so this fails at once.
    pub async fn until(&mut self, what: &str, limit: Duration, condition: impl Fn(&Value) -> bool) -> Result<Value> {
        let not_failed = |now: &Value| match (condition(now), now["state"] == "FAILED") {
            (false, true) => Err(format!("a subscriber did not see {what}: the instance has failed ({})", now["reason"])),
            (satisfied, _) => Ok(satisfied),
        };
        self.until_ok(what, limit, not_failed).await
    }

    /// The same, failing at the first value for which `condition` fails, and only then.
    pub async fn until_ok(&mut self, what: &str, limit: Duration, condition: impl Fn(&Value) -> Result<bool>) -> Result<Value> {
        let mut last = Value::Null;
        let wait = async {
            loop {
                last = self.next().await?;
                if condition(&last)? {
                    return Ok(last.clone());
                }
            }
        };
        let outcome = tokio::time::timeout(limit, wait).await;
        outcome.unwrap_or_else(|_| Err(format!("a subscriber did not see {what} within {} s; it saw last {last}", limit.as_secs())))
    }

    async fn next(&mut self) -> Result<Value> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
                let text = String::from_utf8_lossy(&event).into_owned();
                let Some(data) = text.lines().find_map(|line| line.strip_prefix("data: ")) else { continue };
                let mut result: Value = serde_json::from_str(data).map_err(|error| format!("{data}: {error}"))?;
                if result.get("errors").is_some() {
                    return Err(format!("the subscription answered {result}"));
                }
                return Ok(result["data"]["instance"].take());
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Err("the subscription ended".to_owned()),
                Err(error) => return Err(format!("the subscription broke: {error}")),
            }
        }
    }
}
