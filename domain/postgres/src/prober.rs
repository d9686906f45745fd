//! Checks that keep their connections. A login costs milliseconds on both sides, and a connection that drops tells of an
//! outage before the next check would.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt};
use metrics::{counter, gauge};
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_stream::wrappers::BroadcastStream;

use super::{Answer, Target, check, options, silent};
use toygres_domain::{
    InstanceId,
    instance::{Endpoint, Reason},
};

/// How long making a connection to keep may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Checks instances over connections that it keeps within a budget. Those that have one are the first that were found well:
/// to make room for others would be no gain, as every instance is checked equally often. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Prober {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    budget: usize,
    login_every: u32,
    kept: Mutex<HashMap<InstanceId, Kept>>,
    numbers: AtomicU64,
    losses: broadcast::Sender<InstanceId>,
}

/// A connection that a task of its own holds.
#[derive(Debug)]
struct Kept {
    number: u64,
    endpoint: Endpoint,
    /// Checks since the last login that went well. A login that fails does not start the count anew, so that the next check
    /// logs in too and a trouble of logging in is confirmed.
    checks: u32,
    questions: mpsc::Sender<Question>,
}

#[derive(Debug)]
struct Question {
    timeout: Duration,
    reply: oneshot::Sender<Result<(), Reason>>,
}

impl Prober {
    /// Keeps `budget` connections at the most, and logs in at every `login_every`th check of an instance all the same.
    #[must_use]
    pub fn new(budget: usize, login_every: u32) -> Self {
        let losses = broadcast::Sender::new(1024);
        Self { shared: Arc::new(Shared { budget, login_every, kept: Mutex::default(), numbers: AtomicU64::new(0), losses }) }
    }

    /// Checks an instance over its kept connection; returns how long that took, or what went wrong. None when a login has to
    /// tell: there is no connection to ask over, or it has broken since, or a login is due. (So the password is needed for a
    /// few checks only.)
    pub async fn ask(&self, instance: InstanceId, endpoint: &Endpoint, timeout: Duration) -> Option<Result<Duration, Reason>> {
        let started = Instant::now();
        let (number, questions) = {
            let mut all = self.shared.lock();
            let kept = all.get_mut(&instance)?;
            if kept.endpoint != *endpoint {
                all.remove(&instance);
                return None;
            }
            kept.checks = kept.checks.saturating_add(1);
            if kept.checks >= self.shared.login_every {
                return None;
            }
            (kept.number, kept.questions.clone())
        };
        let answered = async {
            let (reply, answer) = oneshot::channel();
            questions.send(Question { timeout, reply }).await.ok()?;
            answer.await.ok()
        };
        // The connection may still be in the making, to a server that has fallen silent since it was promised.
        match tokio::time::timeout(timeout, answered).await {
            Ok(answer) => Some(answer?.map(|()| started.elapsed())),
            Err(_) => {
                self.shared.remove(instance, number);
                Some(Err(silent(endpoint, timeout)))
            }
        }
    }

    /// Checks an instance by logging in; returns how long that took. Found well, it may get a connection to keep.
    ///
    /// # Errors
    /// What went wrong, as a reason; never holds the password.
    pub async fn log_in(&self, instance: InstanceId, target: &Target, timeout: Duration) -> Result<Duration, Reason> {
        counter!("toygres_probe_logins_total").increment(1);
        let latency = check(target, timeout).await?;
        self.logged_in(instance, target);
        Ok(latency)
    }

    /// Instances whose kept connection was lost, not through this prober: they should be looked at now.
    pub fn losses(&self) -> impl Stream<Item = InstanceId> + Send + Unpin + 'static {
        BroadcastStream::new(self.shared.losses.subscribe()).filter_map(|loss| std::future::ready(loss.ok()))
    }

    /// Gives up the connection of an instance that is not to be checked any more.
    pub fn forget(&self, instance: InstanceId) {
        self.shared.lock().remove(&instance);
        self.shared.count();
    }

    fn logged_in(&self, instance: InstanceId, target: &Target) {
        {
            let mut all = self.shared.lock();
            let room = all.len() < self.shared.budget;
            match all.entry(instance) {
                Entry::Occupied(mut kept) => kept.get_mut().checks = 0,
                Entry::Vacant(place) if room => {
                    let number = self.shared.numbers.fetch_add(1, Ordering::Relaxed);
                    let (questions, asked) = mpsc::channel(1);
                    place.insert(Kept { number, endpoint: target.endpoint.clone(), checks: 0, questions });
                    tokio::spawn(keep(Arc::downgrade(&self.shared), instance, number, target.clone(), asked));
                }
                Entry::Vacant(_) => {}
            }
        }
        self.shared.count();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, Kept>> {
        // A panic while it was held cannot have left it half changed.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets one connection, unless it has been replaced in the meantime.
    fn remove(&self, instance: InstanceId, number: u64) {
        if let Entry::Occupied(kept) = self.lock().entry(instance)
            && kept.get().number == number
        {
            kept.remove();
        }
        self.count();
    }

    fn count(&self) {
        gauge!("toygres_probe_connections").set(self.lock().len() as f64);
    }
}

/// Why a task stopped holding its connection.
enum End {
    /// Nobody wants it any more.
    Unwanted,
    /// It could not be made.
    NotMade,
    /// It broke, while nobody asked or while somebody did.
    Lost { asked: bool },
}

async fn keep(shared: Weak<Shared>, instance: InstanceId, number: u64, target: Target, asked: mpsc::Receiver<Question>) {
    let end = hold(&target, asked).await;
    let Some(shared) = shared.upgrade() else { return };
    shared.remove(instance, number);
    if let End::Lost { asked } = end {
        counter!("toygres_probe_connections_lost_total").increment(1);
        if !asked {
            let _ = shared.losses.send(instance);
        }
    }
}

async fn hold(target: &Target, mut asked: mpsc::Receiver<Question>) -> End {
    // A listener is the one kind of connection that notices by itself that the other side has gone; it takes a pool.
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).idle_timeout(None).max_lifetime(None);
    let Ok(mut connection) = PgListener::connect_with(&pool.connect_lazy_with(options(target))).await else { return End::NotMade };
    connection.eager_reconnect(false);
    loop {
        tokio::select! {
            question = asked.recv() => {
                let Some(Question { timeout, reply }) = question else { return End::Unwanted };
                match tokio::time::timeout(timeout, Answer::ask(Answer::QUESTION, &mut connection)).await {
                    Ok(Ok(answer)) => { let _ = reply.send(answer.judged()); }
                    // Without a reply the check logs in, and finds out more.
                    Ok(Err(_)) => return End::Lost { asked: true },
                    Err(_) => {
                        let _ = reply.send(Err(silent(&target.endpoint, timeout)));
                        return End::Lost { asked: true };
                    }
                }
            }
            heard = connection.try_recv() => {
                if !matches!(heard, Ok(Some(_))) {
                    return End::Lost { asked: false };
                }
            }
        }
    }
}
