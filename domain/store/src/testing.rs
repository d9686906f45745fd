//! Throw-away databases for tests (feature `test-support`).
//!
//! The tests of a process share one PostgreSQL server on a loopback port. It starts with the first [`TestDatabase`] and stops with
//! the last, and also when the process ends in any way: a shell is the parent of the server, and stops it when the pipe from the
//! process closes. Its files are a copy of a migrated cluster, which is created below `target/` once per PostgreSQL and schema
//! version, so a start takes a fraction of a second. As root, everything runs as the user `postgres` or `nobody`.

use std::{
    collections::HashMap,
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    net::TcpListener,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection};

use crate::{MIGRATIONS, Store};
use toygres_domain::{instance::Endpoint, secret::SecretKeys};

const SUPERUSER: &str = "postgres";
const PASSWORD: &str = "throw-away";
/// The roles of the platform in instances.
const PLATFORM: &str = "toygres,toygres_monitor";
const TEMPLATE: &str = "toygres_template";
const PATIENCE: Duration = Duration::from_secs(30);

/// A migrated database for one test.
#[derive(Debug)]
pub struct TestDatabase {
    server: Arc<Server>,
    name: String,
}

impl TestDatabase {
    /// Creates a database on the server that the tests of this process share.
    pub async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let server = tokio::task::spawn_blocking(shared_server).await.expect("the test server starts");
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        server.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
        Self { server, name }
    }

    /// Creates a database on a separate server, for benchmarks: with the default durability, and without passwords, because logins
    /// to instances are not measured.
    pub async fn for_bench() -> Self {
        let server = tokio::task::spawn_blocking(|| new_server(ServerKind::Bench)).await.expect("the server starts");
        Self { server: Arc::new(server), name: TEMPLATE.to_owned() }
    }

    /// The CPU time of the server so far, with all its processes.
    #[must_use]
    pub fn server_cpu(&self) -> Duration {
        self.server.cpu()
    }

    /// The URL of a superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// The metadata store in the database, with a new secret key.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::open(&self.url(), 20, SecretKeys::generate()).expect("the URL is one")
    }

    /// The name of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The endpoint of the server, for tests that need an instance to log in to.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { host: "127.0.0.1".to_owned(), port: self.server.port }
    }

    /// Runs SQL statements as the superuser.
    pub async fn run(&self, sql: &str) {
        self.run_in(&self.name, sql).await;
    }

    /// Runs SQL statements as the superuser in another database of the server.
    pub async fn run_in(&self, database: &str, sql: &str) {
        self.server.run(database, sql).await;
    }
}

/// The data directory of a PostgreSQL server that is used as an instance. Dropping it removes the files.
#[derive(Debug)]
pub struct PodServer {
    host: Host,
    directory: PathBuf,
}

/// What the data directory of a [`PodServer`] is made with.
#[derive(Clone, Copy, Debug)]
pub struct PodServerOptions<'a> {
    /// The major version. Another one is used if this machine does not have it: see [`PodServer::version`].
    pub version: u16,
    /// The superuser.
    pub username: &'a str,
    /// Its password.
    pub password: &'a str,
    /// A database.
    pub database: &'a str,
}

impl PodServer {
    /// The version of a server that stands in for one of `version`: that one if `scripts/install-test-postgres` has installed it, or the one
    /// of this machine.
    #[must_use]
    pub fn version(version: u16) -> u16 {
        let host = Host::of_version(version);
        let output = host.output(host.program("postgres").arg("--version"));
        let number = output.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        number.and_then(|number| number.split('.').next()?.parse().ok()).expect("a version begins with a number")
    }

    /// The installations of this machine with everything that an upgrade needs, by their major versions.
    #[must_use]
    pub fn complete_installations() -> Vec<(u16, PathBuf)> {
        let complete = |version: u16| {
            let place = std::env::var_os("TOYGRES_TEST_POSTGRES").map(PathBuf::from)?;
            Some((version, place.join(format!("{version}-complete/bin")))).filter(|(_, binaries)| binaries.join("pg_upgrade").is_file())
        };
        let own = (Self::version(0), binaries());
        std::iter::once(own).chain([16, 17, 18].into_iter().filter_map(complete)).collect()
    }

