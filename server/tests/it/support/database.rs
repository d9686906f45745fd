//! PostgreSQL servers for tests, and clients for them.

use std::{os::unix::process::CommandExt, path::PathBuf, process::Stdio};

use nix::unistd::{User, chown, geteuid};
use tempfile::TempDir;
use tokio::process::Command;

/// A PostgreSQL server of one test, as an external metadata database.
pub struct Database {
    dir: TempDir,
    port: u16,
    options: &'static str,
    env: Vec<(&'static str, String)>,
    /// The programs that it is made with and runs.
    programs: PathBuf,
}

impl Database {
    /// Starts a server without durability.
    pub fn start() -> Self {
        Self::create(&["--no-sync"], "-c fsync=off", Vec::new())
    }

    /// Like [`Self::start`], and logs each statement: see [`Self::statements`].
    pub fn start_logging() -> Self {
        Self::create(&["--no-sync"], "-c fsync=off -c log_statement=all", Vec::new())
    }

    /// Like [`Self::start`], with environment variables.
    pub fn start_at(env: Vec<(&'static str, String)>) -> Self {
        Self::create(&["--no-sync"], "-c fsync=off", env)
    }

    /// The log of the server.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Every statement that the server has executed.
    pub fn statements(&self) -> Vec<String> {
        let mut statements: Vec<String> = Vec::new();
        let log = self.log();
        let mut within = false;
        for line in log.lines() {
            // Continuation lines of an entry start with a tab.
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

    /// Starts a server with the default durability.
    pub fn start_durable() -> Self {
        Self::create(&[], "", Vec::new())
    }

    /// Like [`Self::start`], with these programs of PostgreSQL.
    pub fn start_of(programs: PathBuf) -> Self {
        Self::create_with(programs, &["--no-sync"], "-c fsync=off", Vec::new())
    }

    fn create(initdb: &[&str], options: &'static str, env: Vec<(&'static str, String)>) -> Self {
        Self::create_with(pg_bin(), initdb, options, env)
    }

    fn create_with(programs: PathBuf, initdb: &[&str], options: &'static str, env: Vec<(&'static str, String)>) -> Self {
        let dir = tempfile::Builder::new().prefix("toygres-db-").tempdir().unwrap();
        if geteuid().is_root() {
            let user = User::from_name("postgres").unwrap().expect("the user postgres exists");
            chown(dir.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let database = Self { dir, port, options, env, programs };
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

    /// Stops the server with an immediate shutdown.
    pub fn halt(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "immediate"]);
    }

    /// Stops the server with a fast shutdown.
    pub fn shut_down(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "fast"]);
    }

    /// Starts the server again.
    pub fn resume(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= {}", self.port, self.options);
        let log = self.dir.path().join("log");
        self.run("pg_ctl", &["start", "-w", "-l", log.to_str().unwrap(), "-o", &options]);
    }

    /// Runs a program as the user that the server runs as. Returns whether it succeeded.
    pub fn as_owner(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = std::process::Command::new(program);
        command.args(arguments).envs(self.env.iter().cloned()).current_dir("/tmp").stdout(Stdio::null()).stderr(Stdio::null());
        if geteuid().is_root() {
            let user = User::from_name("postgres").unwrap().expect("the user postgres exists");
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command.status().unwrap().success()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let (program, data) = (self.programs.join(program), self.dir.path().join("data"));
        let arguments = [&["-D", data.to_str().unwrap()], arguments].concat();
        assert!(self.as_owner(program.to_str().unwrap(), &arguments), "{program:?} {arguments:?}");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.halt()));
    }
}

/// Runs SQL with psql, as a client of an instance would. Returns the output.
pub async fn psql(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new(pg_bin().join("psql")).args([url, "-XAtqc", sql]).current_dir("/tmp").output().await.unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Dumps a database as SQL.
pub async fn dump(url: &str) -> String {
    let output = Command::new(pg_bin().join("pg_dump")).args(["--inserts", url]).current_dir("/tmp").output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The programs of PostgreSQL.
pub fn pg_bin() -> PathBuf {
    toygres_process::Binaries::find(std::env::var("TOYGRES_PG_BIN").ok().as_deref()).unwrap().newest().bin
}

/// A connection to a database.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
