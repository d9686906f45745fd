//! The real server as a process of its own, over a data directory of its own, and clients for it.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, chown, geteuid},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A data directory, for one server after the other.
pub struct Home {
    dir: TempDir,
}

/// A running server.
pub struct Server {
    child: Child,
    pub address: String,
    /// The API token that its clients present.
    pub bearer: Option<String>,
    http: reqwest::Client,
    log: PathBuf,
}

impl Home {
    pub fn new() -> Self {
        // PostgreSQL's user must be able to enter it, which it could not below /root.
        let dir = tempfile::Builder::new().prefix("toygres-it-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command of the binary that knows nothing of this machine's configuration.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_toygres"));
        command.args(arguments).current_dir(self.path()).env_clear().kill_on_drop(true);
        for name in ["PATH", "HOME", "TOYGRES_PG_BIN"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("TOYGRES_DATA_DIR", self.path().join("data")).env("XDG_CONFIG_HOME", self.path().join("config"));
        command
    }

    /// Starts a server and waits until it says that it is ready.
    pub async fn start(&self) -> Server {
        self.start_with(&[]).await
    }

    /// The same with more environment.
    pub async fn start_with(&self, env: &[(&str, &str)]) -> Server {
        let mut server = self.spawn(env).await;
        server.ready().await;
        server
    }

    /// Starts a server on a free port without waiting for anything but its listening.
    pub async fn spawn(&self, env: &[(&str, &str)]) -> Server {
        self.spawn_at(&Self::free_address(), env).await
    }

    /// The same where another one listened before.
    pub async fn spawn_at(&self, address: &str, env: &[(&str, &str)]) -> Server {
        let log = self.path().join(format!("server-{}.log", address.rsplit(':').next().unwrap_or_default()));
        let mut command = self.command(&["serve", "--listen", address]);
        let appended = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(appended);
        let child = command.spawn().unwrap();
        Server { child, address: address.to_owned(), bearer: None, http: reqwest::Client::new(), log }
    }

    /// Where nobody listens.
    pub fn free_address() -> String {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    }
}

