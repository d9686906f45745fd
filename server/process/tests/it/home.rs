//! The data directory of a test: its files and the processes over it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use toygres_domain::{
    InstanceId,
    certificate::ServerCertificate,
    data::Data,
    instance::{Exposure, HealthCheckPolicy, InstanceSpec},
    name::SqlName,
    roles::{Credentials, PlatformCredentials},
    runtime::Deployment,
    secret::Secret,
};
use toygres_process::{Account, Binaries, DataDir};

/// How long a test waits for anything.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A data directory and the PostgreSQL installations of this machine. What still runs over it is stopped when it is dropped.
pub struct Home {
    pub data: DataDir,
    pub binaries: Binaries,
    pub account: Account,
    /// Deleted with the test.
    directory: Option<tempfile::TempDir>,
}

impl Home {
    pub fn new() -> Self {
        // For example RUST_LOG=toygres_process=debug shows what each step of a deployment costs.
        let _ = tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).with_test_writer().try_init();
        let directory = tempfile::Builder::new().prefix("toygres-test-").tempdir().unwrap();
        let mut home = Self::over(directory.path());
        home.directory = Some(directory);
        home
    }

    /// With every version that is supported, from where `scripts/install-test-postgres` puts those that this machine lacks.
    pub fn with_every_version() -> Self {
        let place = std::env::var_os("TOYGRES_TEST_POSTGRES").map_or_else(default_place, PathBuf::from);
        let bins: Vec<_> = [16, 17, 18].iter().map(|version| place.join(version.to_string()).join("bin")).collect();
        for bin in &bins {
            assert!(bin.join("postgres").is_file(), "{} is missing: run scripts/install-test-postgres", bin.display());
        }
        let bins: Vec<_> = bins.iter().map(|bin| bin.to_str().unwrap()).collect();
        let mut home = Self::new();
        home.binaries = Binaries::find(Some(&bins.join(":"))).unwrap();
        home
    }

    /// With the version of this machine, and one that it can be upgraded to.
    pub fn with_upgrades() -> Self {
        let place = std::env::var_os("TOYGRES_TEST_POSTGRES").map_or_else(default_place, PathBuf::from);
        let bin = place.join("18-complete/bin");
        assert!(bin.join("pg_upgrade").is_file(), "{} is missing: run scripts/install-test-postgres", bin.display());
        let mut home = Self::new();
        home.binaries = Binaries::find(Some(bin.to_str().unwrap())).unwrap();
        home
    }

    /// Over a directory that another process owns: nothing is stopped or deleted at the end.
    pub fn over(directory: &Path) -> Self {
        let account = Account::resolve("postgres").unwrap();
        let data = DataDir::open(directory, &account).unwrap();
        Self { data, binaries: Binaries::find(None).unwrap(), account, directory: None }
    }

    /// A deployment of the newest version, with a new id.
    pub fn deployment(&self, name: &str) -> Deployment {
        Deployment {
            id: InstanceId::generate(),
            name: name.parse().unwrap(),
            first_name: name.parse().unwrap(),
            spec: InstanceSpec {
                postgres_version: self.binaries.newest().major,
                storage_gb: 1,
                cpu_millis: 500,
                memory_mb: 256,
                username: SqlName::role("app").unwrap(),
                database: SqlName::database("orders").unwrap(),
                exposure: Exposure::Cluster,
                require_tls: false,
                health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
                parameters: Default::default(),
            },
            credentials: Credentials { owner: Secret::generate(), platform: Some(PlatformCredentials::generate()) },
            data: Data::New,
            certificate: certificate(),
            suspended: false,
            closed: false,
        }
    }

    /// The directory of a deployed instance.
    pub fn instance(&self, id: InstanceId) -> PathBuf {
        self.data.join("instances").join(id.to_string())
    }

    pub fn names_in(&self, directory: &str) -> Vec<String> {
        std::fs::read_dir(self.data.join(directory)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The process id of an instance's server.
    pub fn pid(&self, id: InstanceId) -> Option<u32> {
        self.cluster_pid(&format!("instances/{id}"))
    }

    /// The process id of the server in a directory of the data directory.
    pub fn cluster_pid(&self, cluster: &str) -> Option<u32> {
        std::fs::read_to_string(self.data.join(cluster).join("data/postmaster.pid")).ok()?.lines().next()?.parse().ok()
    }

    pub fn signal_instance(&self, id: InstanceId, signal: Signal) {
        self.signal_cluster(&format!("instances/{id}"), signal);
    }

    pub fn signal_cluster(&self, cluster: &str, signal: Signal) {
        kill(Pid::from_raw(self.cluster_pid(cluster).expect("it runs").cast_signed()), signal).unwrap();
    }

    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let deadline = Instant::now() + TIMEOUT;
        while !holds() {
            assert!(Instant::now() < deadline, "not in time: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// No file under the data directory holds the text.
    pub fn assert_nowhere(&self, text: &str) {
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

/// A certificate of an authority that nobody trusts.
pub fn certificate() -> ServerCertificate {
    let now = chrono::Utc::now();
    let (from, to) = (now - chrono::TimeDelta::hours(1), now + chrono::TimeDelta::days(1));
    let authority = toygres_certificates::Authority::generate("test", from, to).unwrap();
    authority.issue(&["localhost".to_owned(), "127.0.0.1".to_owned()], from, to).unwrap().certificate
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.directory.is_none() {
            return;
        }
        // Also after a failed test nothing may go on. By process id: each is read from a directory of this test.
        let instances = self.names_in("instances").into_iter().map(|name| format!("instances/{name}"));
        for cluster in instances.chain(["metadata".to_owned()]) {
            let Some(pid) = self.cluster_pid(&cluster).filter(|pid| self.owns(*pid)) else { continue };
            // One that a test has suspended takes the signal when it goes on.
            for signal in [Signal::SIGQUIT, Signal::SIGCONT] {
                let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
            }
            let deadline = Instant::now() + Duration::from_secs(5);
            while self.cluster_pid(&cluster).is_some() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

impl Home {
    fn owns(&self, pid: u32) -> bool {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(self.data.path().to_str().unwrap()))
    }
}

/// Where `scripts/install-test-postgres` installs by default.
fn default_place() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return "/var/cache/toygres/postgresql".into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| Path::new(&std::env::var_os("HOME").unwrap()).join(".cache"), PathBuf::from);
    cache.join("toygres/postgresql")
}
