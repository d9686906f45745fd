//! Health checks over connections that are kept open. This saves the cost of a login, which is milliseconds on both sides, and a
//! lost connection reveals an outage before the next check does.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt, future::BoxFuture};
use metrics::{counter, gauge};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    task::JoinSet,
};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

use super::{
    Login, ServerStatus, Target, check_server, close, read_only,
    session::{Session, SessionError},
    storage::{self, Measurement},
    symptom,
    vitals::{self, ServerMetrics},
};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Reason},
    notice::Vitals,
    scram,
};

/// The answer of a healthy instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How long it took.
    pub latency: Duration,
    /// Whether the check logged in, which its latency includes; otherwise it used a connection that was kept.
    pub logged_in: bool,
    /// Whether the password of the owner is still the one that is stored.
    pub owner_password: OwnerPassword,
    /// Whether clients use it.
    pub activity: Activity,
    /// The databases whose collation has another version than their indexes were built with, with both versions, for people. Empty if there
    /// are none; `None` if that was not asked, which only logins do.
    pub outdated_collations: Option<String>,
    /// Whether the control plane keeps the server from taking writes: see [`storage::hold`].
    pub is_held: bool,
    /// What the server uses of its volume, if that was asked and it could tell. Servers of an earlier release, without a monitor, are not asked.
    pub storage: Option<Measurement>,
    /// What can become an outage, and the metrics of the server, if that was asked and it could tell.
    pub vitals: Option<(Vitals, ServerMetrics)>,
}

/// What a check measures too. It does not count as latency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// [`Answer::storage`].
    pub storage: bool,
    /// [`Answer::vitals`].
    pub vitals: bool,
}

impl Measure {
    /// Everything.
    pub const ALL: Self = Self { storage: true, vitals: true };
    /// Nothing.
    pub const NONE: Self = Self { storage: false, vitals: false };

    fn is_any(self) -> bool {
        self != Self::NONE
    }
}

/// Whether clients use an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Whether anybody but the platform has a session now.
    pub is_connected: bool,
    /// What the server counts the sessions of clients by: as long as it is the same, there was no other one in between.
    pub sessions: String,
}

/// Whether the password of the owner's role is the one that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerPassword {
    /// It is.
    Current,
    /// It is the other one that is stored, after a rotation that did not succeed.
    Other,
    /// The owner has changed it.
    Changed,
    /// The check logged in as the owner, which says it all.
    Untold,
}

/// Checks instances over connections that it keeps within a budget. The first instances that are healthy get one. There is no
/// eviction, because every instance is checked equally often. Clones share the connections.
///
/// The connections are owned by [`Prober::run`]. While it is not running, none is kept and every check logs in.
#[derive(Clone, Debug)]
pub struct Prober {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    budget: usize,
    login_every: u32,
    state: Mutex<State>,
    compared: Compared,
    numbers: AtomicU64,
    losses: broadcast::Sender<InstanceId>,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<InstanceId, ProbeConnection>,
    /// The queue of tasks of connections, which [`Prober::run`] runs; `None` while it is not running.
    runner: Option<mpsc::UnboundedSender<BoxFuture<'static, ()>>>,
}

/// A connection that a task owns.
#[derive(Debug)]
struct ProbeConnection {
    number: u64,
    endpoint: Endpoint,
    /// Checks since the last successful login. A failed login does not reset this, so that the next check logs in too and confirms
    /// the failure.
    checks: u32,
    requests: mpsc::Sender<ProbeRequest>,
}

#[derive(Debug)]
struct ProbeRequest {
    timeout: Duration,
    measure: Measure,
    reply: oneshot::Sender<Result<KeptAnswer, Reason>>,
}

/// The answer over a kept connection.
#[derive(Debug)]
struct KeptAnswer {
    latency: Duration,
    owner_password: OwnerPassword,
    activity: Activity,
    is_held: bool,
    storage: Option<Measurement>,
    vitals: Option<(Vitals, ServerMetrics)>,
}

impl Prober {
    /// Creates a prober that keeps at most `budget` connections. Every `login_every`th check of an instance logs in despite a kept
    /// connection.
    #[must_use]
    pub fn new(budget: usize, login_every: u32) -> Self {
        let losses = broadcast::Sender::new(1024);
        Self {
            shared: Arc::new(Shared {
                budget,
                login_every,
                state: Mutex::default(),
                compared: Compared::default(),
                numbers: AtomicU64::new(0),
                losses,
            }),
        }
    }

