//! Keeps deployed instances running: a loop that reconciles the directories on disk with the running processes. It stores only the
//! state that it needs to detect changes.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    select,
    task::{JoinError, JoinHandle},
};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    runtime::{Nudge, RuntimeError},
};

use super::{
    build,
    cleanup::{Cleanup, Cleared},
    cluster::{Cluster, PortTaken, ServerProcess, Status},
    crash_loop::{self, CrashLoopCounter, back_off},
    data_dir::HostLock,
    disk::Change,
    drift::Fingerprint,
    error::Result,
    instance_dirs::DirState,
    log_file,
    reaper::Exit,
    restart::{self, RestartRecord},
    runtime::Shared,
    suspend, upgrade,
};

/// The pause between two passes when nothing is changing, and when something is.
const IDLE_INTERVAL: Duration = Duration::from_millis(200);
const BUSY_INTERVAL: Duration = Duration::from_millis(20);
/// The crash loop counter is reset when a server has run for this time. This is also the interval of the sweep.
const STABLE: Duration = Duration::from_secs(60);
/// How often the files of an instance are looked at.
const FILES_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum number of instances that are starting concurrently. An instance that has been starting for longer than the duration
/// below is not counted.
const MAX_STARTING: usize = 8;
const STARTING_COUNTS_FOR: Duration = Duration::from_secs(10);

/// The role of a control plane on its data directory.
#[derive(Clone, Debug)]
pub enum Role {
    /// This control plane starts and stops the local processes. The lock is released after the last one has stopped, unless there
    /// are other references to it.
    Host(Arc<HostLock>),
    /// Another control plane is the host, and this one only observes.
    Guest,
}

/// Supervises until `shutdown`.
pub(super) async fn run(shared: Arc<Shared>, role: Role, shutdown: CancellationToken) {
    let mut supervisor =
        Supervisor { shared: shared.clone(), host: matches!(role, Role::Host(_)), tracked: HashMap::new(), cleanup: Cleanup::default(), swept: None };
    let mut preparation = supervisor.host.then(|| {
        let shared = shared.clone();
        tokio::task::spawn_blocking(move || prepare(&shared))
    });
    while !shutdown.is_cancelled() {
        let pass = tokio::task::spawn_blocking(move || {
            let busy = supervisor.pass();
            (supervisor, busy)
        });
        let busy;
        (supervisor, busy) = pass.await.unwrap_or_else(resume_panic);
        select! {
            () = shutdown.cancelled() => {}
            () = shared.wake.notified() => {}
            () = shared.machine.reaper.death() => {}
            () = finished(&mut preparation) => {}
            () = tokio::time::sleep(if busy { BUSY_INTERVAL } else { IDLE_INTERVAL }) => {}
        }
    }
    if let Role::Host(lock) = role {
        shared.closing.store(true, Ordering::SeqCst);
        shared.restorations.cancel_all().await;
        tokio::task::spawn_blocking(move || stop_all(&shared)).await.unwrap_or_else(resume_panic);
        // A running `initdb` would outlive this process.
        if preparation.is_some() {
            finished(&mut preparation).await;
        }
        drop(lock);
    }
}

/// Propagates the panic of a task to the caller's task, so that its owner observes it.
pub(super) fn resume_panic<T>(error: JoinError) -> T {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => panic!("the async runtime is shutting down: {error}"),
    }
}

/// Completes when the task finishes; never completes if there is none.
async fn finished(task: &mut Option<JoinHandle<()>>) {
    match task {
        Some(running) => {
            running.await.unwrap_or_else(resume_panic);
            *task = None;
        }
        None => std::future::pending().await,
    }
}

struct Supervisor {
    shared: Arc<Shared>,
    host: bool,
    tracked: HashMap<InstanceId, Tracked>,
    cleanup: Cleanup,
    /// The time of the last sweep.
    swept: Option<Instant>,
}

#[derive(Default)]
struct Tracked {
    /// The server process that was observed or started last.
    server: Option<ServerProcess>,
    port: Option<u16>,
    since: Option<Instant>,
    deaths: u32,
    /// Whether the deaths are recorded in the instance's directory, which fails if the disk is full.
    recorded: bool,
    retry_at: Option<Instant>,
    /// Whether the last status check failed, which is logged once.
    unknown: bool,
    /// Its files, and when they were looked at.
    files: Option<(Fingerprint, Instant)>,
}