    /// Creates a data directory like the official images do: with a superuser, its password, and a database. `configuration` is included
    /// at the end of `postgresql.conf`.
    ///
    /// Blocks until `initdb` is done.
    #[must_use]
    pub fn create(options: &PodServerOptions<'_>, configuration: &str) -> Self {
        let PodServerOptions { version, username, password, database } = *options;
        let this = Self::empty(version);
        let Self { host, directory } = &this;
        let (data, file) = (directory.join("data"), directory.join("password"));
        fs::write(&file, password).expect("the directory is ours");
        host.give(directory);
        let mut initdb = host.program("initdb");
        initdb.args(["-U", username, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"]);
        host.output(initdb.arg("--pwfile").arg(&file).arg("-D").arg(&data));
        fs::remove_file(&file).expect("the directory is ours");
        this.configure(configuration);
        this.adopt();
        if database != "postgres" {
            let mut single = host.program("postgres");
            single.arg("--single").arg("-D").arg(&data).arg("postgres").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut single = single.spawn().expect("PostgreSQL starts");
            let statement = format!("CREATE DATABASE \"{}\";\n", database.replace('"', "\"\""));
            std::io::Write::write_all(single.stdin.as_mut().expect("it is piped"), statement.as_bytes()).expect("PostgreSQL reads");
            assert!(single.wait().expect("PostgreSQL ends").success(), "the database can be made");
        }
        this
    }

    /// An empty volume for the data directory of a server.
    #[must_use]
    pub fn empty(version: u16) -> Self {
        let host = Host::of_version(version);
        let directory = host.new_directory();
        // The shell that stops the server keeps the files if this file exists.
        fs::write(directory.join("keep"), "").expect("the directory is ours");
        Self { host, directory }
    }

    /// Its directory: the data is in `data`.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether there is a data directory.
    #[must_use]
    pub fn has_data(&self) -> bool {
        self.directory.join("data/PG_VERSION").exists()
    }

    /// Gives everything in the directory to the user of servers, and makes a data directory read the configuration.
    pub fn adopt(&self) {
        const INCLUDE: &str = "include '../included.conf'\n";
        if !self.directory.join("included.conf").exists() {
            fs::write(self.directory.join("included.conf"), "").expect("the directory is ours");
        }
        let configuration = self.directory.join("data/postgresql.conf");
        if let Ok(present) = fs::read_to_string(&configuration)
            && !present.contains(INCLUDE)
        {
            fs::write(&configuration, present + INCLUDE).expect("the directory is ours");
        }
        self.host.give(&self.directory);
    }

    /// Runs a shell script as the user of servers, with the programs of PostgreSQL in the path. Returns its exit code, and what it has
    /// written to stderr.
    ///
    /// # Panics
    /// There is no shell.
    #[must_use]
    pub fn run_script(&self, script: &str, arguments: &[String], environment: &[(String, String)]) -> (i32, String) {
        let path = std::env::join_paths([self.host.binaries.clone(), "/usr/bin".into(), "/bin".into()]).expect("the path has no colon");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, "script"]).args(arguments).envs(environment.iter().cloned()).env("PATH", path);
        self.host.as_account(&mut shell);
        let output = shell.output().expect("there is a shell");
        (output.status.code().unwrap_or(137), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Replaces the configuration. A server that runs reads it when it is told to.
    pub fn configure(&self, configuration: &str) {
        self.install("included.conf", configuration.as_bytes());
    }

    /// The last message of the server, if it did not start.
    #[must_use]
    pub fn last_message(&self) -> String {
        let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        log.lines().rfind(|line| line.contains("FATAL:  ")).unwrap_or_default().to_owned()
    }

    /// Replaces the file with the certificate of the server and its key. A server that runs reads it when it is told to.
    pub fn install_certificate(&self, pem: &[u8]) {
        const SETTINGS: &str = "ssl = on\nssl_cert_file = '../server.pem'\nssl_key_file = '../server.pem'\n";
        self.install("server.pem", pem);
        let configuration = self.directory.join("data/postgresql.conf");
        let present = fs::read_to_string(&configuration).expect("initdb made it");
        if !present.contains(SETTINGS) {
            fs::write(&configuration, present + SETTINGS).expect("the directory is ours");
        }
    }

    /// Replaces `pg_hba.conf`. A server that runs reads it when it is told to.
    pub fn install_hba(&self, text: &[u8]) {
        self.install("data/pg_hba.conf", text);
    }

    fn install(&self, name: &str, content: &[u8]) {
        let draft = self.directory.join("draft");
        fs::write(&draft, content).expect("the directory is ours");
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        self.host.give(&draft);
        fs::rename(&draft, self.directory.join(name)).expect("a file can be renamed");
    }

    /// Starts the server on a loopback address. Returns `None` if the address is not available. Dropping the result stops the
    /// server.
    #[must_use]
    pub fn start(&self, address: &str, port: u16) -> Option<impl Send + Sync + use<>> {
        // The log of an earlier run would show its start instead of this one.
        let _ = fs::remove_file(self.directory.join("log"));
        // An upgrade may have changed the version of the data.
        let version = fs::read_to_string(self.directory.join("data/PG_VERSION")).ok().and_then(|version| version.trim().parse().ok());
        let host = version.map_or_else(|| self.host.clone(), Host::of_version);
        let server = host.start_at(&self.directory, address, port, ServerKind::Pod);
        fs::write(self.directory.join("keep"), "").expect("the directory is ours");
        server
    }
}

impl Drop for PodServer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A running server; dropping it stops it and removes its files.
#[derive(Debug)]
struct Server {
    port: u16,
    shell: Child,
    /// Closing this pipe makes the shell stop the server.
    lifeline: Option<ChildStdin>,
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The CPU time of the shell and its descendants, including those that have ended (proc(5): utime, stime and the same of
    /// waited-for children, in hundredths of a second). Backends leave the shell's process group, so the parent process ids are
    /// used.
    fn cpu(&self) -> Duration {
        let mut parents = HashMap::new();
        let mut ticks = HashMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let fields: Vec<u64> = stat.rsplit(") ").next().unwrap_or_default().split(' ').map(|field| field.parse().unwrap_or(0)).collect();
            if fields.len() > 15 {
                parents.insert(pid, u32::try_from(fields[1]).unwrap_or(0));
                ticks.insert(pid, fields[11..15].iter().sum::<u64>());
            }
        }
        let ours = |pid: u32| std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).any(|ancestor| ancestor == self.shell.id());
        Duration::from_millis(ticks.iter().filter(|(pid, _)| ours(**pid)).map(|(_, ticks)| ticks * 10).sum())
    }

    async fn run(&self, database: &str, sql: &str) {
        let mut connection = PgConnection::connect(&self.url(database)).await.expect("the test server answers");
        connection.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.expect("a goodbye works");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let _ = self.shell.wait();
    }
}

fn shared_server() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = Arc::new(new_server(ServerKind::Test));
    *shared = Arc::downgrade(&server);
    server
}

