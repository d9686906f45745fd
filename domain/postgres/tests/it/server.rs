//! A PostgreSQL server of a test.

use std::{
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::unistd::{Pid, User, chown, geteuid};
use tempfile::TempDir;
use toygres_domain::{instance::Endpoint, secret::Secret};
use toygres_postgres::{Target, check};

/// How long a check may take.
pub const TIMEOUT: Duration = Duration::from_secs(2);
/// How long a test waits for anything.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server with a role `app` that has to log in with a password. It is stopped when it is dropped.
pub struct Server {
    directory: TempDir,
    port: u16,
    bin: Option<PathBuf>,
}

impl Server {
    /// Starts one, with a target that works.
    pub async fn start() -> (Self, Target) {
        Self::start_from(None).await
    }

    /// The same of another version, which `scripts/install-test-postgres` has installed.
    pub async fn start_version(version: u32) -> (Self, Target) {
        let place = std::env::var("TOYGRES_TEST_POSTGRES").expect("TOYGRES_TEST_POSTGRES is set: run scripts/install-test-postgres");
        Self::start_from(Some(PathBuf::from(place).join(version.to_string()).join("bin"))).await
    }

    async fn start_from(bin: Option<PathBuf>) -> (Self, Target) {
        let directory = tempfile::Builder::new().prefix("toygres-db-").tempdir().unwrap();
        if geteuid().is_root() {
            let user = postgres();
            chown(directory.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { directory, port, bin };
        server.run("initdb", &["-U", "postgres", "-A", "trust", "--no-sync"]);
        let rules = std::fs::read_to_string(server.file("pg_hba.conf")).unwrap();
        std::fs::write(server.file("pg_hba.conf"), format!("host all app 127.0.0.1/32 scram-sha-256\n{rules}")).unwrap();
        server.resume();
        server.execute("CREATE ROLE app LOGIN PASSWORD 'right'");
        let target = app(port);
        assert!(check(&Target { password: Secret::new("wrong".to_owned()), ..target.clone() }, TIMEOUT).await.is_err());
        (server, target)
    }

    /// Runs SQL as the superuser; what it prints.
    pub fn execute(&self, sql: &str) -> String {
        self.execute_as("postgres", "postgres", sql)
    }

    /// Runs SQL as another role or in another database; what it prints.
    pub fn execute_as(&self, role: &str, database: &str, sql: &str) -> String {
        self.client("psql", role, database, &["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql])
    }

    /// Runs a client program of PostgreSQL; what it prints.
    pub fn client(&self, name: &str, role: &str, database: &str, arguments: &[&str]) -> String {
        let url = format!("postgres://{role}:right@127.0.0.1:{}/{database}", self.port);
        let output = Command::new(program(name)).args(arguments).arg("-d").arg(&url).current_dir("/tmp").output().unwrap();
        assert!(output.status.success(), "{role}: {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Where it listens on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A file of its data directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join("data").join(name)
    }

    /// The process id of the server.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(std::fs::read_to_string(self.file("postmaster.pid")).unwrap().lines().next().unwrap().parse().unwrap())
    }

    /// Stops it immediately.
    pub fn halt(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "immediate"]);
    }

    /// Starts it again.
    pub fn resume(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off", self.port);
        let log = self.directory.path().join("log");
        self.run("pg_ctl", &["start", "-w", "-l", log.to_str().unwrap(), "-o", &options]);
    }

    /// Runs a program as the user that the server runs as; whether it succeeded.
    pub fn as_owner(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = Command::new(program);
        command.args(arguments).current_dir("/tmp").stdout(Stdio::null()).stderr(Stdio::null());
        if geteuid().is_root() {
            let user = postgres();
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command.status().unwrap().success()
    }

    fn run(&self, name: &str, arguments: &[&str]) {
        let data = self.file("");
        let arguments = [&["-D", data.to_str().unwrap()], arguments].concat();
        assert!(self.as_owner(self.program(name).to_str().unwrap(), &arguments), "{name} {arguments:?}");
    }

    fn program(&self, name: &str) -> PathBuf {
        self.bin.as_ref().map_or_else(|| program(name), |bin| bin.join(name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Quiet when it is stopped already.
        let data = self.file("");
        self.as_owner(self.program("pg_ctl").to_str().unwrap(), &["-D", data.to_str().unwrap(), "stop", "-w", "-m", "immediate"]);
    }
}

/// Where the role `app` logs in at a port of this machine.
pub fn app(port: u16) -> Target {
    Target {
        identity: None,
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port },
        username: "app".to_owned(),
        password: Secret::new("right".to_owned()),
        database: "postgres".to_owned(),
        owner: None,
    }
}

/// Polls until `holds`.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn postgres() -> User {
    User::from_name("postgres").unwrap().expect("the user postgres exists")
}

/// A program of the PostgreSQL server, from `TOYGRES_PG_BIN` or the newest package of Debian or Ubuntu, or else from the path.
pub fn program(name: &str) -> PathBuf {
    let configured = std::env::var("TOYGRES_PG_BIN").ok().and_then(|bin| bin.split(':').next().map(PathBuf::from));
    let packages = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let bin = configured.or_else(|| packages.filter(|bin| bin.join("initdb").is_file()).max());
    bin.map_or_else(|| PathBuf::from(name), |bin| bin.join(name))
}