impl Supervisor {
    /// Reports for every instance that the disk is full, or has space again.
    fn measure_disk(&mut self) {
        match self.shared.disk.measure() {
            Ok(None) => {}
            Ok(Some(change)) => {
                for (id, tracked) in &mut self.tracked {
                    // Servers that exited for lack of space are started again at once.
                    if change == Change::Free {
                        tracked.retry_at = None;
                    }
                    let _ = self.shared.nudges.send(Nudge { instance: *id, death: None });
                }
            }
            Err(error) => tracing::warn!(%error, "it is not known whether the disk is full"),
        }
    }

    /// Runs one pass over all instances. Returns whether something is changing, so that the next pass should be soon.
    fn pass(&mut self) -> bool {
        self.measure_disk();
        let found = match self.shared.dirs.scan() {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "cannot list the instances");
                return false;
            }
        };
        if self.host && self.swept.is_none_or(|at| at.elapsed() > STABLE) {
            self.swept = Some(Instant::now());
            self.sweep(&found);
        }
        let deployed: Vec<_> = found.iter().filter(|(_, state)| *state == DirState::Deployed).map(|(id, _)| *id).collect();
        let mut gone: Vec<_> = self.tracked.keys().copied().filter(|id| deployed.binary_search(id).is_err()).collect();
        for id in gone.drain(..) {
            self.tracked.remove(&id);
            self.nudge(id, None);
        }
        self.cleanup.retain(&found);
        let mut busy = false;
        for id in deployed {
            busy |= self.reconcile(id);
        }
        let is_restored = |id| self.shared.restorations.progress(id).is_some();
        for (id, state) in found.into_iter().filter(|(id, state)| *state != DirState::Deployed && !is_restored(*id)) {
            match self.host.then(|| self.cleanup.clear(&self.shared, id, state)) {
                Some(Cleared::Later) => {}
                Some(Cleared::Done) => self.nudge(id, None),
                Some(Cleared::Busy) | None => busy = true,
            }
        }
        busy
    }

    /// The infrequent part of a pass.
    fn sweep(&self, found: &[(InstanceId, DirState)]) {
        if let Err(error) = self.shared.dirs.sweep_locks() {
            tracing::warn!(%error, "cannot sweep lock files");
        }
        for (id, state) in found.iter().copied().filter(|(_, state)| *state == DirState::Deployed) {
            let home = self.shared.dirs.path(id, state);
            if RestartRecord::read(&home).is_some_and(|restart| restart.is_abandoned())
                && let Err(error) = self.finish_restart(id)
            {
                tracing::warn!(instance = %id, %error, "cannot finish a restart that was left half-done");
            }
        }
    }

    /// Continues a restart, or the end of the server for a suspension, whose caller no longer repeats it.
    fn finish_restart(&self, id: InstanceId) -> Result<()> {
        let Some(_lock) = self.shared.dirs.try_lock(id)? else { return Ok(()) };
        let cluster = self.shared.dirs.cluster(id, DirState::Deployed);
        match RestartRecord::read(cluster.home()).filter(RestartRecord::is_abandoned) {
            Some(record) => restart::resume(&self.shared.machine, &cluster, record).map(drop),
            None => Ok(()),
        }
    }

    /// Reconciles one deployed instance. Returns whether it is starting, stopping or about to start.
    fn reconcile(&mut self, id: InstanceId) -> bool {
        let cluster = self.shared.dirs.cluster(id, DirState::Deployed);
        let (mut tracked, new) = match self.tracked.remove(&id) {
            Some(tracked) => (tracked, false),
            // Deaths under an earlier host are counted too, so that a new supervisor does not end a crash loop.
            None => {
                let crashes = CrashLoopCounter::read(cluster.home());
                let deaths = crashes.as_ref().map_or(0, |crashes| crashes.count.min(crash_loop::THRESHOLD - 1));
                (Tracked { deaths, recorded: crashes.is_some(), ..Tracked::default() }, true)
            }
        };
        // A deployment or a restart has reset the counter.
        if tracked.recorded && !CrashLoopCounter::exists(cluster.home()) {
            (tracked.deaths, tracked.retry_at, tracked.recorded) = (0, None, false);
        }
        let (status, last_lives) = match cluster.status_after(&self.shared.machine.reaper, tracked.server.map(|server| server.pid)) {
            Ok(known) => known,
            Err(error) => {
                if !std::mem::replace(&mut tracked.unknown, true) {
                    tracing::warn!(instance = %id, %error, "it is not known whether an instance is running");
                }
                self.tracked.insert(id, tracked);
                return false;
            }
        };
        tracked.unknown = false;
        if self.host {
            log_file::trim(cluster.home());
        }
        self.compare_files(id, &cluster, &mut tracked);
        let busy = match status {
            Status::Ready { server, port } => {
                self.track(id, &cluster, &mut tracked, server);
                if tracked.port != Some(port) {
                    tracked.port = Some(port);
                    tracked.since = Some(Instant::now());
                    self.nudge(id, None);
                }
                if tracked.deaths > 0 && tracked.since.is_some_and(|since| since.elapsed() > STABLE) {
                    tracked.deaths = 0;
                    let _ = CrashLoopCounter::reset(cluster.home());
                }
                false
            }
            Status::Starting { server } | Status::Stopping { server } => {
                self.track(id, &cluster, &mut tracked, server);
                if tracked.port.take().is_some() || tracked.since.is_none() {
                    tracked.since = Some(Instant::now());
                    self.nudge(id, None);
                }
                true
            }
            // The server has not written its `postmaster.pid` yet.
            Status::Stopped if last_lives => true,
            Status::Stopped => {
                if let Some(server) = tracked.server.take() {
                    self.ended(id, &cluster, &mut tracked, server);
                } else if new {
                    self.nudge(id, None);
                }
                (tracked.port, tracked.since) = (None, None);
                self.host && self.start(id, &cluster, &mut tracked)
            }
        };
        self.tracked.insert(id, tracked);
        busy
    }

    /// Reports that the files of an instance have changed, whoever changed them.
    fn compare_files(&self, id: InstanceId, cluster: &Cluster, tracked: &mut Tracked) {
        if tracked.files.as_ref().is_some_and(|(_, at)| at.elapsed() < FILES_INTERVAL) {
            return;
        }
        let files = Fingerprint::of(cluster.home());
        let before = tracked.files.replace((files.clone(), Instant::now()));
        if before.is_some_and(|(before, _)| before != files) {
            self.nudge(id, None);
        }
    }

    /// Detects that another process is the server now, which means that the last one has ended.
    fn track(&self, id: InstanceId, cluster: &Cluster, tracked: &mut Tracked, server: ServerProcess) {
        if let Some(last) = tracked.server.replace(server).filter(|last| !last.is(server)) {
            self.ended(id, cluster, tracked, last);
            (tracked.port, tracked.since) = (None, None);
        }
    }

    fn ended(&self, id: InstanceId, cluster: &Cluster, tracked: &mut Tracked, server: ServerProcess) {
        // Neither a removal that began during this pass nor a planned restart or suspension is a death.
        if !cluster.home().is_dir() || self.shared.closing.load(Ordering::SeqCst) {
            return;
        }
        if suspend::is_suspended(cluster.home()) || RestartRecord::read(cluster.home()).is_some_and(|restart| restart.stops(server)) {
            tracing::info!(instance = %id, pid = server.pid, "the server of an instance ended as planned");
            return self.nudge(id, None);
        }
        let exit = self.shared.machine.reaper.exit(server.pid);
        let mut message = exit.map_or_else(|| "the server process ended".to_owned(), |exit| exit.to_string());
        if exit.is_some_and(Exit::is_error)
            && let Some(error) = log_file::last_error(cluster.home())
        {
            message = format!("{message}: {error}");
        }
        tracing::warn!(instance = %id, pid = server.pid, cause = %message, "the server of an instance died");
        let reason = Reason::new(ReasonCode::ProcessExited, message);
        self.count_death(cluster, tracked, reason.clone());
        self.nudge(id, Some(reason));
    }

    fn count_death(&self, cluster: &Cluster, tracked: &mut Tracked, reason: Reason) {
        // Each control plane counts deaths for its own back-off; only the host records them.
        tracked.deaths = tracked.deaths.saturating_add(1);
        tracked.retry_at = Some(Instant::now() + back_off(tracked.deaths));
        if self.host {
            tracked.recorded = CrashLoopCounter { count: tracked.deaths, reason }.write(cluster.home());
        }
    }

    /// Starts an instance whose server is down, unless it is suspended, and except during its back-off. Returns whether it is about to
    /// start.
    fn start(&self, id: InstanceId, cluster: &Cluster, tracked: &mut Tracked) -> bool {
        if suspend::is_suspended(cluster.home()) {
            return false;
        }
        if tracked.retry_at.is_some_and(|at| Instant::now() < at) {
            return false;
        }
        let starting = |t: &&Tracked| t.server.is_some() && t.port.is_none() && t.since.is_none_or(|since| since.elapsed() < STARTING_COUNTS_FOR);
        if self.tracked.values().filter(starting).count() >= MAX_STARTING {
            return true;
        }
        let started = match self.shared.dirs.try_lock(id) {
            // A verb holds the lock.
            Ok(None) => return true,
            // Checked again under the lock: a removal may have renamed the directory.
            Ok(Some(_lock)) if cluster.home().is_dir() => cluster.start(&self.shared.machine, PortTaken::Move),
            Ok(Some(_)) => return false,
            Err(error) => Err(error),
        };
        match started {
            Ok(pid) => tracked.server = pid.map(|pid| ServerProcess { pid, started: None }),
            Err(error) => {
                tracing::warn!(instance = %id, %error, "an instance cannot be started");
                let RuntimeError { reason, retryable } = error.into();
                if !retryable {
                    // Another attempt would fail too, so this counts as a crash loop immediately.
                    tracked.deaths = tracked.deaths.max(crash_loop::THRESHOLD - 1);
                }
                self.count_death(cluster, tracked, reason);
                tracked.retry_at = Some(Instant::now() + back_off(tracked.deaths.max(2)));
                self.nudge(id, None);
            }
        }
        true
    }

    fn nudge(&self, instance: InstanceId, death: Option<Reason>) {
        // An error means that there is no subscriber.
        let _ = self.shared.nudges.send(Nudge { instance, death });
    }
}