impl Server {
    /// Waits for the ready line, if it has not been seen yet.
    pub async fn ready(&mut self) {
        let Some(stdout) = self.child.stdout.take() else { return };
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
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
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the server stops in time").unwrap();
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
        let deadline = Instant::now() + PATIENCE;
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

/// Subscribes at a server that may be away.
pub async fn subscribe_to(address: &str, query: &str, variables: Value) -> Result<Live, tungstenite::Error> {
    subscribe_as(address, None, query, variables).await
}

/// The same as the bearer of a token.
pub async fn subscribe_as(address: &str, token: Option<&str>, query: &str, variables: Value) -> Result<Live, tungstenite::Error> {
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let payload = token.map_or(json!({}), |token| json!({ "Authorization": format!("Bearer {token}") }));
    socket.send(Message::text(json!({ "type": "connection_init", "payload": payload }).to_string())).await?;
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": query, "variables": variables } });
    socket.send(Message::text(subscribe.to_string())).await?;
    Ok(Live { socket })
}

/// One subscription over a WebSocket.
pub struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Live {
    /// The next result; none when the subscription is over. Errors before the first result are a result too.
    pub async fn next(&mut self) -> Option<Value> {
        tokio::time::timeout(PATIENCE, self.try_next()).await.expect("something comes in time").expect("the socket stands")
    }

    /// Waits until the server closes the socket; its close code.
    pub async fn close_code(&mut self) -> u16 {
        let closed = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                    Some(Ok(_)) => {}
                    other => panic!("no close frame but {other:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.expect("the socket is closed in time")
    }

    /// The same, however long it takes, over a socket that may break.
    pub async fn try_next(&mut self) -> Result<Option<Value>, tungstenite::Error> {
        loop {
            let Some(message) = self.socket.next().await else { return Ok(None) };
            let Message::Text(text) = message? else { continue };
            let message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str() {
                Some("next") => return Ok(Some(message["payload"].clone())),
                Some("error") => return Ok(Some(json!({ "errors": message["payload"] }))),
                Some("complete") => return Ok(None),
                Some("ping") => self.socket.send(Message::text(r#"{"type":"pong"}"#)).await?,
                _ => {}
            }
        }
    }
}

/// A PostgreSQL server of the test's own, as an external metadata database.
pub struct Database {
    dir: TempDir,
    port: u16,
    options: &'static str,
}

impl Database {
    /// One that takes shortcuts, as a test may.
    pub fn start() -> Self {
        Self::create(&["--no-sync"], "-c fsync=off")
    }

    /// The same, and it logs each statement: see [`Self::statements`].
    pub fn start_logging() -> Self {
        Self::create(&["--no-sync"], "-c fsync=off -c log_statement=all")
    }

    /// Its log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Every statement it has executed since it was made.
    pub fn statements(&self) -> Vec<String> {
        let mut statements: Vec<String> = Vec::new();
        let log = self.log();
        let mut within = false;
        for line in log.lines() {
            // Further lines of an entry begin with a tab.
            match (line.strip_prefix('\t'), line.split_once("LOG:  execute ").or_else(|| line.split_once("LOG:  statement: "))) {
                (Some(more), _) if within => *statements.last_mut().unwrap() += more,
                (None, Some((_, statement))) => {
                    within = true;
                    statements.push(statement.to_owned());
                }
                _ => within = false,
            }
        }
        statements
    }

    /// One as a user has it.
    pub fn start_durable() -> Self {
        Self::create(&[], "")
    }

    fn create(initdb: &[&str], options: &'static str) -> Self {
        let dir = tempfile::Builder::new().prefix("toygres-db-").tempdir_in("/tmp").unwrap();
        if geteuid().is_root() {
            let user = User::from_name("postgres").unwrap().expect("the user postgres exists");
            chown(dir.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let database = Self { dir, port, options };
        database.run("initdb", &[&["-U", "postgres", "-A", "trust"], initdb].concat());
        database.resume();
        database
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file of its data directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("data").join(name)
    }

    /// The process id of the server.
    pub fn postmaster(&self) -> i32 {
        std::fs::read_to_string(self.file("postmaster.pid")).unwrap().lines().next().unwrap().parse().unwrap()
    }

    /// Stops it at once.
    pub fn halt(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "immediate"]);
    }

    /// Starts it again.
    pub fn resume(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= {}", self.port, self.options);
        let log = self.dir.path().join("log");
        self.run("pg_ctl", &["start", "-w", "-l", log.to_str().unwrap(), "-o", &options]);
    }

    /// Runs a program as the user that the server runs as; whether it went well.
    pub fn as_owner(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = std::process::Command::new(program);
        command.args(arguments).current_dir("/tmp").stdout(Stdio::null()).stderr(Stdio::null());
        if geteuid().is_root() {
            let user = User::from_name("postgres").unwrap().expect("the user postgres exists");
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command.status().unwrap().success()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let (program, data) = (pg_bin().join(program), self.dir.path().join("data"));
        let arguments = [&["-D", data.to_str().unwrap()], arguments].concat();
        assert!(self.as_owner(program.to_str().unwrap(), &arguments), "{program:?} {arguments:?}");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.halt()));
    }
}

/// Runs SQL with psql as a client of an instance does; what it prints.
pub async fn psql(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new(pg_bin().join("psql")).args([url, "-XAtqc", sql]).current_dir("/tmp").output().await.unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// A whole database as SQL.
pub async fn dump(url: &str) -> String {
    let output = Command::new(pg_bin().join("pg_dump")).args(["--inserts", url]).current_dir("/tmp").output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn pg_bin() -> PathBuf {
    toygres_process::Binaries::find(std::env::var("TOYGRES_PG_BIN").ok().as_deref()).unwrap().newest().bin.clone()
}

/// The process id of an instance's PostgreSQL.
pub fn postmaster(home: &Home, id: &str) -> i32 {
    let file = home.path().join("data/instances").join(id).join("data/postmaster.pid");
    std::fs::read_to_string(file).unwrap().lines().next().unwrap().parse().unwrap()
}

/// Processes that have this data directory in their arguments.
pub fn processes_of(home: &Home) -> Vec<String> {
    let needle = home.path().to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(&needle) {
            found.push(arguments);
        }
    }
    found
}

/// The resident memory of a process in bytes.
pub fn memory_of(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// The processor time of a process so far.
pub fn cpu_of(pid: u32) -> Duration {
    ticks_of(pid, 11).expect("the process runs")
}

/// A pair of times in a process's `stat`: 11 for its own, 13 for those of children that it has buried.
fn ticks_of(pid: u32, first: usize) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks: u64 = stat.rsplit(") ").next()?.split(' ').skip(first).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    // Linux counts in hundredths of a second for every process that asks.
    Some(Duration::from_millis(ticks * 10))
}

/// The processor time so far of a process, of its children, and of those it has buried.
pub fn cpu_of_family(parent: i32) -> Duration {
    let alive: Duration = children_of(parent).into_iter().filter_map(|pid| ticks_of(pid.unsigned_abs(), 11)).sum();
    let buried = ticks_of(parent.unsigned_abs(), 13).unwrap_or_default();
    cpu_of(parent.unsigned_abs()) + alive + buried
}

/// The child processes.
pub fn children_of(parent: i32) -> Vec<i32> {
    let parent_of = |pid: i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(") ").next()?.split(' ').nth(1)?.parse::<i32>().ok()
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

pub fn is_alive(pid: i32) -> bool {
    // A zombie is dead; only its parent has not heard of it yet.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// A connection to a database.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Looks until `there` holds.
pub async fn eventually(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !there().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
