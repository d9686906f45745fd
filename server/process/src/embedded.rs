//! The embedded metadata database: a PostgreSQL that the server starts, watches and stops itself, for a laptop without any.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toygres_domain::secret::Secret;

use super::{
    account::Account,
    binaries::Binaries,
    build,
    cluster::{Cluster, Machine, PortTaken, Status, configure},
    data_dir::{DataDir, HostLock, sync_directory, write_atomically},
    error::{Error, Result, Trying},
    log_file, port,
    reaper::Reaper,
    scram, settings,
    supervisor::back_off,
};

/// The role that owns everything in it.
const ROLE: &str = "toygres";

/// The metadata database of a host, running. It is restarted when it dies, on the same port, so that connections come back
/// by themselves.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    url: String,
    stop: CancellationToken,
    watch: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    machine: Machine,
    cluster: Cluster,
    // Whoever starts or stops the server holds this.
    at_work: Mutex<()>,
}

impl Embedded {
    /// Brings the metadata database up and waits until it answers; makes it first where there is none, and takes over the
    /// one that a killed server left running. Its URL, with the password, is also in `metadata.url`, which only the server's
    /// user can read.
    ///
    /// # Errors
    /// [`Error`] with a sentence that says what is in the way.
    pub async fn start(data: &DataDir, binaries: &Binaries, account: &Account, _host: &HostLock) -> Result<Self> {
        let machine = Machine { data: data.clone(), binaries: binaries.clone(), account: account.clone(), reaper: Reaper::default() };
        let shared = Arc::new(Shared { cluster: Cluster::new(cluster_name(data), data.join("metadata")), machine, at_work: Mutex::new(()) });
        let starting = shared.clone();
        let url = tokio::task::spawn_blocking(move || starting.bring_up()).await.map_err(|e| Error::Program(format!("the start broke: {e}")))??;
        let stop = CancellationToken::new();
        let watch = Mutex::new(Some(tokio::spawn(watch(shared.clone(), stop.clone()))));
        Ok(Self { shared, url, stop, watch })
    }

    /// Where it is: `postgres://toygres:<password>@127.0.0.1:<port>/toygres`. It stays the same until the next start.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it cleanly.
    ///
    /// # Errors
    /// [`Error`] when its processes do not end even when they are killed.
    pub async fn stop(&self) -> Result<()> {
        self.stop.cancel();
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watch) = watch {
            let _ = watch.await;
        }
        let shared = self.shared.clone();
        let stopping = tokio::task::spawn_blocking(move || {
            let _at_work = shared.at_work.lock();
            shared.cluster.stop(Duration::from_secs(20))
        });
        stopping.await.map_err(|e| Error::Program(format!("the stop broke: {e}")))?
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Without stop() the database goes on, and the next start takes it over; nobody watches it meanwhile.
        self.stop.cancel();
    }
}

impl Shared {
    /// Makes it where there is none, starts it, waits for it; answers its URL.
    fn bring_up(&self) -> Result<String> {
        let _at_work = self.at_work.lock();
        let home = self.cluster.home();
        if home.is_dir() {
            self.cluster.installation(&self.machine).map_err(|error| match error {
                Error::PostgresMissing(what) => {
                    Error::PostgresMissing(format!("the embedded metadata database needs the version that made it: {what}"))
                }
                other => other,
            })?;
        }
        let password = if home.is_dir() { self.password()? } else { self.make()? };
        configure(home, "postgresql.conf", &settings::metadata())?;
        configure(home, "pg_hba.conf", settings::HBA)?;
        let port = self.wait_until_ready()?;
        let url = url(&password, port);
        if std::fs::read_to_string(self.url_file()).ok().as_deref().map(str::trim) != Some(&url) {
            self.write_url(&url)?;
        }
        Ok(url)
    }

    fn make(&self) -> Result<Secret> {
        let (machine, installation) = (&self.machine, self.machine.binaries.newest());
        let staging = Cluster::new(format!("{}-staging", self.cluster_name()), self.machine.data.join(".staging-metadata"));
        let password = Secret::generate();
        let statements = format!(
            "CREATE ROLE \"{ROLE}\" SUPERUSER LOGIN PASSWORD '{}'\nCREATE DATABASE \"{ROLE}\" OWNER \"{ROLE}\"\n",
            scram::verifier(&password)
        );
        build::build(machine, installation, &staging, &settings::metadata(), &statements)?;
        let port = port::choose(&machine.data, staging.home())?;
        // Before the database is in place: there must never be one to which nobody has the password.
        self.write_url(&url(&password, port))?;
        std::fs::rename(staging.home(), self.cluster.home()).trying("put the metadata database into place")?;
        sync_directory(machine.data.path())?;
        Ok(password)
    }

