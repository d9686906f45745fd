//! A PostgreSQL server of a test.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::unistd::{User, chown, geteuid};
use tempfile::TempDir;
use toygres_backup::FileOwner;
use toygres_domain::{instance::Endpoint, secret::Secret};
use toygres_postgres::Target;

/// How long a test waits for anything. The machine may be loaded.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A server with a role `replicator` that may replicate. It is stopped when it is dropped.
pub struct Cluster {
    directory: TempDir,
    port: u16,
}

impl Cluster {
    /// Creates and starts one.
    pub fn create(settings: &str) -> Self {
        let cluster = Self::empty();
        cluster.run("initdb", &["-U", "postgres", "-A", "trust", "--no-sync"]);
        let rules = std::fs::read_to_string(cluster.data().join("pg_hba.conf")).unwrap();
        let rule = "host replication replicator 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(cluster.data().join("pg_hba.conf"), format!("{rule}{rules}")).unwrap();
        let configuration = cluster.data().join("postgresql.conf");
        let defaults = std::fs::read_to_string(&configuration).unwrap();
        // Only what is asked for is slow: the server notices at once that it has to wake up, and keeps little WAL.
        let common = "fsync = off\nmin_wal_size = '32MB'\nmax_wal_size = '64MB'\nwal_sender_timeout = '20s'\n";
        std::fs::write(configuration, format!("{defaults}\n{common}{settings}\n")).unwrap();
        cluster.start();
        cluster.execute("CREATE ROLE replicator REPLICATION LOGIN PASSWORD 'right'");
        cluster.execute("CREATE TABLE rows (id bigint PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())");
        cluster
    }

    /// A directory for a restored one, which does not exist.
    pub fn empty() -> Self {
        let directory = tempfile::Builder::new().prefix("toygres-backup-").tempdir().unwrap();
        if let Some(FileOwner { uid, gid }) = owner() {
            chown(directory.path(), Some(uid.into()), Some(gid.into())).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { directory, port }
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// How to replicate.
    pub fn target(&self) -> Target {
        Target {
            identity: None,
            endpoint: Endpoint { host: "127.0.0.1".to_owned(), port: self.port },
            username: "replicator".to_owned(),
            password: Secret::new("right".to_owned()),
            database: String::new(),
            owner: None,
        }
    }

    /// Runs SQL as the superuser; what it prints.
    pub fn execute(&self, sql: &str) -> String {
        self.try_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same, if the server answers.
    pub fn try_execute(&self, sql: &str) -> Result<String, String> {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        let output =
            Command::new(program("psql")).args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, "-d", &url]).current_dir("/tmp").output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Starts it.
    pub fn start(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=", self.port);
        let log = self.directory.path().join("log");
        let data = self.data();
        let arguments = ["-D", data.to_str().unwrap(), "start", "-w", "-t", "120", "-l", log.to_str().unwrap(), "-o", &options];
        let started = as_owner(&program("pg_ctl"), &arguments);
        assert!(started, "{}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Starts a restored one, and waits until its recovery has ended.
    pub async fn recover(&self) {
        self.start();
        eventually("the recovery ends", async || self.try_execute("SELECT pg_is_in_recovery()").as_deref() == Ok("f")).await;
    }

    /// Stops it: `fast`, or as in a crash, `immediate`.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["stop", "-w", "-m", mode]);
    }

    /// The ids in the table.
    pub fn ids(&self) -> Vec<i64> {
        let ids = self.execute("SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM rows");
        ids.split(',').filter(|id| !id.is_empty()).map(|id| id.parse().unwrap()).collect()
    }

    /// Runs a program on the data directory.
    pub fn run(&self, name: &str, arguments: &[&str]) {
        let data = self.data();
        let arguments = [&["-D", data.to_str().unwrap()], arguments].concat();
        assert!(as_owner(&program(name), &arguments), "{name} {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Quiet when it is stopped already.
        as_owner(&program("pg_ctl"), &["-D", self.data().to_str().unwrap(), "stop", "-w", "-m", "immediate"]);
    }
}

/// Who a server's files belong to, if it is not this process: PostgreSQL does not run as root.
pub fn owner() -> Option<FileOwner> {
    geteuid().is_root().then(|| {
        let user = User::from_name("postgres").unwrap().expect("the user postgres exists");
        FileOwner { uid: user.uid.as_raw(), gid: user.gid.as_raw() }
    })
}

/// Runs a program as the user that servers run as; whether it succeeded.
pub fn as_owner(program: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).current_dir("/tmp").stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(FileOwner { uid, gid }) = owner() {
        command.uid(uid).gid(gid);
    }
    command.status().unwrap().success()
}

/// Polls until `holds`.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A program of PostgreSQL, from `TOYGRES_PG_BIN` or the newest package of Debian or Ubuntu that has it, or else from the path.
pub fn program(name: &str) -> PathBuf {
    let configured = std::env::var("TOYGRES_PG_BIN").unwrap_or_default();
    let packages = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let mut packages: Vec<_> = packages.collect();
    packages.sort();
    let bins = configured.split(':').map(PathBuf::from).chain(packages.into_iter().rev());
    bins.map(|bin| bin.join(name)).find(|program| program.is_file()).unwrap_or_else(|| PathBuf::from(name))
}
