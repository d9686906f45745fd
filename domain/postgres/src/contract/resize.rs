//! The contract of [`Runtime::resize`](toygres_domain::runtime::Runtime::resize).

use std::time::{Duration, Instant};

use toygres_domain::{
    InstanceId, OperationId,
    data::Data,
    drift::Expected,
    instance::{Endpoint, ReasonCode},
    operation::OperationKind,
    runtime::{Deployment, Observation, Progress, Restart},
};

use super::{Subject, restart::assert_no_death};

/// Runs every check of resizes, one after the other.
pub(super) async fn check_resizes(subject: Subject<'_>) {
    a_resize_keeps_the_data_and_restarts_once_at_most(subject).await;
    a_dead_server_is_resized(subject).await;
    a_suspended_server_stays_stopped(subject).await;
    what_is_not_deployed_is_not_resized(subject).await;
}

/// Each size is what is deployed afterwards, the data is kept, and no end of the server is a death. Only the volume grows without a
/// restart, and a repeated call changes nothing.
async fn a_resize_keeps_the_data_and_restarts_once_at_most(subject: Subject<'_>) {
    let (mut deployment, endpoint) = subject.ran("contract-resize").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    let mut nudges = subject.runtime.nudges();
    let mut started = subject.hooks.server_start_time(&deployment, &endpoint).await;
    // Larger, smaller, and only the volume.
    for (n, (cpu_millis, memory_mb, more_storage)) in [(2, (800, 512, 1)), (3, (200, 256, 0)), (4, (200, 256, 2))] {
        let grows_only = (deployment.spec.cpu_millis, deployment.spec.memory_mb) == (cpu_millis, memory_mb);
        (deployment.spec.cpu_millis, deployment.spec.memory_mb) = (cpu_millis, memory_mb);
        deployment.spec.storage_gb += more_storage;
        let endpoint = subject.resize(&deployment, &resize(deployment.id, n)).await;
        let after = subject.hooks.server_start_time(&deployment, &endpoint).await;
        assert!(!grows_only || after == started, "a volume grows while the server runs: {started:?}, {after:?}");
        for repeated in 2..=n {
            assert_eq!(subject.runtime.resize(&deployment, &resize(deployment.id, repeated)).await, Ok(Progress::Done), "there is nothing to do");
        }
        let endpoint = subject.ready(deployment.id).await;
        started = subject.hooks.server_start_time(&deployment, &endpoint).await;
        assert_eq!(started, after, "once for each operation");
        let volume_gb = subject.runtime.volume_gb(deployment.id).await.expect("the size of the volume is known");
        assert!(volume_gb.is_none_or(|volume_gb| volume_gb == deployment.spec.storage_gb), "{volume_gb:?}");
        assert!(!marked || subject.hooks.has_mark(&deployment, &endpoint).await, "the data is kept");
        assert_eq!(subject.runtime.inspect(&[Expected::from(&deployment)]).await, Ok(Vec::new()), "it is what is expected from now on");
    }
    assert_no_death(&mut nudges, deployment.id).await;
    subject.remove(deployment.id, false).await;
}

/// A server that is down, for example because its disk is full, gets its size and is started.
async fn a_dead_server_is_resized(subject: Subject<'_>) {
    let (mut deployment, endpoint) = subject.ran("contract-resize-dead").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    subject.hooks.kill_server(deployment.id).await;
    deployment.spec.memory_mb *= 2;
    deployment.spec.storage_gb += 1;
    let endpoint = subject.resize(&deployment, &resize(deployment.id, 2)).await;
    assert!(!marked || subject.hooks.has_mark(&deployment, &endpoint).await, "the data is kept");
    subject.remove(deployment.id, false).await;
}

/// A suspended server has its size, and its configuration, when it is started.
async fn a_suspended_server_stays_stopped(subject: Subject<'_>) {
    let (mut deployment, endpoint) = subject.ran("contract-resize-suspended").await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    let mut nudges = subject.runtime.nudges();
    let mut suspended = subject.suspend(&deployment, 2, subject.timeout).await;
    suspended.spec.memory_mb *= 2;
    suspended.spec.storage_gb += 1;
    subject.resize_until_done(&suspended, &resize(deployment.id, 3)).await;
    subject.stays_suspended(deployment.id).await;
    assert_eq!(subject.runtime.inspect(&[Expected::from(&suspended)]).await, Ok(Vec::new()), "it is what is expected from now on");
    deployment.spec = suspended.spec;
    subject.deploy(&deployment).await;
    let endpoint = subject.ready(deployment.id).await;
    assert!(!marked || subject.hooks.has_mark(&deployment, &endpoint).await, "the data is kept");
    assert_no_death(&mut nudges, deployment.id).await;
    subject.remove(deployment.id, false).await;
}

/// A resize of an absent instance is a permanent error, and creates nothing.
async fn what_is_not_deployed_is_not_resized(subject: Subject<'_>) {
    let deployment = Deployment { data: Data::Existing(None), ..(subject.deployment)("contract-absent") };
    let error = subject.runtime.resize(&deployment, &resize(deployment.id, 2)).await.expect_err("there is nothing to resize");
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::DataLost, false), "{error:?}");
    assert_eq!(subject.runtime.observe(deployment.id).await, Ok(Observation::Absent));
    subject.assert_no_residue(deployment.id).await;
}

impl Subject<'_> {
    /// An instance that has run, as an operation finds it.
    async fn ran(&self, name: &str) -> (Deployment, Endpoint) {
        let mut deployment = (self.deployment)(name);
        self.deploy(&deployment).await;
        let endpoint = self.ready(deployment.id).await;
        deployment.data = Data::Existing(self.runtime.volume(deployment.id).await.expect("the volume is known"));
        (deployment, endpoint)
    }

    /// Repeats the resize until it is done, and waits until the instance is ready.
    async fn resize(&self, deployment: &Deployment, restart: &Restart) -> Endpoint {
        self.resize_until_done(deployment, restart).await;
        self.ready(deployment.id).await
    }

    async fn resize_until_done(&self, deployment: &Deployment, restart: &Restart) {
        let deadline = Instant::now() + self.timeout;
        loop {
            let reason = match self.runtime.resize(deployment, restart).await {
                Ok(Progress::Done) => break,
                Ok(Progress::InProgress(reason)) => reason,
                // An object has changed meanwhile, for example.
                Err(error) if error.retryable => error.reason,
                Err(error) => panic!("resizing {} failed: {error:?}", deployment.name),
            };
            assert!(!reason.message.is_empty(), "a reason says something");
            assert!(Instant::now() < deadline, "not resized in {:?}: {reason:?}", self.timeout);
            self.hooks.advance(deployment.id).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn resize(id: InstanceId, n: i64) -> Restart {
    Restart { operation: OperationId::new(OperationKind::Resize, id, n), timeout: Duration::from_secs(60) }
}
