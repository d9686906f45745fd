//! Tests of the process runtime and the embedded metadata database, with real PostgreSQL.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion, ReasonCode},
    name::SqlName,
    runtime::{Deployment, Nudge, Observation, Progress, Runtime},
    secret::Secret,
};
use toygres_postgres::contract;
use toygres_postgres::contract::{Hooks, Subject};
use toygres_process::{Account, Binaries, DataDir, Embedded, HostLock, ProcessConfig, ProcessRuntime, Role};

/// The variable that tells the victim of the crash test where to work.
const VICTIM: &str = "TOYGRES_TEST_CRASH_VICTIM";
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let home = Home::new();
    let server = home.host();
    let deployment = |name: &str| deployment_of(&home, name);
    let subject = Subject { runtime: &server.runtime, deployment: &deployment, hooks: &home, patience: PATIENCE };
    contract::check_all(subject).await;
    server.stop().await;
    assert_eq!(home.names_in("instances"), Vec::<String>::new(), "nothing is left, locks included");
    assert_eq!(home.names_in("kept").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back() {
    let home = Home::new();
    let server = home.host();
    let deployment = deployment_of(&home, "killed");
    let endpoint = server.deploy(&deployment).await;
    let mut nudges = server.runtime.nudges();
    // A worker that is too busy to notice keeps the dead server's shared memory.
    let mut client = home.psql_command(&deployment, &endpoint, "SELECT sum(n) FROM generate_series(1, 10000000000) n").spawn().unwrap();
    home.until("the query runs", || {
        home.query(&deployment, &endpoint, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT sum%'") == "1"
    })
    .await;
    let killed = Instant::now();
    home.kill_instance(deployment.id);
    let death = next_death(&mut nudges, deployment.id).await;
    eprintln!("measured: death nudge after {:?}", killed.elapsed());
    assert_eq!(death.death.as_ref().unwrap().code, ReasonCode::ProcessExited);
    assert!(death.death.unwrap().message.contains("signal 9"), "the cause is named");
    assert_eq!(server.ready(deployment.id).await, endpoint, "on the same port");
    eprintln!("measured: back after {:?}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(5));
    assert_eq!(home.query(&deployment, &endpoint, "SELECT 1"), "1");
    assert!(!client.wait().unwrap().success());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_control_plane_finds_its_instances_again() {
    let home = Home::new();
    let first = home.host();
    let deployment = deployment_of(&home, "orphan");
    let endpoint = first.deploy(&deployment).await;
    let pid = home.pid(deployment.id).unwrap();
    first.vanish().await;
    assert!(home.alive(pid), "a killed control plane takes nobody with it");
    let second = home.host();
    assert_eq!(second.ready(deployment.id).await, endpoint);
    assert_eq!(home.pid(deployment.id), Some(pid), "adopted, not restarted");
    let mut nudges = second.runtime.nudges();
    home.until("the second control plane has seen it", || !home.names_in("templates").is_empty()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    home.kill_instance(deployment.id);
    next_death(&mut nudges, deployment.id).await;
    assert_eq!(second.ready(deployment.id).await, endpoint, "an adopted instance is looked after like any other");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_keeps_what_is_deployed() {
    let home = Home::new();
    let first = home.host();
    let deployments: Vec<_> = (0..3).map(|n| deployment_of(&home, &format!("stop-{n}"))).collect();
    let mut endpoints = Vec::new();
    for deployment in &deployments {
        endpoints.push(first.deploy(deployment).await);
    }
    assert!(home.leave_mark(&deployments[0], &endpoints[0]).await);
    let stopping = Instant::now();
    first.stop().await;
    eprintln!("measured: clean stop of 3 instances {:?}", stopping.elapsed());
    for deployment in &deployments {
        assert_eq!(home.pid(deployment.id), None, "stopped");
    }
    let starting = Instant::now();
    let second = home.host();
    for (deployment, endpoint) in deployments.iter().zip(&endpoints) {
        assert_eq!(&second.ready(deployment.id).await, endpoint, "back on the same port");
    }
    eprintln!("measured: start with 3 instances {:?}", starting.elapsed());
    assert!(home.has_mark(&deployments[0], &endpoints[0]).await);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_exchanged() {
    let home = Home::new();
    let first = home.host();
    let deployment = deployment_of(&home, "port");
    let endpoint = first.deploy(&deployment).await;
    first.stop().await;
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", endpoint.port)).unwrap();
    let second = home.host();
    let moved = second.ready(deployment.id).await;
    assert_ne!(moved.port, endpoint.port);
    assert_eq!(home.query(&deployment, &moved, "SELECT 1"), "1");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_password_works_and_lies_nowhere() {
    let home = Home::new();
    let server = home.host();
    for (n, password) in
        ["it's \\ \"q\" $1 $$ ; -- x", " leading and trailing ", "Grüße-日本語-🐘", "ﬁ-ligature-①-nfkc", "soft\u{ad}hyphen-\u{a0}nbsp"]
            .into_iter()
            .enumerate()
    {
        let deployment = Deployment { password: Secret::password(password.to_owned()).unwrap(), ..deployment_of(&home, &format!("weird-{n}")) };
        let endpoint = server.deploy(&deployment).await;
        assert_eq!(home.query(&deployment, &endpoint, "SELECT current_user"), "app", "password {n}");
        let wrong = Deployment { password: Secret::new("wrong-password".into()), ..deployment.clone() };
        assert!(!home.psql(&wrong, &endpoint, "SELECT 1").status.success(), "another password does not");
        if n == 0 {
            home.assert_nowhere(password);
            let rights =
                home.query(&deployment, &endpoint, "SELECT rolsuper::text || rolcreatedb || rolcanlogin FROM pg_roles WHERE rolname = current_user");
            assert_eq!(rights, "falsetruetrue");
            let hba = home.query(&deployment, &endpoint, "SHOW listen_addresses");
            assert_eq!(hba, "127.0.0.1");
        }
        assert_eq!(server.runtime.remove(deployment.id, false).await, Ok(Progress::Done));
        assert!(std::net::TcpStream::connect(("127.0.0.1", endpoint.port)).is_err(), "gone means that nobody listens");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_a_crash_are_cleared_at_the_start() {
    let home = Home::new();
    let ids: Vec<_> = (0..4).map(|_| InstanceId::generate()).collect();
    for (id, prefix) in ids.iter().zip([".staging-", ".removed-", ".keeping-"]) {
        std::fs::create_dir_all(home.data.join("instances").join(format!("{prefix}{id}")).join("data/base")).unwrap();
    }
    std::fs::write(home.data.join("instances").join(format!("{}.lock", ids[3])), "").unwrap();
    std::fs::create_dir_all(home.data.join("templates/.99.9-r1-x/data")).unwrap();
    std::fs::create_dir_all(home.data.join("templates/9.6-r1/data")).unwrap();
    let server = home.host();
    home.until("leftovers are cleared", || home.names_in("instances").is_empty()).await;
    home.until("templates are pruned", || home.names_in("templates").iter().all(|name| !name.contains("9.6") && !name.contains("99.9"))).await;
    assert_eq!(home.names_in("kept"), [ids[2].to_string()], "what was to be kept is kept");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_runs_verbs_and_the_host_looks_after_the_result() {
    let home = Home::new();
    let host = home.host();
    let guest = home.guest();
    let deployment = deployment_of(&home, "guest");
    let mut nudges = host.runtime.nudges();
    let endpoint = guest.deploy(&deployment).await;
    let nudged = async { while nudges.next().await.unwrap().instance != deployment.id {} };
    tokio::time::timeout(PATIENCE, nudged).await.expect("the host sees what the guest made");
    guest.stop().await;
    assert!(home.pid(deployment.id).is_some(), "a guest that goes stops nothing");
    // The host may have seen the directory before the guest's server ran; then it hears of that one only as something to start.
    // The one that it starts is its own to watch.
    home.kill_instance(deployment.id);
    let told = tokio::time::timeout(Duration::from_secs(5), next_death(&mut nudges, deployment.id)).await;
    assert_eq!(host.ready(deployment.id).await, endpoint);
    if told.is_err() {
        home.kill_instance(deployment.id);
        next_death(&mut nudges, deployment.id).await;
        assert_eq!(host.ready(deployment.id).await, endpoint);
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_told_with_its_cause() {
    let home = Home::new();
    let server = home.host();
    let deployment = deployment_of(&home, "loop");
    server.deploy(&deployment).await;
    let instance = home.instance(deployment.id);
    std::fs::write(instance.join("postgresql.conf"), "include 'port.conf'\nunix_socket_directories = ''\nno_such_setting = 1\n").unwrap();
    home.kill_instance(deployment.id);
    let deadline = Instant::now() + PATIENCE;
    let reason = loop {
        if let Observation::Failed(reason) = server.runtime.observe(deployment.id).await.unwrap() {
            break reason;
        }
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(reason.code, ReasonCode::CrashLoop);
    assert!(reason.message.contains("configuration file"), "{}", reason.message);
    assert!(!reason.message.contains(home.data.path().to_str().unwrap()), "no paths of this machine: {}", reason.message);
    // The way out: deploying again repairs the configuration, and starts it at once.
    server.runtime.deploy(&deployment).await.unwrap();
    server.ready(deployment.id).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_belong_to_who_needs_them() {
    let home = Home::new();
    let server = home.host();
    let deployment = deployment_of(&home, "owners");
    server.deploy(&deployment).await;
    let instance = home.instance(deployment.id);
    let us = geteuid().as_raw();
    let postgres = if us == 0 { User::from_name("postgres").unwrap().unwrap().uid.as_raw() } else { us };
    let owner = |path: &Path| path.metadata().unwrap().uid();
    for ours in ["", "postgresql.conf", "pg_hba.conf", "port.conf", "log"] {
        assert_eq!(owner(&instance.join(ours)), us, "{ours}");
    }
    for theirs in ["data", "data/PG_VERSION", "data/base", "data/postmaster.pid"] {
        assert_eq!(owner(&instance.join(theirs)), postgres, "{theirs}");
    }
    assert_eq!(instance.join("data").metadata().unwrap().permissions().mode() & 0o777, 0o700);
    server.stop().await;
}

/// The control plane of `a_crash_at_any_instant_is_repaired`, which kills it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as a process of its own"]
async fn crash_victim() {
    let Some(directory) = std::env::var_os(VICTIM) else { return };
    let home = Home::over(Path::new(&directory));
    let lock = Arc::new(home.data.try_host().unwrap().expect("the last one is dead"));
    let server = home.server(Role::Host(lock.clone()));
    let _embedded = home.embedded(&lock).await;
    for n in 0.. {
        let deployment = deployment_of(&home, "victim");
        let _ = server.runtime.deploy(&deployment).await;
        if n % 3 != 0 {
            let _ = server.runtime.remove(deployment.id, n % 3 == 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_instant_is_repaired() {
    let home = Home::new();
    // Later and later; on a slow machine until an instance got made.
    for round in 0..50 {
        // What is only half made or half removed may be gone after the repair.
        if round >= 16 && home.names_in("instances").iter().any(|name| name.parse::<InstanceId>().is_ok()) {
            break;
        }
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::crash_victim", "--ignored"])
            .env(VICTIM, home.data.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(90 * round + 10)).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    // A child that the last victim was just forking gives the lock back when it becomes another program.
    home.until("the victims are dead", || home.data.try_host().unwrap().is_some()).await;
    let lock = Arc::new(home.data.try_host().unwrap().expect("nobody else wants it"));
    let server = home.server(Role::Host(lock.clone()));
    let embedded = home.embedded(&lock).await;
    assert_eq!(home.query_url(embedded.url(), "SELECT 1"), "1");
    let ids = server.runtime.list().await.unwrap();
    assert!(!ids.is_empty(), "some instance was made in all this time");
    for id in ids {
        let deployment = Deployment { id, ..deployment_of(&home, "victim") };
        server.runtime.deploy(&deployment).await.unwrap();
        server.ready(id).await;
        assert_eq!(server.runtime.remove(id, false).await, Ok(Progress::Done));
        assert_eq!(home.residue(id).await, Vec::<String>::new());
    }
    home.until("locks of dead servers are swept", || home.names_in("instances").is_empty()).await;
    server.stop().await;
    embedded.stop().await.unwrap();
    let templates = home.names_in("templates").into_iter().filter(|name| name != "lock").count();
    assert_eq!(templates, home.binaries.versions().len(), "half-made templates are gone");
}

#[test]
fn one_server_is_the_host() {
    let home = Home::new();
    let first = home.data.try_host().unwrap().expect("nobody is");
    assert_eq!(home.data.host_pid(), Some(std::process::id()));
    assert!(home.data.try_host().unwrap().is_none());
    drop(first);
    assert!(home.data.try_host().unwrap().is_some());
}

#[test]
fn a_closed_data_directory_is_explained() {
    if !geteuid().is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let error = DataDir::open(&closed.path().join("data"), &Account::resolve("postgres").unwrap()).unwrap_err().to_string();
    assert!(error.contains("TOYGRES_DATA_DIR") && error.contains(closed.path().to_str().unwrap()), "{error}");
    assert!(Account::resolve("nobody-has-this-name").unwrap_err().to_string().contains("TOYGRES_PG_USER"));
    assert!(Account::resolve("root").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_database_lives_through_everything() {
    let home = Home::new();
    let host = home.data.try_host().unwrap().unwrap();
    let begin = Instant::now();
    let first = home.embedded(&host).await;
    eprintln!("measured: first start of the metadata database {:?}", begin.elapsed());
    let url = first.url().to_owned();
    let file = home.data.join("metadata.url");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), url);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.query_url(&url, "CREATE TABLE t AS SELECT 7 AS n; SELECT current_user || current_database()"), "toygrestoygres");
    let password = url.split([':', '@']).nth(2).unwrap();
    assert!(!password.is_empty());
    // Killed, it comes back at the same place.
    let begin = Instant::now();
    home.kill_cluster("metadata");
    home.until("the metadata database is back", || home.try_query_url(&url, "SELECT n FROM t").as_deref() == Some("7")).await;
    eprintln!("measured: metadata database back {:?} after kill -9", begin.elapsed());
    // The server killed: the next one takes over what runs.
    drop(first);
    let pid = home.cluster_pid("metadata").unwrap();
    let begin = Instant::now();
    let second = home.embedded(&host).await;
    eprintln!("measured: adoption {:?}", begin.elapsed());
    assert_eq!((second.url(), home.cluster_pid("metadata")), (url.as_str(), Some(pid)));
    second.stop().await.unwrap();
    assert!(home.try_query_url(&url, "SELECT 1").is_none(), "stopped");
    let begin = Instant::now();
    let third = home.embedded(&host).await;
    eprintln!("measured: second start of the metadata database {:?}", begin.elapsed());
    assert_eq!(third.url(), url);
    assert_eq!(home.query_url(&url, "SELECT n FROM t"), "7");
    third.stop().await.unwrap();
    // The file with the password lost: it gets another one.
    std::fs::remove_file(&file).unwrap();
    let fourth = home.embedded(&host).await;
    assert_ne!(fourth.url(), url);
    assert_eq!(home.query_url(fourth.url(), "SELECT n FROM t"), "7");
    fourth.stop().await.unwrap();
}

/// A data directory of a test, and the programs to look at it. Whatever still runs there is killed at the end.
struct Home {
    data: DataDir,
    binaries: Binaries,
    account: Account,
    /// Deleted with the test.
    directory: Option<tempfile::TempDir>,
}

/// A control plane of a test: a runtime and its supervisor.
struct Server {
    runtime: ProcessRuntime,
    shutdown: CancellationToken,
    supervisor: JoinHandle<()>,
}

impl Home {
    fn new() -> Self {
        // For example RUST_LOG=toygres_server=debug shows what each step of a deployment costs.
        let _ = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).with_test_writer().try_init();
        let directory = tempfile::Builder::new().prefix("toygres-test-").tempdir().unwrap();
        let mut home = Self::over(directory.path());
        home.directory = Some(directory);
        home
    }

    fn over(directory: &Path) -> Self {
        let account = Account::resolve("postgres").unwrap();
        let data = DataDir::open(directory, &account).unwrap();
        Self { data, binaries: Binaries::find(None).unwrap(), account, directory: None }
    }

    fn host(&self) -> Server {
        let lock = self.data.try_host().unwrap().expect("nobody else is the host");
        self.server(Role::Host(Arc::new(lock)))
    }

    fn guest(&self) -> Server {
        self.server(Role::Guest)
    }

    fn server(&self, role: Role) -> Server {
        let config = ProcessConfig { data: self.data.clone(), binaries: self.binaries.clone(), account: self.account.clone() };
        let (runtime, shutdown) = (ProcessRuntime::open(config), CancellationToken::new());
        let supervisor = tokio::spawn({
            let (runtime, shutdown) = (runtime.clone(), shutdown.clone());
            async move { runtime.supervise(role, shutdown).await }
        });
        Server { runtime, shutdown, supervisor }
    }

    async fn embedded(&self, host: &HostLock) -> Embedded {
        Embedded::start(&self.data, &self.binaries, &self.account, host).await.unwrap()
    }

    fn instance(&self, id: InstanceId) -> PathBuf {
        self.data.join("instances").join(id.to_string())
    }

    fn names_in(&self, directory: &str) -> Vec<String> {
        std::fs::read_dir(self.data.join(directory)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn cluster_pid(&self, cluster: &str) -> Option<u32> {
        std::fs::read_to_string(self.data.join(cluster).join("data/postmaster.pid")).ok()?.lines().next()?.parse().ok()
    }

    fn pid(&self, id: InstanceId) -> Option<u32> {
        self.cluster_pid(&format!("instances/{id}"))
    }

    fn alive(&self, pid: u32) -> bool {
        kill(Pid::from_raw(pid.cast_signed()), None).is_ok()
    }

    fn kill_cluster(&self, cluster: &str) {
        kill(Pid::from_raw(self.cluster_pid(cluster).expect("it runs").cast_signed()), Signal::SIGKILL).unwrap();
    }

    fn kill_instance(&self, id: InstanceId) {
        self.kill_cluster(&format!("instances/{id}"));
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < deadline, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn psql(&self, deployment: &Deployment, endpoint: &Endpoint, sql: &str) -> Output {
        self.psql_command(deployment, endpoint, sql).output().unwrap()
    }

    fn psql_command(&self, deployment: &Deployment, endpoint: &Endpoint, sql: &str) -> Command {
        let port = endpoint.port.to_string();
        let mut command = Command::new(self.binaries.newest().bin.join("psql"));
        command
            .args([
                "-h",
                &endpoint.host,
                "-p",
                &port,
                "-U",
                deployment.spec.username.as_str(),
                "-d",
                deployment.spec.database.as_str(),
                "-XAtqwc",
                sql,
            ])
            .env("PGPASSWORD", deployment.password.expose());
        command
    }

    fn query(&self, deployment: &Deployment, endpoint: &Endpoint, sql: &str) -> String {
        let output = self.psql(deployment, endpoint, sql);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn try_query_url(&self, url: &str, sql: &str) -> Option<String> {
        let output = Command::new(self.binaries.newest().bin.join("psql")).args([url, "-XAtqwc", sql]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    fn query_url(&self, url: &str, sql: &str) -> String {
        self.try_query_url(url, sql).expect("the query works")
    }

    /// No file under the data directory holds the text.
    fn assert_nowhere(&self, text: &str) {
        let mut directories = vec![self.data.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap().flatten() {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    directories.push(entry.path());
                } else if let Ok(bytes) = std::fs::read(entry.path()) {
                    assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "found in {}", entry.path().display());
                }
            }
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.directory.is_none() {
            return;
        }
        // Also after a failed test nothing may stay behind. By id: each is read from a directory of this test.
        let instances = self.names_in("instances").into_iter().map(|name| format!("instances/{name}"));
        for cluster in instances.chain(["metadata".to_owned()]) {
            if let Some(pid) = self.cluster_pid(&cluster) {
                let ours = std::fs::read(format!("/proc/{pid}/cmdline"))
                    .is_ok_and(|line| String::from_utf8_lossy(&line).contains(self.data.path().to_str().unwrap()));
                if ours {
                    let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGQUIT);
                    let deadline = Instant::now() + Duration::from_secs(5);
                    while self.cluster_pid(&cluster).is_some() && Instant::now() < deadline {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                }
            }
        }
    }
}

impl Server {
    async fn deploy(&self, deployment: &Deployment) -> Endpoint {
        let begin = Instant::now();
        self.runtime.deploy(deployment).await.unwrap();
        let deployed = begin.elapsed();
        let endpoint = self.ready(deployment.id).await;
        eprintln!("measured: deploy {deployed:?}, ready after {:?}", begin.elapsed());
        endpoint
    }

    async fn ready(&self, id: InstanceId) -> Endpoint {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let observation = self.runtime.observe(id).await.unwrap();
            if let Observation::Ready(endpoint) = observation {
                return endpoint;
            }
            assert!(Instant::now() < deadline, "not ready: {observation:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.supervisor.await.unwrap();
    }

    /// As kill -9 would: no goodbye.
    async fn vanish(self) {
        self.supervisor.abort();
        let _ = self.supervisor.await;
    }
}

#[async_trait]
impl Hooks for Home {
    async fn leave_half_deployed(&self, deployment: &Deployment) {
        // What a copy leaves that was killed, and a lock that nobody holds; put there in one go, as the supervisor clears it away.
        let elsewhere = self.data.join(&format!("half-{}", deployment.id));
        std::fs::create_dir_all(elsewhere.join("data/global")).unwrap();
        std::fs::write(elsewhere.join("data/PG_VERSION"), "15\n").unwrap();
        std::fs::rename(elsewhere, self.data.join("instances").join(format!(".staging-{}", deployment.id))).unwrap();
        std::fs::write(self.data.join("instances").join(format!("{}.lock", deployment.id)), "").unwrap();
    }

    async fn leave_mark(&self, deployment: &Deployment, endpoint: &Endpoint) -> bool {
        self.query(deployment, endpoint, "CREATE TABLE mark ()");
        true
    }

    async fn has_mark(&self, deployment: &Deployment, endpoint: &Endpoint) -> bool {
        self.query(deployment, endpoint, "SELECT count(*) FROM pg_tables WHERE tablename = 'mark'") == "1"
    }

    async fn residue(&self, id: InstanceId) -> Vec<String> {
        let id = id.to_string();
        let files = self.names_in("instances").into_iter().filter(|name| name.contains(&id));
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let line = String::from_utf8_lossy(&std::fs::read(entry.path().join("cmdline")).ok()?).replace('\0', " ");
            line.contains(&id).then_some(line)
        });
        files.chain(processes).collect()
    }
}

async fn next_death(nudges: &mut (impl StreamExt<Item = Nudge> + Unpin), id: InstanceId) -> Nudge {
    let death = async {
        loop {
            let nudge = nudges.next().await.expect("nudges do not end");
            if nudge.instance == id && nudge.death.is_some() {
                return nudge;
            }
        }
    };
    tokio::time::timeout(PATIENCE, death).await.expect("a death is told")
}

fn deployment_of(home: &Home, name: &str) -> Deployment {
    Deployment {
        id: InstanceId::generate(),
        name: name.parse().unwrap(),
        spec: InstanceSpec {
            postgres_version: home.binaries.newest().major,
            storage_gb: 1,
            cpu_millis: 500,
            memory_mb: 256,
            username: SqlName::role("app").unwrap(),
            database: SqlName::database("orders").unwrap(),
            exposure: Exposure::Cluster,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
        },
        password: Secret::generate(),
    }
}

#[test]
fn versions_that_are_installed_are_found() {
    let binaries = Binaries::find(None).unwrap();
    assert!(binaries.versions().iter().all(|version| *version >= PostgresVersion(9)), "{:?}", binaries.versions());
}