    /// The password of a database that is there, or a new one when `metadata.url` is lost.
    fn password(&self) -> Result<Secret> {
        if let Some(password) = std::fs::read_to_string(self.url_file()).ok().as_deref().and_then(password_in) {
            return Ok(password);
        }
        tracing::warn!("metadata.url is missing; the metadata database gets a new password");
        let password = Secret::generate();
        self.cluster.stop(Duration::from_secs(20))?;
        let statement = format!("ALTER ROLE \"{ROLE}\" PASSWORD '{}'\n", scram::verifier(&password));
        build::run_statements(&self.machine, self.cluster.installation(&self.machine)?, &self.cluster, &statement)?;
        self.write_url(&url(&password, port::kept(self.cluster.home()).unwrap_or_default()))?;
        Ok(password)
    }

    fn wait_until_ready(&self) -> Result<u16> {
        // Recovery after a crash can take minutes and is no failure; only a server that ended is.
        let deadline = Instant::now() + Duration::from_secs(600);
        let mut started = None;
        while Instant::now() < deadline {
            match self.cluster.status() {
                Status::Ready { port, .. } => return Ok(port),
                Status::Starting { .. } | Status::Stopping { .. } => {}
                Status::Stopped => match started {
                    Some(pid) if self.cluster.is_alive(pid) => {}
                    Some(pid) => {
                        let cause = self.machine.reaper.cause_of_death(pid).unwrap_or_else(|| "its process ended".to_owned());
                        let complaint = log_file::last_complaint(self.cluster.home()).unwrap_or_else(|| "its log gives no reason".to_owned());
                        let log = log_file::path(self.cluster.home());
                        return Err(Error::Program(format!(
                            "the embedded metadata database does not start: {cause}: {complaint} (log: {})",
                            log.display()
                        )));
                    }
                    // None when one left over by an earlier server has not said anything yet.
                    None => started = self.cluster.start(&self.machine, PortTaken::Move)?,
                },
            }
            sleep(Duration::from_millis(10));
        }
        Err(Error::Busy("the embedded metadata database is still recovering; start toygres again to wait longer".to_owned()))
    }

    /// Looks once, and starts it when it is down.
    fn look(&self, last: Option<u32>) -> Result<Look> {
        let _at_work = self.at_work.lock();
        log_file::trim(self.cluster.home());
        match self.cluster.status() {
            Status::Ready { pid, .. } => Ok(Look { pid: Some(pid), ready: true, died: None }),
            Status::Starting { pid } | Status::Stopping { pid } => Ok(Look { pid: Some(pid), ready: false, died: None }),
            Status::Stopped if last.is_some_and(|pid| self.cluster.is_alive(pid)) => Ok(Look { pid: last, ready: false, died: None }),
            Status::Stopped => {
                let died = last.map(|pid| self.machine.reaper.cause_of_death(pid).unwrap_or_else(|| "its process ended".to_owned()));
                Ok(Look { pid: None, ready: false, died })
            }
        }
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

struct Look {
    pid: Option<u32>,
    ready: bool,
    died: Option<String>,
}

/// Starts the database again whenever it is down.
async fn watch(shared: Arc<Shared>, stop: CancellationToken) {
    let (mut last, mut deaths, mut ready_since, mut retry_at) = (None, 0_u32, None::<Instant>, Instant::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.machine.reaper.death() => {}
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        let looking = shared.clone();
        let Ok(Ok(look)) = tokio::task::spawn_blocking(move || looking.look(last)).await else { continue };
        last = look.pid;
        ready_since = if look.ready { ready_since.or_else(|| Some(Instant::now())) } else { None };
        if ready_since.is_some_and(|since| since.elapsed() > Duration::from_secs(60)) {
            deaths = 0;
        }
        if let Some(cause) = look.died {
            deaths += 1;
            retry_at = Instant::now() + back_off(deaths);
            tracing::error!(%cause, deaths, "the embedded metadata database died; starting it again");
        }
        if look.pid.is_none() && Instant::now() >= retry_at && !stop.is_cancelled() {
            let starting = shared.clone();
            // On the same port, or not yet: everybody who is connected knows this one.
            let started = tokio::task::spawn_blocking(move || {
                let _at_work = starting.at_work.lock();
                starting.cluster.start(&starting.machine, PortTaken::Wait)
            });
            match started.await {
                Ok(Ok(pid)) => last = pid,
                Ok(Err(error)) => {
                    deaths += 1;
                    retry_at = Instant::now() + back_off(deaths.max(2));
                    tracing::error!(%error, "the embedded metadata database cannot be started");
                }
                Err(error) => tracing::error!(%error, "starting the embedded metadata database broke"),
            }
        }
    }
}

/// Unique on the machine and the same for every version of toygres.
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
    fn the_url_gives_the_password_back() {
        let password = Secret::generate();
        assert_eq!(password_in(&url(&password, 15433)), Some(password));
        assert_eq!(password_in("rubbish"), None);
    }
}