fn new_server(kind: ServerKind) -> Server {
    let host = Host::find();
    let template = host.template();
    let directory = host.new_directory();
    host.output(Command::new("cp").arg("-R").arg(template.join("data")).arg(&directory));
    if kind == ServerKind::Bench {
        fs::write(directory.join("data/pg_hba.conf"), "host all all 127.0.0.1/32 trust\n").expect("the directory is ours");
    }
    host.give(&directory);
    host.start(&directory, kind)
}

/// The purpose of a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ServerKind {
    /// Tests: as fast as possible, without durability.
    Test,
    /// Benchmarks: with the default durability.
    Bench,
    /// A hosted instance: as fast as a test, with connections as configured.
    Pod,
}

impl ServerKind {
    fn options(self) -> &'static str {
        match self {
            Self::Test => {
                "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c shared_buffers=32MB -c max_connections=200"
            }
            Self::Pod => "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c shared_buffers=32MB",
            Self::Bench => "-c shared_buffers=128MB -c max_connections=700",
        }
    }
}

/// The environment for servers on this machine.
#[derive(Clone, Debug)]
struct Host {
    binaries: PathBuf,
    /// The user and group of servers if this process runs as root, which PostgreSQL refuses.
    account: Option<(u32, u32)>,
}

impl Host {
    fn find() -> Self {
        let id = |arguments: &[&str]| {
            let output = Command::new("id").args(arguments).output().ok().filter(|output| output.status.success())?;
            String::from_utf8(output.stdout).ok()?.trim().parse::<u32>().ok()
        };
        let user = ["postgres", "nobody"].into_iter().find(|user| id(&["-u", user]).is_some()).unwrap_or("nobody");
        let account = (id(&["-u"]) == Some(0)).then(|| (id(&["-u", user]).expect("this user exists"), id(&["-g", user]).expect("so does its group")));
        Self { binaries: binaries(), account }
    }

    /// With the binaries of a version, if they are where `scripts/install-test-postgres` puts them.
    fn of_version(version: u16) -> Self {
        let installed = std::env::var_os("TOYGRES_TEST_POSTGRES").map(|place| Path::new(&place).join(version.to_string()).join("bin"));
        let host = Self::find();
        match installed.filter(|binaries| binaries.join("postgres").is_file()) {
            Some(binaries) => Self { binaries, ..host },
            None => host,
        }
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        self.as_account(&mut command);
        command
    }

    fn as_account(&self, command: &mut Command) {
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command.current_dir("/tmp").env("LC_ALL", "C");
    }

    fn output(&self, command: &mut Command) -> String {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// In the directory for temporary files, which the unprivileged user must be able to access.
    fn new_directory(&self) -> PathBuf {
        let name = std::env::temp_dir().join("toygres-test.XXXXXX");
        let directory = PathBuf::from(self.output(Command::new("mktemp").arg("-d").arg(name)).trim());
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).expect("the directory is ours");
        self.give(&directory);
        directory
    }

