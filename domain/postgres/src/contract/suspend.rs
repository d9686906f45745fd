//! The contract of [`Runtime::suspend`](toygres_domain::runtime::Runtime::suspend).

use std::time::{Duration, Instant};

use toygres_domain::{
    InstanceId, OperationId,
    data::Data,
    drift::Expected,
    instance::{Endpoint, ReasonCode},
    operation::OperationKind,
    runtime::{Deployment, Observation, Progress, Suspension},
};

use super::{
    Subject,
    restart::{assert_no_death, restart},
};

/// Runs every check of suspensions, one after the other.
pub(super) async fn check_suspensions(subject: Subject<'_>) {
    a_suspended_server_stays_stopped(subject).await;
    a_hung_server_is_suspended_after_the_timeout(subject).await;
    a_dead_server_is_suspended(subject).await;
    what_differs_is_put_back(subject).await;
    a_suspended_instance_is_removed(subject).await;
    what_is_not_deployed_is_not_suspended(subject).await;
}

/// Nothing but a deployment that is not suspended starts the server, which then has its data. Neither the end of the server nor its start is
/// a death.
async fn a_suspended_server_stays_stopped(subject: Subject<'_>) {
    let (deployment, endpoint) = subject.running_at("contract-suspend").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    let mut nudges = subject.runtime.nudges();
    for n in 2..4 {
        let before = subject.hooks.server_start_time(&deployment, &endpoint).await;
        let session = subject.hooks.open_session(&deployment, &endpoint).await;
        let suspended = subject.suspend(&deployment, n, subject.timeout).await;
        drop(session);
        // What is done with it while it is suspended starts nothing.
        subject.runtime.deploy(&suspended).await.expect("deploying works");
        subject.runtime.install_tls(&suspended).await.expect("installing works");
        assert_eq!(subject.runtime.inspect(&[Expected::from(&suspended)]).await.expect("inspecting works"), []);
        assert_eq!(subject.runtime.repair(&suspended).await.expect("repairing works"), []);
        assert!(subject.runtime.list().await.expect("list works").contains(&deployment.id));
        assert!(subject.runtime.volume(deployment.id).await.expect("it is known").is_some(), "the data is kept");
        subject.stays_suspended(deployment.id).await;
        assert_eq!(subject.runtime.suspend(&Expected::from(&suspended), &suspension(deployment.id, n, subject.timeout)).await, Ok(Progress::Done));

        subject.deploy(&deployment).await;
        assert_eq!(subject.ready(deployment.id).await, endpoint, "the address stays");
        let after = subject.hooks.server_start_time(&deployment, &endpoint).await;
        assert!(after.is_none() || after != before, "another server answers: {after:?}");
        assert!(!marked || subject.hooks.has_mark(&deployment, &endpoint).await, "the data is there");
    }
    assert_no_death(&mut nudges, deployment.id).await;
    subject.remove(deployment.id, false).await;
}

/// A server that does not react to a graceful shutdown is stopped immediately after the time-out. No committed data is lost.
async fn a_hung_server_is_suspended_after_the_timeout(subject: Subject<'_>) {
    let (deployment, endpoint) = subject.running_at("contract-hung").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    let mut nudges = subject.runtime.nudges();
    if subject.hooks.suspend_server(deployment.id).await {
        let (begin, timeout) = (Instant::now(), Duration::from_secs(1));
        subject.suspend(&deployment, 2, timeout).await;
        assert!(begin.elapsed() >= timeout, "it gets its time: {:?}", begin.elapsed());
        subject.deploy(&deployment).await;
        let endpoint = subject.ready(deployment.id).await;
        assert!(!marked || subject.hooks.has_mark(&deployment, &endpoint).await, "the data is there");
        assert_no_death(&mut nudges, deployment.id).await;
    }
    subject.remove(deployment.id, false).await;
}

/// A server that has exited, as those in a crash loop do, is not started any more.
async fn a_dead_server_is_suspended(subject: Subject<'_>) {
    let (deployment, _) = subject.running_at("contract-dead").await;
    if subject.hooks.kill_server(deployment.id).await {
        subject.suspend(&deployment, 2, subject.timeout).await;
        subject.stays_suspended(deployment.id).await;
        subject.deploy(&deployment).await;
        subject.ready(deployment.id).await;
        // The next operation stops the next server.
        subject.suspend(&deployment, 3, subject.timeout).await;
        subject.deploy(&deployment).await;
        subject.ready(deployment.id).await;
        subject.restart(deployment.id, &restart(deployment.id, 4, subject.timeout)).await;
        subject.ready(deployment.id).await;
    }
    subject.remove(deployment.id, false).await;
}

