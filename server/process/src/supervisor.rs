//! Keeps deployed instances running. It compares what lies on disk with what runs, again and again, and remembers only what
//! it needs to notice a change.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::select;
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    runtime::{Nudge, RuntimeError},
};

use super::{
    build,
    cluster::{Cluster, PortTaken, Status, remove_file},
    data_dir::HostLock,
    error::Result,
    instance_dirs::Form,
    log_file,
    runtime::Shared,
};

/// How long between two looks when nothing is going on, and when something is.
const CALM: Duration = Duration::from_millis(200);
const BUSY: Duration = Duration::from_millis(20);
/// After so long without a death an instance counts as healthy again.
const STABLE: Duration = Duration::from_secs(60);
/// So many deaths in a row are a crash loop.
const LOOP: u32 = 5;
/// How many instances the start of a server brings up at the same time; one that takes long does not count for ever.
const STARTING_AT_ONCE: usize = 8;
const STARTING_COUNTS_FOR: Duration = Duration::from_secs(10);
const FILE: &str = "deaths";

/// What a server is to its data directory.
#[derive(Clone, Debug)]
pub enum Role {
    /// It starts and stops the local processes. The lock is given back after the last one has stopped, unless others hold it
    /// too.
    Host(Arc<HostLock>),
    /// Another server is the host: this one only watches.
    Guest,
}

/// Supervises until `shutdown`.
pub(super) async fn run(shared: Arc<Shared>, role: Role, shutdown: CancellationToken) {
    let mut supervisor = Supervisor { shared: shared.clone(), host: matches!(role, Role::Host(_)), tracked: HashMap::new(), swept: None };
    let preparation = supervisor.host.then(|| {
        let shared = shared.clone();
        tokio::task::spawn_blocking(move || prepare(&shared))
    });
    while !shutdown.is_cancelled() {
        let looked = tokio::task::spawn_blocking(move || {
            let busy = supervisor.look();
            (supervisor, busy)
        });
        let busy;
        (supervisor, busy) = match looked.await {
            Ok(looked) => looked,
            Err(error) => {
                tracing::error!(%error, "the supervisor of local processes broke; it starts again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                (Supervisor { shared: shared.clone(), host: matches!(role, Role::Host(_)), tracked: HashMap::new(), swept: None }, true)
            }
        };
        select! {
            () = shutdown.cancelled() => {}
            () = shared.wake.notified() => {}
            () = shared.machine.reaper.death() => {}
            () = tokio::time::sleep(if busy { BUSY } else { CALM }) => {}
        }
    }
    if let Role::Host(lock) = role {
        shared.closing.store(true, Ordering::SeqCst);
        let _ = tokio::task::spawn_blocking(move || stop_all(&shared)).await;
        // An initdb at work would outlive us.
        if let Some(preparation) = preparation {
            let _ = preparation.await;
        }
        drop(lock);
    }
}

/// How often an instance died lately, written beside its data so that every server can tell a crash loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deaths {
    pub(super) count: u32,
    pub(super) reason: Reason,
}

impl Deaths {
    pub(super) fn read(home: &Path) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(home.join(FILE)).ok()?)
    }

    pub(super) fn is_loop(&self) -> bool {
        self.count >= LOOP
    }

    /// The reason of the loop: a missing installation stays what it is, an exit becomes a loop of exits.
    pub(super) fn as_loop(&self) -> Reason {
        match self.reason.code {
            ReasonCode::ProcessExited => Reason::new(ReasonCode::CrashLoop, format!("PostgreSQL keeps ending: {}", self.reason.message)),
            _ => self.reason.clone(),
        }
    }

    fn recorded(home: &Path) -> bool {
        home.join(FILE).exists()
    }

    /// Begins to count anew.
    pub(super) fn forget(home: &Path) -> Result<()> {
        remove_file(&home.join(FILE))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (count, code, message) = (lines.next()?.parse().ok()?, lines.next()?.parse().ok()?, lines.next()?);
        Some(Self { count, reason: Reason::new(code, message) })
    }

    /// Answers whether it is on record now.
    fn write(&self, home: &Path) -> bool {
        let text = format!("{}\n{}\n{}\n", self.count, self.reason.code, self.reason.message);
        // Not worth a sync: it only informs, and the next death writes it again.
        std::fs::write(home.join(FILE), text)
            .inspect_err(|error| tracing::warn!(%error, home = %home.display(), "cannot note the death of a server process"))
            .is_ok()
    }
}

/// How long to wait before the start after the `count`th death in a row: the first is worth an immediate try.
pub(super) fn back_off(count: u32) -> Duration {
    match count {
        0 | 1 => Duration::ZERO,
        _ => Duration::from_secs(1 << (count - 2).min(6)).min(Duration::from_secs(60)),
    }
}

struct Supervisor {
    shared: Arc<Shared>,
    host: bool,
    tracked: HashMap<InstanceId, Tracked>,
    /// When leftovers were looked for.
    swept: Option<Instant>,
}