    /// Owns the connections until `shutdown`, and then closes them. A connection whose task panics is dropped, because one hosted
    /// server must not end the checks of the others.
    ///
    /// To be run once, by an owner that observes its completion.
    pub async fn run(&self, shutdown: CancellationToken) {
        let (runner, mut kept) = mpsc::unbounded_channel();
        self.shared.lock().runner = Some(runner);
        let _running = Running(&self.shared);
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                Some(task) = kept.recv() => {
                    tasks.spawn(task);
                }
                // A panic is logged by the guard of the connection.
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    /// Checks an instance over its kept connection; returns its answer, or why the check failed. Returns `None` if a login is
    /// required, because there is no connection, it was lost, a login is due, or the owner's password has changed. (The passwords are
    /// therefore only needed for a few checks.)
    pub async fn ask(&self, instance: InstanceId, endpoint: &Endpoint, timeout: Duration, measure: Measure) -> Option<Result<Answer, Reason>> {
        let (number, requests) = {
            let mut state = self.shared.lock();
            let connection = state.connections.get_mut(&instance)?;
            if connection.endpoint != *endpoint {
                state.connections.remove(&instance);
                return None;
            }
            connection.checks = connection.checks.saturating_add(1);
            if connection.checks >= self.shared.login_every {
                return None;
            }
            (connection.number, connection.requests.clone())
        };
        let answered = async {
            let (reply, answer) = oneshot::channel();
            requests.send(ProbeRequest { timeout, measure, reply }).await.ok()?;
            answer.await.ok()
        };
        // The task may be closing the connection, or not have been started yet.
        let limit = if measure.is_any() { timeout + storage::TIMEOUT } else { timeout };
        match tokio::time::timeout(limit, answered).await {
            Ok(answer) => Some(answer?.map(|KeptAnswer { latency, owner_password, activity, is_held, storage, vitals }| Answer {
                latency,
                logged_in: false,
                owner_password,
                activity,
                outdated_collations: None,
                is_held,
                storage,
                vitals,
            })),
            Err(_) => {
                self.shared.remove(instance, number);
                Some(Err(symptom::no_answer(endpoint, timeout)))
            }
        }
    }

    /// Checks an instance by logging in; returns its answer. A healthy instance may get a kept connection.
    ///
    /// # Errors
    /// Why it failed. The reason never contains the password.
    pub async fn log_in(&self, instance: InstanceId, target: &Target, timeout: Duration, measure: Measure) -> Result<Answer, Reason> {
        counter!("toygres_probe_logins_total").increment(1);
        let Login { latency, session, fingerprint, activity, outdated_collations, is_held } = check_server(target, timeout).await?;
        let is_held = is_held_by_us(target.owner.is_some(), is_held)?;
        let (session, storage, vitals) = measured(session, to_measure(target), measure).await;
        let owner_password = self.shared.compared.owner_password(instance, target, fingerprint.as_deref()).await;
        let query = ServerStatus::query_of(target.owner.as_ref());
        let owner = target.owner.as_ref().map(|owner| owner.role.to_string());
        let known = Known { query, owner, fingerprint, owner_password };
        let unneeded = match owner_password {
            // What is stored is about to change, and with it what is known.
            OwnerPassword::Other => session,
            _ => session.and_then(|session| self.keep(instance, &target.endpoint, session, known)),
        };
        close(unneeded).await;
        Ok(Answer { latency, logged_in: true, owner_password, activity, outdated_collations, is_held, storage, vitals })
    }

    /// Checks an instance as a new client does: logs in, and keeps no connection. An earlier one is closed, because it can live on when
    /// no client can connect any more.
    ///
    /// # Errors
    /// Why it failed. The reason never contains the password.
    pub async fn log_in_anew(&self, instance: InstanceId, target: &Target, timeout: Duration, measure: Measure) -> Result<Answer, Reason> {
        self.forget(instance);
        counter!("toygres_probe_logins_total").increment(1);
        let Login { latency, session, fingerprint, activity, outdated_collations, is_held } = check_server(target, timeout).await?;
        let is_held = is_held_by_us(target.owner.is_some(), is_held)?;
        let (session, storage, vitals) = measured(session, to_measure(target), measure).await;
        close(session).await;
        let owner_password = self.shared.compared.owner_password(instance, target, fingerprint.as_deref()).await;
        Ok(Answer { latency, logged_in: true, owner_password, activity, outdated_collations, is_held, storage, vitals })
    }

    /// The instances whose kept connection was lost between two checks, which should be checked immediately.
    pub fn losses(&self) -> impl Stream<Item = InstanceId> + Send + Unpin + 'static {
        BroadcastStream::new(self.shared.losses.subscribe()).filter_map(|loss| std::future::ready(loss.ok()))
    }

    /// Closes the connection of an instance that is no longer checked, or that has changed.
    pub fn forget(&self, instance: InstanceId) {
        self.shared.lock().connections.remove(&instance);
        self.shared.compared.forget(instance);
        self.shared.report();
    }

