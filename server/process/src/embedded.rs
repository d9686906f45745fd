//! The embedded metadata database: a PostgreSQL server that the control plane starts, supervises and stops, for development without
//! an external one.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use toygres_domain::{roles::SUPERUSER, scram, secret::Secret};

use super::{
    account::Account,
    binaries::Binaries,
    build::{self, Durability},
    cluster::{Cluster, Machine, PortTaken, Status},
    crash_loop::back_off,
    data_dir::{DataDir, HostLock, sync_directory, write_atomically},
    error::{Error, IoContext, Result},
    log_file, port,
    reaper::Reaper,
    settings,
    supervisor::resume_panic,
};

/// The role that owns the database: the bootstrap superuser.
const ROLE: &str = SUPERUSER;

/// The running metadata database of a host. Clones share one state.
#[derive(Clone, Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    url: String,
}

#[derive(Debug)]
struct Shared {
    machine: Machine,
    cluster: Cluster,
    /// Locked while the server is started or stopped; true when it must stay stopped.
    stopped: Mutex<bool>,
}

impl Embedded {
    /// Starts the metadata database and waits until it is ready. Creates it first if there is none, and adopts one that a killed
    /// control plane left running. Its URL, with the password, is also in `metadata.url`, which only the user of this process can
    /// read.
    ///
    /// # Errors
    /// [`Error`] with a sentence that states the cause.
    pub async fn start(data: &DataDir, binaries: &Binaries, account: &Account, _host: &HostLock) -> Result<Self> {
        let machine = Machine { data: data.clone(), binaries: binaries.clone(), account: account.clone(), reaper: Reaper::default() };
        let cluster = Cluster::new(cluster_name(data), data.join("metadata"));
        let shared = Arc::new(Shared { cluster, machine, stopped: Mutex::new(false) });
        let starting = shared.clone();
        let start = move || {
            starting.start().inspect_err(|error| {
                // Nothing else would stop it. A recovery continues (`Busy`), because a stopped one would start over.
                if !matches!(error, Error::Busy(_))
                    && let Err(error) = starting.cluster.stop(Duration::from_secs(20))
                {
                    tracing::error!(%error, "the embedded database did not stop");
                }
            })
        };
        let url = tokio::task::spawn_blocking(start).await.unwrap_or_else(resume_panic)?;
        Ok(Self { shared, url })
    }

    /// The URL: `postgres://toygres:<password>@127.0.0.1:<port>/toygres`. It is the same until the next start of the control plane.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Restarts the database whenever its server exits, on the same port, so that clients can reconnect. Returns at `shutdown`,
    /// without stopping the database.
    ///
    /// To be run once, by an owner that observes its completion. Without it the database is not restarted.
    ///
    /// # Panics
    /// Propagates panics of its tasks.
    pub async fn supervise(&self, shutdown: CancellationToken) {
        supervise(self.shared.clone(), shutdown).await;
    }