#[derive(Default)]
struct Tracked {
    /// The server process as last seen or started.
    pid: Option<u32>,
    port: Option<u16>,
    since: Option<Instant>,
    deaths: u32,
    /// Whether the deaths are on record beside the data; not so when the disk is full.
    recorded: bool,
    retry_at: Option<Instant>,
}

impl Supervisor {
    /// Looks at everything once. Answers whether something is going on, so that the next look should be soon.
    fn look(&mut self) -> bool {
        let found = match self.shared.dirs.scan() {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, "cannot look after the instances");
                return false;
            }
        };
        if self.host && self.swept.is_none_or(|at| at.elapsed() > STABLE) {
            self.swept = Some(Instant::now());
            if let Err(error) = self.shared.dirs.sweep_locks() {
                tracing::warn!(%error, "cannot sweep lock files");
            }
            found.iter().filter(|(_, form)| *form == Form::Deployed).for_each(|(id, form)| log_file::trim(&self.shared.dirs.path(*id, *form)));
        }
        let deployed: Vec<_> = found.iter().filter(|(_, form)| *form == Form::Deployed).map(|(id, _)| *id).collect();
        let mut gone: Vec<_> = self.tracked.keys().copied().filter(|id| deployed.binary_search(id).is_err()).collect();
        for id in gone.drain(..) {
            self.tracked.remove(&id);
            self.nudge(id, None);
        }
        let mut busy = false;
        for id in deployed {
            busy |= self.look_after(id);
        }
        for (id, form) in found.into_iter().filter(|(_, form)| *form != Form::Deployed) {
            busy = true;
            if self.host {
                self.clear(id, form);
            }
        }
        busy
    }

    /// Looks at one deployed instance. Answers whether it is on its way somewhere.
    fn look_after(&mut self, id: InstanceId) -> bool {
        let cluster = self.shared.dirs.cluster(id, Form::Deployed);
        let (mut tracked, new) = match self.tracked.remove(&id) {
            Some(tracked) => (tracked, false),
            // Deaths of an earlier host still count: a crash loop is none the better for a new supervisor.
            None => {
                let deaths = Deaths::read(cluster.home());
                (Tracked { deaths: deaths.as_ref().map_or(0, |d| d.count.min(LOOP - 1)), recorded: deaths.is_some(), ..Tracked::default() }, true)
            }
        };
        // A new deployment has cleared the record: earlier deaths count no more.
        if tracked.recorded && !Deaths::recorded(cluster.home()) {
            (tracked.deaths, tracked.retry_at, tracked.recorded) = (0, None, false);
        }
        let busy = match cluster.status() {
            Status::Ready { pid, port } => {
                self.expect(id, &cluster, &mut tracked, pid);
                if tracked.port != Some(port) {
                    tracked.port = Some(port);
                    tracked.since = Some(Instant::now());
                    self.nudge(id, None);
                }
                if tracked.deaths > 0 && tracked.since.is_some_and(|since| since.elapsed() > STABLE) {
                    tracked.deaths = 0;
                    let _ = Deaths::forget(cluster.home());
                }
                false
            }
            Status::Starting { pid } | Status::Stopping { pid } => {
                self.expect(id, &cluster, &mut tracked, pid);
                if tracked.port.take().is_some() || tracked.since.is_none() {
                    tracked.since = Some(Instant::now());
                    self.nudge(id, None);
                }
                true
            }
            // It has not said anything yet.
            Status::Stopped if tracked.pid.is_some_and(|pid| cluster.is_alive(pid)) => true,
            Status::Stopped => {
                if let Some(pid) = tracked.pid.take() {
                    self.died(id, &cluster, &mut tracked, pid);
                } else if new {
                    self.nudge(id, None);
                }
                (tracked.port, tracked.since) = (None, None);
                self.host && self.bring_up(id, &cluster, &mut tracked)
            }
        };
        self.tracked.insert(id, tracked);
        busy
    }

    /// Notices when another process than the last one is the server: then that one died in between.
    fn expect(&self, id: InstanceId, cluster: &Cluster, tracked: &mut Tracked, pid: u32) {
        if let Some(last) = tracked.pid.replace(pid).filter(|last| *last != pid) {
            self.died(id, cluster, tracked, last);
            (tracked.port, tracked.since, tracked.pid) = (None, None, Some(pid));
        }
    }

    fn died(&self, id: InstanceId, cluster: &Cluster, tracked: &mut Tracked, pid: u32) {
        // A removal that began after we looked is no death.
        if !cluster.home().is_dir() || self.shared.closing.load(Ordering::SeqCst) {
            return;
        }
        let mut message = self.shared.machine.reaper.cause_of_death(pid).unwrap_or_else(|| "the server process ended".to_owned());
        if message.contains("exit code")
            && let Some(complaint) = log_file::last_complaint(cluster.home())
        {
            message = format!("{message}: {complaint}");
        }
        tracing::warn!(instance = %id, pid, cause = %message, "an instance died");
        let reason = Reason::new(ReasonCode::ProcessExited, message);
        self.count_death(cluster, tracked, reason.clone());
        self.nudge(id, Some(reason));
    }

    fn count_death(&self, cluster: &Cluster, tracked: &mut Tracked, reason: Reason) {
        // Each server counts for its own back-off, but one writes.
        tracked.deaths = tracked.deaths.saturating_add(1);
        tracked.retry_at = Some(Instant::now() + back_off(tracked.deaths));
        if self.host {
            tracked.recorded = Deaths { count: tracked.deaths, reason }.write(cluster.home());
        }
    }

    /// Starts an instance whose server is down, when its time has come.
    fn bring_up(&self, id: InstanceId, cluster: &Cluster, tracked: &mut Tracked) -> bool {
        if tracked.retry_at.is_some_and(|at| Instant::now() < at) {
            return false;
        }
        let on_their_way = |t: &&Tracked| t.pid.is_some() && t.port.is_none() && t.since.is_none_or(|since| since.elapsed() < STARTING_COUNTS_FOR);
        if self.tracked.values().filter(on_their_way).count() >= STARTING_AT_ONCE {
            return true;
        }
        let started = match self.shared.dirs.try_lock(id) {
            // A verb is at work on it.
            Ok(None) => return true,
            // Under the lock once more: a removal could have renamed it.
            Ok(Some(_lock)) if cluster.home().is_dir() => cluster.start(&self.shared.machine, PortTaken::Move),
            Ok(Some(_)) => return false,
            Err(error) => Err(error),
        };
        match started {
            Ok(pid) => tracked.pid = pid,
            Err(error) => {
                tracing::warn!(instance = %id, %error, "an instance cannot be started");
                let RuntimeError { reason, retryable } = error.into();
                if !retryable {
                    // Waiting will not help, so there is no need to count up to a loop first.
                    tracked.deaths = tracked.deaths.max(LOOP - 1);
                }
                self.count_death(cluster, tracked, reason);
                tracked.retry_at = Some(Instant::now() + back_off(tracked.deaths.max(2)));
                self.nudge(id, None);
            }
        }
        true
    }

    /// Finishes what a verb left half-done, when nobody is at work on it.
    fn clear(&self, id: InstanceId, form: Form) {
        let cleared: Result<()> = (|| match self.shared.dirs.try_lock(id)? {
            Some(_lock) => {
                // What is half put aside was meant to be kept.
                self.shared.clear(id, true)?;
                tracing::info!(instance = %id, ?form, "cleared what was left half-done");
                self.nudge(id, None);
                Ok(())
            }
            None => Ok(()),
        })();
        if let Err(error) = cleared {
            tracing::warn!(instance = %id, %error, "cannot clear what was left half-done");
        }
    }

    fn nudge(&self, instance: InstanceId, death: Option<Reason>) {
        // Nobody listening is fine.
        let _ = self.shared.nudges.send(Nudge { instance, death });
    }
}