/// A server that is stopped and should not be, and the other way round, are found and put back.
async fn what_differs_is_put_back(subject: Subject<'_>) {
    let (deployment, _) = subject.running_at("contract-wish").await;
    let suspended = subject.suspend(&deployment, 2, subject.timeout).await;
    let found = subject.runtime.inspect(&[Expected::from(&deployment)]).await.expect("inspecting works");
    assert_eq!(found.len(), 1, "it should run");
    let repaired = subject.runtime.repair(&deployment).await.expect("repairing works");
    assert_eq!(repaired, found[0].drift);
    subject.ready(deployment.id).await;
    let found = subject.runtime.inspect(&[Expected::from(&suspended)]).await.expect("inspecting works");
    assert_eq!(found.len(), 1, "it should not run");
    subject.runtime.repair(&suspended).await.expect("repairing works");
    subject.stays_suspended(deployment.id).await;
    subject.remove(deployment.id, false).await;
}

/// A suspended instance is removed like any other, with or without its data.
async fn a_suspended_instance_is_removed(subject: Subject<'_>) {
    for keep_volumes in [false, true] {
        let (deployment, _) = subject.running_at("contract-gone").await;
        let suspended = subject.suspend(&deployment, 2, subject.timeout).await;
        subject.remove(deployment.id, keep_volumes).await;
        let error =
            subject.runtime.suspend(&Expected::from(&suspended), &suspension(deployment.id, 2, subject.timeout)).await.expect_err("it is gone");
        assert_eq!((error.reason.code, error.retryable), (ReasonCode::DataLost, false), "{error:?}");
        assert_eq!(subject.runtime.observe(deployment.id).await, Ok(Observation::Absent), "it does not come back");
    }
}

/// A suspension of an absent instance is a permanent error and creates nothing.
async fn what_is_not_deployed_is_not_suspended(subject: Subject<'_>) {
    let absent = Deployment { data: Data::Existing(None), suspended: true, ..(subject.deployment)("contract-absent") };
    let error =
        subject.runtime.suspend(&Expected::from(&absent), &suspension(absent.id, 2, subject.timeout)).await.expect_err("there is nothing to suspend");
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::DataLost, false), "{error:?}");
    assert_eq!(subject.runtime.observe(absent.id).await, Ok(Observation::Absent));
    subject.assert_no_residue(absent.id).await;
}

impl Subject<'_> {
    /// An instance that has run, and where it answers.
    async fn running_at(&self, name: &str) -> (Deployment, Endpoint) {
        let deployment = self.running(name).await;
        let endpoint = self.ready(deployment.id).await;
        (deployment, endpoint)
    }

    /// Repeats the suspension until it is done. Returns the deployment, suspended.
    pub(super) async fn suspend(&self, deployment: &Deployment, n: i64, timeout: Duration) -> Deployment {
        let suspended = Deployment { suspended: true, ..deployment.clone() };
        let suspension = suspension(deployment.id, n, timeout);
        let deadline = Instant::now() + self.timeout;
        while let Progress::InProgress(reason) = self.runtime.suspend(&Expected::from(&suspended), &suspension).await.expect("suspending works") {
            assert!(!reason.message.is_empty(), "a reason says something");
            assert!(Instant::now() < deadline, "not suspended in {:?}: {reason:?}", self.timeout);
            self.assert_suspended(deployment.id).await;
            self.hooks.advance(deployment.id).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.assert_suspended(deployment.id).await;
        suspended
    }

    /// Nothing starts it, for as long as a host takes to start what has exited.
    pub(super) async fn stays_suspended(&self, id: InstanceId) {
        for _ in 0..20 {
            self.hooks.advance(id).await;
            self.assert_suspended(id).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn assert_suspended(&self, id: InstanceId) {
        let seen = self.runtime.observe(id).await.expect("observing works");
        assert!(matches!(&seen, Observation::Pending(reason) if reason.code == ReasonCode::Suspended), "{seen:?}");
    }
}

fn suspension(id: InstanceId, n: i64, timeout: Duration) -> Suspension {
    Suspension { operation: OperationId::new(OperationKind::Suspend, id, n), timeout }
}