    /// Keeps the session of a successful login, if there is none yet and there is room; otherwise returns it.
    fn keep(&self, instance: InstanceId, endpoint: &Endpoint, session: Session, known: Known) -> Option<Session> {
        let unneeded = {
            let mut state = self.shared.lock();
            let State { connections, runner } = &mut *state;
            let room = connections.len() < self.shared.budget;
            match (connections.entry(instance), runner) {
                (Entry::Occupied(mut connection), _) => {
                    connection.get_mut().checks = 0;
                    Some(session)
                }
                (Entry::Vacant(place), Some(runner)) if room => {
                    let number = self.shared.numbers.fetch_add(1, Ordering::Relaxed);
                    let (sender, requests) = mpsc::channel(1);
                    let task = keep(self.shared.clone(), instance, number, hold(session, endpoint.clone(), known, requests));
                    // An error means that the prober stops; the session ends with the task.
                    if runner.send(Box::pin(task)).is_ok() {
                        place.insert(ProbeConnection { number, endpoint: endpoint.clone(), checks: 0, requests: sender });
                    }
                    None
                }
                (Entry::Vacant(_), _) => Some(session),
            }
        };
        self.shared.report();
        unneeded
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes one connection, unless it was replaced.
    fn remove(&self, instance: InstanceId, number: u64) {
        if let Entry::Occupied(connection) = self.lock().connections.entry(instance)
            && connection.get().number == number
        {
            connection.remove();
        }
        self.report();
    }

    fn report(&self) {
        gauge!("toygres_probe_connections").set(self.lock().connections.len() as f64);
    }
}

/// A guard: connections are kept while it exists.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.lock() = State::default();
        self.0.report();
    }
}

/// A guard: the prober has the connection while it exists.
struct KeptConnection {
    shared: Arc<Shared>,
    instance: InstanceId,
    number: u64,
}

impl Drop for KeptConnection {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(instance = %self.instance, "the task of a connection to a hosted server panicked; the connection is dropped");
        }
        self.shared.remove(self.instance, self.number);
    }
}

/// Why a connection was closed.
enum CloseReason {
    /// The connection is no longer needed.
    Unneeded,
    /// The connection was lost, between two requests or during one.
    Lost { during_request: bool },
}

async fn keep(shared: Arc<Shared>, instance: InstanceId, number: u64, hold: impl Future<Output = CloseReason>) {
    // Made by the task itself, because a task that cannot be started is dropped under the lock.
    let connection = KeptConnection { shared: shared.clone(), instance, number };
    let reason = hold.await;
    drop(connection);
    if let CloseReason::Lost { during_request } = reason {
        counter!("toygres_probe_connections_lost_total").increment(1);
        if !during_request {
            // An error means that there is no subscriber.
            let _ = shared.losses.send(instance);
        }
    }
}

/// What is known of the instance of a kept session since the login.
struct Known {
    /// What to ask.
    query: String,
    /// The role of the owner, if the session is that of the monitor.
    owner: Option<String>,
    fingerprint: Option<String>,
    owner_password: OwnerPassword,
}

/// In an instance of an earlier release, the owner was a superuser, and so it was they who made the server read-only.
fn is_held_by_us(is_platform: bool, is_held: bool) -> Result<bool, Reason> {
    if is_held && !is_platform { Err(read_only()) } else { Ok(is_held) }
}

/// The role of the owner, if the session is that of the monitor, which can measure.
fn to_measure(target: &Target) -> Option<&str> {
    target.owner.as_ref().map(|owner| owner.role.as_str())
}

/// Measures in the server of this owner. A session that was lost over that is none to keep.
async fn measured(
    session: Option<Session>,
    owner: Option<&str>,
    measure: Measure,
) -> (Option<Session>, Option<Measurement>, Option<(Vitals, ServerMetrics)>) {
    let Some(owner) = owner.filter(|_| measure.is_any()) else { return (session, None, None) };
    let Some(mut session) = session else { return (None, None, None) };
    let asking = async {
        let storage = if measure.storage { storage::measure(&mut session).await? } else { None };
        let vitals = if measure.vitals { vitals::ask(&mut session, owner).await? } else { None };
        Ok::<_, SessionError>((storage, vitals))
    };
    match tokio::time::timeout(storage::TIMEOUT, asking).await {
        Ok(Ok((storage, vitals))) => (Some(session), storage, vitals),
        Ok(Err(_)) | Err(_) => (None, None, None),
    }
}

/// The passwords of owners that were compared with what their servers told, and were right. The comparison takes thousands of hashes, which would be
/// most of the cost of a login.
#[derive(Debug, Default)]
struct Compared {
    /// By instance: the digest of the fingerprint and the password.
    right: Mutex<HashMap<InstanceId, [u8; 32]>>,
}