    /// Stops the database with a clean shutdown. It is not started again.
    ///
    /// # Errors
    /// [`Error`] when its processes do not exit even after SIGKILL.
    pub async fn stop(&self) -> Result<()> {
        let shared = self.shared.clone();
        let stopping = tokio::task::spawn_blocking(move || {
            let mut stopped = shared.lock();
            *stopped = true;
            shared.cluster.stop(Duration::from_secs(20))
        });
        stopping.await.unwrap_or_else(resume_panic)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Creates the database if there is none, starts it and waits until it is ready. Returns its URL.
    fn start(&self) -> Result<String> {
        let _lock = self.lock();
        let home = self.cluster.home();
        if home.is_dir() {
            self.cluster.installation(&self.machine).map_err(|error| match error {
                Error::PostgresMissing(what) => {
                    Error::PostgresMissing(format!("the embedded metadata database needs the version that made it: {what}"))
                }
                other => other,
            })?;
        }
        let password = if home.is_dir() { self.password()? } else { self.create()? };
        settings::metadata().write(home)?;
        let port = self.wait_until_ready()?;
        let url = url(&password, port);
        if std::fs::read_to_string(self.url_file()).ok().as_deref().map(str::trim) != Some(&url) {
            self.write_url(&url)?;
        }
        Ok(url)
    }

    fn create(&self) -> Result<Secret> {
        let (machine, installation) = (&self.machine, self.machine.binaries.newest());
        let staging = Cluster::new(format!("{}-staging", self.cluster_name()), self.machine.data.join(".staging-metadata"));
        let password = Secret::generate();
        let statements = format!("ALTER ROLE \"{ROLE}\" PASSWORD '{}'\nCREATE DATABASE \"{ROLE}\" OWNER \"{ROLE}\"\n", scram::verifier(&password));
        build::build(machine, &installation, &staging, &settings::metadata(), &statements)?;
        let port = port::choose(&machine.data, staging.home())?;
        // Written before the database is in its final place, so that its password is always known.
        self.write_url(&url(&password, port))?;
        std::fs::rename(staging.home(), self.cluster.home()).context("rename the directory of the metadata database")?;
        sync_directory(machine.data.path())?;
        Ok(password)
    }

    /// The password of an existing database, or a new one if `metadata.url` does not exist.
    fn password(&self) -> Result<Secret> {
        match std::fs::read_to_string(self.url_file()) {
            Ok(text) => {
                if let Some(password) = password_in(&text) {
                    return Ok(password);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).context("read metadata.url"),
        }
        tracing::warn!("metadata.url is missing or holds no password; the metadata database gets a new password");
        let password = Secret::generate();
        self.cluster.stop(Duration::from_secs(20))?;
        let statement = format!("ALTER ROLE \"{ROLE}\" PASSWORD '{}'\n", scram::verifier(&password));
        let installation = self.cluster.installation(&self.machine)?;
        build::run_statements(&self.machine, &installation, &self.cluster, &statement, Durability::Always)?;
        self.write_url(&url(&password, port::kept(self.cluster.home()).unwrap_or_default()))?;
        Ok(password)
    }

    fn wait_until_ready(&self) -> Result<u16> {
        // Recovery after a crash can take minutes, so the start only fails if the server exits.
        let deadline = Instant::now() + Duration::from_secs(600);
        let mut started = None;
        while Instant::now() < deadline {
            let (status, lives) = self.cluster.status_after(&self.machine.reaper, started)?;
            match status {
                Status::Ready { port, .. } => return Ok(port),
                Status::Starting { .. } | Status::Stopping { .. } => {}
                Status::Stopped if lives => {}
                Status::Stopped => match started {
                    Some(pid) => {
                        let cause = self.exit(pid);
                        let message = log_file::last_error(self.cluster.home()).unwrap_or_else(|| "its log gives no reason".to_owned());
                        let log = log_file::path(self.cluster.home());
                        return Err(Error::Program(format!(
                            "the embedded metadata database does not start: {cause}: {message} (log: {})",
                            log.display()
                        )));
                    }
                    // `None` if a server of an earlier control plane has not written its `postmaster.pid` yet.
                    None => started = self.cluster.start(&self.machine, PortTaken::Move)?,
                },
            }
            sleep(Duration::from_millis(10));
        }
        Err(Error::Busy("the embedded metadata database is still recovering; start toygres again to wait longer".to_owned()))
    }

    /// The status of the server, whose process was `last`; `None` if it must stay stopped. An error means that it is not known.
    fn observe(&self, last: Option<u32>) -> Result<Option<Observed>> {
        let stopped = self.lock();
        if *stopped {
            return Ok(None);
        }
        log_file::trim(self.cluster.home());
        let (status, last_lives) = self.cluster.status_after(&self.machine.reaper, last)?;
        Ok(Some(match status {
            Status::Ready { server, .. } => Observed { pid: Some(server.pid), ready: true, died: None },
            Status::Starting { server } | Status::Stopping { server } => Observed { pid: Some(server.pid), ready: false, died: None },
            Status::Stopped if last_lives => Observed { pid: last, ready: false, died: None },
            Status::Stopped => Observed { pid: None, ready: false, died: last.map(|pid| self.exit(pid)) },
        }))
    }

    fn exit(&self, pid: u32) -> String {
        self.machine.reaper.exit(pid).map_or_else(|| "its process ended".to_owned(), |exit| exit.to_string())
    }

    fn url_file(&self) -> PathBuf {
        self.machine.data.join("metadata.url")
    }

    fn write_url(&self, url: &str) -> Result<()> {
        write_atomically(&self.url_file(), 0o600, &format!("{url}\n"))
    }

    fn cluster_name(&self) -> String {
        cluster_name(&self.machine.data)
    }
}

struct Observed {
    pid: Option<u32>,
    ready: bool,
    /// The exit status, if the server has exited since the last call.
    died: Option<String>,
}

async fn supervise(shared: Arc<Shared>, shutdown: CancellationToken) {
    let (mut last, mut deaths, mut ready_since, mut retry_at) = (None, 0_u32, None::<Instant>, Instant::now());
    let mut unknown = false;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = shared.machine.reaper.death() => {}
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        let observing = shared.clone();
        let observed = match tokio::task::spawn_blocking(move || observing.observe(last)).await.unwrap_or_else(resume_panic) {
            Ok(Some(observed)) => observed,
            Ok(None) => continue,
            Err(error) => {
                // Logged once, because this runs several times in a second.
                if !std::mem::replace(&mut unknown, true) {
                    tracing::warn!(%error, "it is not known whether the embedded metadata database is running");
                }
                continue;
            }
        };
        unknown = false;
        last = observed.pid;
        ready_since = if observed.ready { ready_since.or_else(|| Some(Instant::now())) } else { None };
        if ready_since.is_some_and(|since| since.elapsed() > Duration::from_secs(60)) {
            deaths = 0;
        }
        if let Some(cause) = observed.died {
            deaths += 1;
            retry_at = Instant::now() + back_off(deaths);
            tracing::error!(%cause, deaths, "the embedded metadata database died; starting it again");
        }
        if observed.pid.is_none() && Instant::now() >= retry_at {
            let starting = shared.clone();
            // Only on the same port, because all clients use it.
            let started = tokio::task::spawn_blocking(move || match *starting.lock() {
                true => Ok(None),
                false => starting.cluster.start(&starting.machine, PortTaken::Wait),
            });
            match started.await.unwrap_or_else(resume_panic) {
                Ok(pid) => last = pid,
                Err(error) => {
                    deaths += 1;
                    retry_at = Instant::now() + back_off(deaths.max(2));
                    tracing::error!(%error, "the embedded metadata database cannot be started");
                }
            }
        }
    }
}

/// Unique on the machine, and independent of the version of Toygres.
fn cluster_name(data: &DataDir) -> String {
    let digest = Sha256::digest(data.path().as_os_str().as_encoded_bytes());
    let short: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("toygres-metadata-{short}")
}

fn url(password: &Secret, port: u16) -> String {
    format!("postgres://{ROLE}:{}@127.0.0.1:{port}/{ROLE}", password.expose())
}

/// Generated passwords need no decoding.
fn password_in(url: &str) -> Option<Secret> {
    let (password, _) = url.trim().strip_prefix("postgres://")?.strip_prefix(ROLE)?.strip_prefix(':')?.split_once('@')?;
    (!password.is_empty()).then(|| Secret::new(password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_read_back_from_the_url() {
        let password = Secret::generate();
        assert_eq!(password_in(&url(&password, 15433)), Some(password));
        assert_eq!(password_in("something else"), None);
    }
}