/// Makes the templates, newest version first, so that the first instance does not have to wait for `initdb`.
fn prepare(shared: &Shared) {
    if let Err(error) = build::prune_templates(&shared.machine) {
        tracing::warn!(%error, "cannot remove old templates");
    }
    for installation in shared.machine.binaries.iter() {
        if shared.closing.load(Ordering::SeqCst) {
            return;
        }
        if let Err(error) = build::prepare_template(&shared.machine, installation) {
            tracing::warn!(%error, version = %installation.version, "cannot prepare a template");
        }
    }
}

/// Stops every instance, several at a time. They stay deployed.
fn stop_all(shared: &Shared) {
    let deployed: Vec<_> = shared.dirs.scan().unwrap_or_default().into_iter().filter(|(_, form)| *form == Form::Deployed).map(|(id, _)| id).collect();
    let next = std::sync::Mutex::new(deployed.into_iter());
    let stop = || {
        while let Some(id) = next.lock().ok().and_then(|mut ids| ids.next()) {
            // With the lock, so that a deployment in flight cannot start it behind our back. Without it all the same: this
            // is the last chance.
            let lock = shared.dirs.lock(id, Duration::from_secs(5));
            if let Err(error) = shared.dirs.cluster(id, Form::Deployed).stop(Duration::from_secs(10)) {
                tracing::error!(instance = %id, %error, "an instance cannot be stopped");
            }
            drop(lock);
        }
    };
    thread::scope(|scope| {
        for _ in 0..STARTING_AT_ONCE {
            scope.spawn(stop);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_immediate_and_the_rest_wait_longer_and_longer() {
        let waits: Vec<_> = [1, 2, 3, 4, 7, 8, 9, u32::MAX].map(|n| back_off(n).as_secs()).to_vec();
        assert_eq!(waits, [0, 1, 2, 4, 32, 60, 60, 60]);
    }

    #[test]
    fn deaths_are_read_back_and_become_a_loop() {
        let directory = tempfile::tempdir().unwrap();
        let deaths = Deaths { count: LOOP, reason: Reason::new(ReasonCode::ProcessExited, "gone") };
        deaths.write(directory.path());
        assert_eq!(Deaths::read(directory.path()), Some(deaths.clone()));
        assert_eq!(deaths.as_loop().code, ReasonCode::CrashLoop);
        assert!(!Deaths { count: LOOP - 1, ..deaths }.is_loop());
    }
}