impl Compared {
    /// Compares the password that the owner should have with what the server tells of it.
    async fn owner_password(&self, instance: InstanceId, target: &Target, fingerprint: Option<&str>) -> OwnerPassword {
        let (Some(owner), Some(fingerprint)) = (&target.owner, fingerprint) else { return OwnerPassword::Untold };
        let digest = scram::digest(fingerprint, &owner.password);
        if self.lock().get(&instance) == Some(&digest) {
            return OwnerPassword::Current;
        }
        let (owner, fingerprint) = (owner.clone(), fingerprint.to_owned());
        // It takes milliseconds, or more if the owner has chosen so.
        let compare = tokio::task::spawn_blocking(move || match owner.other_password {
            _ if scram::has_password(&fingerprint, &owner.password) => OwnerPassword::Current,
            Some(other) if scram::has_password(&fingerprint, &other) => OwnerPassword::Other,
            _ => OwnerPassword::Changed,
        });
        // It is not compared when the control plane is stopping.
        let outcome = compare.await.unwrap_or(OwnerPassword::Untold);
        if outcome == OwnerPassword::Current {
            self.lock().insert(instance, digest);
        }
        outcome
    }

    fn forget(&self, instance: InstanceId) {
        self.lock().remove(&instance);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, [u8; 32]>> {
        // No code panics while it holds the lock.
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn hold(mut session: Session, endpoint: Endpoint, known: Known, mut requests: mpsc::Receiver<ProbeRequest>) -> CloseReason {
    loop {
        tokio::select! {
            request = requests.recv() => {
                let Some(ProbeRequest { timeout, measure, reply }) = request else {
                    close(Some(session)).await;
                    return CloseReason::Unneeded;
                };
                let started = Instant::now();
                match tokio::time::timeout(timeout, ServerStatus::query(&known.query, &mut session)).await {
                    // Without a reply the check logs in, with the password to compare.
                    Ok(Ok(status)) if status.fingerprint != known.fingerprint => {
                        drop(reply);
                        close(Some(session)).await;
                        return CloseReason::Unneeded;
                    }
                    Ok(Ok(status)) => {
                        let (latency, activity) = (started.elapsed(), status.activity.clone());
                        let is_held = match status.writable().and_then(|is_held| is_held_by_us(known.owner.is_some(), is_held)) {
                            Ok(is_held) => is_held,
                            Err(reason) => {
                                let _ = reply.send(Err(reason));
                                continue;
                            }
                        };
                        let (kept, storage, vitals) = measured(Some(session), known.owner.as_deref(), measure).await;
                        let answer = KeptAnswer { latency, owner_password: known.owner_password, activity, is_held, storage, vitals };
                        let _ = reply.send(Ok(answer));
                        match kept {
                            Some(kept) => session = kept,
                            None => return CloseReason::Lost { during_request: true },
                        }
                    }
                    // Without a reply the check logs in, which gives a more precise reason.
                    Ok(Err(_)) => return CloseReason::Lost { during_request: true },
                    Err(_) => {
                        let _ = reply.send(Err(symptom::no_answer(&endpoint, timeout)));
                        return CloseReason::Lost { during_request: true };
                    }
                }
            }
            _ = session.lost() => return CloseReason::Lost { during_request: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic on what a hosted server sends is a bug; it must cost only the connection to that server.
    #[tokio::test]
    async fn a_task_that_panics_ends_one_connection() {
        let (prober, shutdown) = (Prober::new(10, 10), CancellationToken::new());
        let running = tokio::spawn({
            let (prober, shutdown) = (prober.clone(), shutdown.clone());
            async move { prober.run(shutdown).await }
        });
        let endpoint = Endpoint { host: "db".to_owned(), port: 5432 };
        let kept = |instance, number, hold: BoxFuture<'static, CloseReason>| {
            let task = keep(prober.shared.clone(), instance, number, hold);
            let mut state = prober.shared.lock();
            state.connections.insert(instance, ProbeConnection { number, endpoint: endpoint.clone(), checks: 0, requests: mpsc::channel(1).0 });
            assert!(state.runner.as_ref().is_some_and(|runner| runner.send(Box::pin(task)).is_ok()), "the prober runs");
        };
        while prober.shared.lock().runner.is_none() {
            tokio::task::yield_now().await;
        }
        let (broken, other) = (InstanceId::generate(), InstanceId::generate());
        kept(other, 0, Box::pin(std::future::pending()));
        kept(broken, 1, Box::pin(async { panic!("of the test") }));
        while prober.shared.lock().connections.contains_key(&broken) {
            tokio::task::yield_now().await;
        }
        assert!(!running.is_finished(), "the prober goes on");
        assert!(prober.shared.lock().connections.contains_key(&other));
        shutdown.cancel();
        running.await.expect("it ends by itself");
    }
}
