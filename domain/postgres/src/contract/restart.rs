//! The contract of [`Runtime::restart`](toygres_domain::runtime::Runtime::restart).

use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use toygres_domain::{
    InstanceId, OperationId,
    instance::{Endpoint, ReasonCode},
    operation::OperationKind,
    runtime::{Deployment, Nudge, Observation, Progress, Restart, RuntimeError},
};

use super::Subject;

/// How long to wait for a nudge that must not come.
const SILENCE: Duration = Duration::from_millis(500);

/// Runs every check of restarts, one after the other.
pub(super) async fn check_restarts(subject: Subject<'_>) {
    an_operation_restarts_once(subject).await;
    a_planned_restart_is_no_death(subject).await;
    a_session_does_not_hold_up_a_restart(subject).await;
    a_dead_server_is_restarted(subject).await;
    a_hung_server_is_restarted_after_the_timeout(subject).await;
    a_removal_during_a_restart_wins(subject).await;
    what_is_not_deployed_is_not_restarted(subject).await;
}

/// Each operation restarts the server exactly once, however often it is repeated, and the data is kept.
async fn an_operation_restarts_once(subject: Subject<'_>) {
    let (deployment, endpoint) = subject.deployed("contract-restart").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    let mut started = vec![subject.hooks.server_start_time(&deployment, &endpoint).await];
    for n in 2..4 {
        let restart = restart(deployment.id, n, subject.timeout);
        subject.restart(deployment.id, &restart).await;
        let endpoint = subject.ready(deployment.id).await;
        let after = subject.hooks.server_start_time(&deployment, &endpoint).await;
        assert!(after.is_none() || !started.contains(&after), "operation {n} restarts the server: {started:?}, {after:?}");
        for _ in 0..2 {
            assert_eq!(subject.runtime.restart(deployment.id, &restart).await, Ok(Progress::Done), "it was done before");
            let endpoint = subject.ready(deployment.id).await;
            assert_eq!(subject.hooks.server_start_time(&deployment, &endpoint).await, after, "a repeat restarts nothing");
        }
        started.push(after);
    }
    if marked {
        let endpoint = subject.ready(deployment.id).await;
        assert!(subject.hooks.has_mark(&deployment, &endpoint).await, "a restart keeps the data");
    }
    subject.remove(deployment.id, false).await;
}

/// A planned restart is not reported as a death.
async fn a_planned_restart_is_no_death(subject: Subject<'_>) {
    let (deployment, _) = subject.deployed("contract-planned").await;
    let mut nudges = subject.runtime.nudges();
    subject.restart(deployment.id, &restart(deployment.id, 2, subject.timeout)).await;
    subject.ready(deployment.id).await;
    assert_no_death(&mut nudges, deployment.id).await;
    subject.remove(deployment.id, false).await;
}

/// An open session does not delay the restart: it takes less than its time-out.
async fn a_session_does_not_hold_up_a_restart(subject: Subject<'_>) {
    let (deployment, endpoint) = subject.deployed("contract-session").await;
    if let Some(session) = subject.hooks.open_session(&deployment, &endpoint).await {
        let begin = Instant::now();
        subject.restart(deployment.id, &restart(deployment.id, 2, subject.timeout * 2)).await;
        assert!(begin.elapsed() < subject.timeout, "a fast shutdown ends sessions: {:?}", begin.elapsed());
        subject.ready(deployment.id).await;
        drop(session);
    }
    subject.remove(deployment.id, false).await;
}

/// A restart of a server that has exited starts it.
async fn a_dead_server_is_restarted(subject: Subject<'_>) {
    let (deployment, endpoint) = subject.deployed("contract-dead").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    let before = subject.hooks.server_start_time(&deployment, &endpoint).await;
    if subject.hooks.kill_server(deployment.id).await {
        let restart = restart(deployment.id, 2, subject.timeout);
        subject.restart(deployment.id, &restart).await;
        let endpoint = subject.ready(deployment.id).await;
        let after = subject.hooks.server_start_time(&deployment, &endpoint).await;
        assert!(after.is_none() || after != before, "another server answers: {after:?}");
        assert_eq!(subject.runtime.restart(deployment.id, &restart).await, Ok(Progress::Done));
        assert_eq!(subject.hooks.server_start_time(&deployment, &endpoint).await, after, "a repeat restarts nothing");
        assert!(!marked || subject.hooks.has_mark(&deployment, &endpoint).await, "the data is there");
    }
    subject.remove(deployment.id, false).await;
}