    fn give(&self, directory: &Path) {
        if let Some((user, group)) = self.account {
            self.output(Command::new("chown").arg("-R").arg(format!("{user}:{group}")).arg(directory));
        }
    }

    /// The directory with the migrated cluster, which is created if it is missing.
    fn template(&self) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        self.output(self.program("postgres").arg("--version")).hash(&mut hasher);
        PLATFORM.hash(&mut hasher);
        MIGRATIONS.iter().for_each(|migration| migration.checksum.hash(&mut hasher));
        let kept = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from)
            .join("test-support");
        fs::create_dir_all(&kept).expect("the target directory can be written");
        // Prevents two test processes from creating it at the same time. Closing the file releases the lock.
        let lock = File::create(kept.join("lock")).expect("the target directory can be written");
        lock.lock().expect("files can be locked");
        let template = kept.join(format!("cluster-{:016x}", hasher.finish()));
        if !template.exists() {
            let draft = kept.join("draft");
            let _ = fs::remove_dir_all(&draft);
            fs::create_dir(&draft).expect("the target directory can be written");
            self.make_cluster(&draft);
            fs::rename(&draft, &template).expect("a directory can be renamed");
        }
        template
    }

    fn make_cluster(&self, draft: &Path) {
        let directory = self.new_directory();
        let (data, password) = (directory.join("data"), directory.join("password"));
        fs::write(&password, PASSWORD).expect("the directory is ours");
        self.give(&directory);
        let mut initdb = self.program("initdb");
        initdb.args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"]);
        self.output(initdb.arg("--pwfile").arg(&password).arg("-D").arg(&data));
        // The server is also that of every instance of a test, each of which has passwords of its own for these roles.
        let rules = fs::read_to_string(data.join("pg_hba.conf")).expect("initdb made it");
        fs::write(data.join("pg_hba.conf"), format!("host all {PLATFORM} 127.0.0.1/32 trust\n{rules}")).expect("the directory is ours");
        let server = self.start(&directory, ServerKind::Test);
        let migrate = async {
            server.run("postgres", &format!("CREATE DATABASE {TEMPLATE}")).await;
            server.run("postgres", "CREATE ROLE toygres SUPERUSER LOGIN").await;
            let store = Store::open(&server.url(TEMPLATE), 1, SecretKeys::generate()).expect("the URL is one");
            store.migrate().await.expect("the migrations work");
            store.close().await;
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts").block_on(migrate);
        // Shut down cleanly first, so that the copy is consistent.
        fs::write(directory.join("keep"), "").expect("the directory is ours");
        drop(server);
        self.output(Command::new("cp").arg("-R").arg(&data).arg(draft));
        let _ = fs::remove_dir_all(&directory);
    }

    /// Starts the cluster in `directory/data`.
    fn start(&self, directory: &Path, kind: ServerKind) -> Server {
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free").port();
            if let Some(server) = self.start_at(directory, "127.0.0.1", port, kind) {
                return server;
            }
        }
        panic!("the test server does not start; its log is in {}", directory.display());
    }

    fn start_at(&self, directory: &Path, address: &str, port: u16, kind: ServerKind) -> Option<Server> {
        // The log is only kept in the directory if the start failed.
        let script = r#""$1/postgres" -D "$2/data" -p "$3" -c listen_addresses="$4" -c unix_socket_directories= \
            $5 >"$2/log" 2>&1 &
            cat >/dev/null; kill -INT $!; wait $!; [ -e "$2/keep" ] || rm -rf "$2""#;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(script).arg("toygres-test-server").arg(&self.binaries).arg(directory).arg(port.to_string()).arg(address);
        shell.arg(kind.options());
        self.as_account(&mut shell);
        // A separate process group, so that a signal to the tests does not reach it and it can clean up.
        let mut shell = shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("there is a shell");
        let lifeline = shell.stdin.take();
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            if log.contains("database system is ready to accept connections") {
                return Some(Server { port, shell, lifeline });
            }
            if log.contains("database system is shut down") || log.contains("FATAL") {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        fs::write(directory.join("keep"), "").expect("the directory is ours");
        drop(Server { port, shell, lifeline });
        let _ = fs::remove_file(directory.join("keep"));
        None
    }
}

fn binaries() -> PathBuf {
    if let Some(configured) = std::env::var_os("TOYGRES_PG_BIN") {
        return configured.into();
    }
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let directory = entry.path().join("bin");
        directory.join("initdb").exists().then_some((version, directory))
    });
    if let Some((_, newest)) = packaged.max() {
        return newest;
    }
    let output =
        Command::new("pg_config").arg("--bindir").output().expect("PostgreSQL's server binaries are installed, or TOYGRES_PG_BIN names them");
    String::from_utf8_lossy(&output.stdout).trim().into()
}