/// Creates the templates, newest version first, so that the first instance does not wait for `initdb`.
fn prepare(shared: &Shared) {
    if let Err(error) = build::prune_templates(&shared.machine) {
        tracing::warn!(%error, "cannot remove old templates");
    }
    for installation in shared.machine.binaries.all() {
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        if let Err(error) = build::prepare_template(&shared.machine, &installation) {
            tracing::warn!(%error, version = %installation.version, "cannot prepare a template");
        }
    }
}

/// Stops every instance, several at a time. They stay deployed.
fn stop_all(shared: &Shared) {
    let deployed: Vec<_> =
        shared.dirs.scan().unwrap_or_default().into_iter().filter(|(_, state)| *state == DirState::Deployed).map(|(id, _)| id).collect();
    let next = std::sync::Mutex::new(deployed.into_iter());
    let stop = || {
        while let Some(id) = next.lock().ok().and_then(|mut ids| ids.next()) {
            // With the lock, so that a concurrent deployment does not start the instance again. If the lock is not available in
            // time, the instance is stopped without it, because nothing would stop it later.
            let lock = shared.dirs.lock(id, Duration::from_secs(5));
            let cluster = shared.dirs.cluster(id, DirState::Deployed);
            // An upgrade begins anew.
            if let Err(error) = upgrade::kill_script(&cluster).and_then(|()| cluster.stop(Duration::from_secs(10))) {
                tracing::error!(instance = %id, %error, "an instance cannot be stopped");
            }
            drop(lock);
        }
    };
    thread::scope(|scope| {
        for _ in 0..MAX_STARTING {
            scope.spawn(stop);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_on_another_thread_reaches_the_owner() {
        let task = tokio::spawn(async { tokio::task::spawn_blocking(|| panic!("provoked")).await.unwrap_or_else(resume_panic::<()>) });
        assert!(task.await.unwrap_err().is_panic());
    }
}