/// A server that does not react to a graceful shutdown is stopped immediately after the time-out. No committed data is lost.
async fn a_hung_server_is_restarted_after_the_timeout(subject: Subject<'_>) {
    let (deployment, endpoint) = subject.deployed("contract-hung").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    let mut nudges = subject.runtime.nudges();
    if subject.hooks.suspend_server(deployment.id).await {
        let (begin, timeout) = (Instant::now(), Duration::from_secs(1));
        subject.restart(deployment.id, &restart(deployment.id, 2, timeout)).await;
        assert!(begin.elapsed() >= timeout, "it gets its time: {:?}", begin.elapsed());
        let endpoint = subject.ready(deployment.id).await;
        assert!(!marked || subject.hooks.has_mark(&deployment, &endpoint).await, "the data is there");
        assert_no_death(&mut nudges, deployment.id).await;
    }
    subject.remove(deployment.id, false).await;
}

/// A removal does not wait for a restart, which then fails.
async fn a_removal_during_a_restart_wins(subject: Subject<'_>) {
    let (deployment, _) = subject.deployed("contract-removed").await;
    let restart = restart(deployment.id, 2, subject.timeout * 10);
    subject.hooks.suspend_server(deployment.id).await;
    subject.runtime.restart(deployment.id, &restart).await.expect("restarting works");
    subject.remove(deployment.id, false).await;
    subject.assert_not_deployed(subject.runtime.restart(deployment.id, &restart).await);
    assert_eq!(subject.runtime.observe(deployment.id).await, Ok(Observation::Absent), "it does not come back");
}

/// A restart of an absent instance, or of the remains of an interrupted deployment, is a permanent error and creates nothing.
async fn what_is_not_deployed_is_not_restarted(subject: Subject<'_>) {
    let id = InstanceId::generate();
    subject.assert_not_deployed(subject.runtime.restart(id, &restart(id, 2, subject.timeout)).await);
    assert_eq!(subject.runtime.observe(id).await, Ok(Observation::Absent));
    subject.assert_no_residue(id).await;

    let deployment = (subject.deployment)("contract-half");
    subject.hooks.leave_half_deployed(&deployment).await;
    subject.assert_not_deployed(subject.runtime.restart(deployment.id, &restart(deployment.id, 2, subject.timeout)).await);
    subject.remove(deployment.id, false).await;
}

impl Subject<'_> {
    /// Repeats the restart until it is done. While it is in progress, only the next server is reported as ready.
    pub async fn restart(&self, id: InstanceId, restart: &Restart) {
        let deadline = Instant::now() + self.timeout;
        loop {
            match self.runtime.restart(id, restart).await.expect("restarting works") {
                Progress::Done => return,
                Progress::InProgress(reason) => {
                    assert!(!reason.message.is_empty(), "a reason says something");
                    assert!(Instant::now() < deadline, "not restarted in {:?}: {reason:?}", self.timeout);
                }
            }
            if matches!(self.runtime.observe(id).await, Ok(Observation::Ready(_))) {
                assert_eq!(self.runtime.restart(id, restart).await, Ok(Progress::Done), "the server that is ready is the next one");
                return;
            }
            self.hooks.advance(id).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn deployed(&self, name: &str) -> (Deployment, Endpoint) {
        let deployment = (self.deployment)(name);
        self.deploy(&deployment).await;
        let endpoint = self.ready(deployment.id).await;
        (deployment, endpoint)
    }

    fn assert_not_deployed(&self, outcome: Result<Progress, RuntimeError>) {
        let error = outcome.expect_err("there is nothing to restart");
        assert_eq!((error.reason.code, error.retryable), (ReasonCode::DataLost, false), "{error:?}");
    }
}

pub(super) fn restart(id: InstanceId, n: i64, timeout: Duration) -> Restart {
    Restart { operation: OperationId::new(OperationKind::Restart, id, n), timeout }
}

pub(super) async fn assert_no_death(nudges: &mut (impl Stream<Item = Nudge> + Unpin), id: InstanceId) {
    while let Ok(Some(nudge)) = tokio::time::timeout(SILENCE, nudges.next()).await {
        assert!(nudge.instance != id || nudge.death.is_none(), "a planned restart is no death: {nudge:?}");
    }
}
