//! The contract of every [`Runtime`], as a test suite (feature `contract-tests`).
//!
//! [`check_all`] runs everything on a runtime; the checks are private, so one that it does not run is dead code. What needs servers to log
//! in to is in [`check_owners`], [`check_parameters`] and [`check_upgrades`], and, for instances that a control plane has made, in [`check_owner`]. A check creates
//! instances of its own and removes them. Waits are bounded and level-triggered: a runtime may be slow, and its nudges may be lost.
//! A check panics with its observations if the contract is violated.

mod data;
mod inspection;
mod logs;
mod owner;
mod parameters;
mod resize;
mod restart;
mod suspend;
mod upgrade;
mod users;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;

use toygres_domain::{
    InstanceId,
    instance::{Endpoint, PostgresVersion, ReasonCode},
    runtime::{Deployment, Observation, Progress, Runtime},
};

use data::check_data;
use logs::check_logs;
pub use owner::{OwnedInstance, check_owner, check_owners};
pub use parameters::check_parameters;
use resize::check_resizes;
use restart::check_restarts;
use suspend::check_suspensions;
pub use upgrade::check_upgrades;

/// A runtime under test and its fixtures.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The runtime. Its background work (a supervisor, a watch) is running.
    pub runtime: &'a dyn Runtime,
    /// Returns a valid deployment of an instance with this name. Each call has a new id.
    pub deployment: &'a (dyn Fn(&str) -> Deployment + Send + Sync),
    /// Actions of the suite that the trait does not provide.
    pub hooks: &'a dyn Hooks,
    /// The time limit of every wait.
    pub timeout: Duration,
}

/// How data is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The volume is gone.
    Removed,
    /// Another volume is in its place, which is empty.
    Emptied,
}

/// A client's session, which ends when it is dropped.
pub type Session = Box<dyn Send>;

/// Actions of the suite that the trait does not provide. Every default means "not supported", which skips that part.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Called before each observation while the suite waits, for example to advance the pods of a fake cluster.
    async fn advance(&self, _id: InstanceId) {}

    /// Leaves the instance as an interrupted deployment would.
    async fn leave_half_deployed(&self, _deployment: &Deployment) {}

    /// Writes a mark into the instance's data. Returns whether it did.
    async fn leave_mark(&self, _deployment: &Deployment, _endpoint: &Endpoint) -> bool {
        false
    }

    /// Whether the mark is in the instance's data.
    async fn has_mark(&self, _deployment: &Deployment, _endpoint: &Endpoint) -> bool {
        false
    }

    /// The objects of the instance that still exist, except kept volumes, with names for people.
    async fn residue(&self, _id: InstanceId) -> Vec<String> {
        Vec::new()
    }

    /// The start time of the current server from `pg_postmaster_start_time()`, or another text that identifies the server process.
    async fn server_start_time(&self, _deployment: &Deployment, _endpoint: &Endpoint) -> Option<String> {
        None
    }

    /// Opens a session with a running query, for which a smart shutdown would wait.
    async fn open_session(&self, _deployment: &Deployment, _endpoint: &Endpoint) -> Option<Session> {
        None
    }

    /// Ends the server and loses its data, as somebody who deletes the volume does. Returns whether it did.
    async fn lose_data(&self, _id: InstanceId, _loss: Loss) -> bool {
        false
    }

    /// Kills the server as a crash would. Returns whether it did.
    async fn kill_server(&self, _id: InstanceId) -> bool {
        false
    }

    /// Suspends the server process (`SIGSTOP`), so that it does not react to a shutdown. Returns whether it did.
    async fn suspend_server(&self, _id: InstanceId) -> bool {
        false
    }
}

/// No hooks, for a runtime that needs none.
#[derive(Clone, Copy, Debug)]
pub struct NoHooks;

#[async_trait]
impl Hooks for NoHooks {}

/// Runs every check, one after the other.
pub async fn check_all(subject: Subject<'_>) {
    says_what_it_offers(subject).await;
    absent_things_are_absent(subject).await;
    a_deployment_becomes_ready_and_is_removed(subject).await;
    deploying_twice_is_deploying_once(subject).await;
    deployments_at_the_same_time_are_one(subject).await;
    a_half_done_deployment_is_completed(subject).await;
    a_half_done_deployment_is_removed(subject).await;
    a_removal_right_after_the_deployment_wins(subject).await;
    removed_things_can_be_deployed_again(subject).await;
    kept_volumes_are_never_adopted(subject).await;
    a_version_that_is_not_there_is_refused(subject).await;
    check_restarts(subject).await;
    check_suspensions(subject).await;
    check_resizes(subject).await;
    check_data(subject).await;
    check_logs(subject).await;
}

/// The runtime has a name and versions, newest first.
async fn says_what_it_offers(subject: Subject<'_>) {
    assert!(!subject.runtime.name().is_empty());
    let versions = subject.runtime.versions();
    assert!(!versions.is_empty(), "a runtime offers at least one version");
    assert!(versions.is_sorted_by(|a, b| a > b), "newest first, each once: {versions:?}");
}

/// An instance that was never deployed is absent. Removing it is immediately done, any number of times, and leaves nothing.
async fn absent_things_are_absent(subject: Subject<'_>) {
    let id = InstanceId::generate();
    assert_eq!(subject.runtime.observe(id).await, Ok(Observation::Absent));
    for keep_volumes in [false, true, false] {
        assert_eq!(subject.runtime.remove(id, keep_volumes).await, Ok(Progress::Done));
    }
    assert!(!subject.runtime.list().await.expect("list works").contains(&id));
    subject.assert_no_residue(id).await;
}

/// A deployed instance is pending and then ready, is listed, and causes nudges. A removed instance is absent, and removing it again
/// succeeds.
async fn a_deployment_becomes_ready_and_is_removed(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-life");
    let mut nudges = subject.runtime.nudges();
    subject.deploy(&deployment).await;
    let endpoint = subject.ready(deployment.id).await;
    assert!(!endpoint.host.is_empty() && endpoint.port > 0, "{endpoint:?}");
    assert!(subject.runtime.list().await.expect("list works").contains(&deployment.id));
    let nudged = async { while nudges.next().await.expect("nudges do not end").instance != deployment.id {} };
    tokio::time::timeout(subject.timeout, nudged).await.expect("a nudge about a new instance comes");
    subject.remove(deployment.id, false).await;
    assert_eq!(subject.runtime.remove(deployment.id, false).await, Ok(Progress::Done), "a second removal finds nothing to do");
}

/// A second deployment of the same instance changes neither the endpoint nor the data.
async fn deploying_twice_is_deploying_once(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-twice");
    subject.deploy(&deployment).await;
    subject.deploy(&deployment).await;
    let endpoint = subject.ready(deployment.id).await;
    let marked = subject.hooks.leave_mark(&deployment, &endpoint).await;
    subject.deploy(&deployment).await;
    assert_eq!(subject.ready(deployment.id).await, endpoint);
    if marked {
        assert!(subject.hooks.has_mark(&deployment, &endpoint).await, "a repeated deployment keeps the data");
    }
    let listed = subject.runtime.list().await.expect("list works");
    assert_eq!(listed.iter().filter(|id| **id == deployment.id).count(), 1);
    subject.remove(deployment.id, false).await;
}

/// Verbs on one instance exclude each other, so concurrent deployments create one instance.
async fn deployments_at_the_same_time_are_one(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-race");
    let all = futures::future::join_all((0..4).map(|_| subject.deploy(&deployment))).await;
    assert_eq!(all.len(), 4);
    subject.ready(deployment.id).await;
    subject.remove(deployment.id, false).await;
}

/// A deployment completes an earlier one that was interrupted.
async fn a_half_done_deployment_is_completed(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-half");
    subject.hooks.leave_half_deployed(&deployment).await;
    assert!(!matches!(subject.runtime.observe(deployment.id).await, Ok(Observation::Ready(_))), "half an instance is not ready");
    subject.deploy(&deployment).await;
    subject.ready(deployment.id).await;
    subject.remove(deployment.id, false).await;
}

/// A removal removes the remains of an interrupted deployment.
async fn a_half_done_deployment_is_removed(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-half");
    subject.hooks.leave_half_deployed(&deployment).await;
    subject.remove(deployment.id, false).await;
}

/// An instance can be removed while it is still starting.
async fn a_removal_right_after_the_deployment_wins(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-short");
    subject.deploy(&deployment).await;
    subject.remove(deployment.id, false).await;
    assert_eq!(subject.runtime.observe(deployment.id).await, Ok(Observation::Absent), "it does not come back");
}

/// The same id can be deployed again after its removal, and starts empty.
async fn removed_things_can_be_deployed_again(subject: Subject<'_>) {
    let deployment = (subject.deployment)("contract-again");
    subject.deploy(&deployment).await;
    let endpoint = subject.ready(deployment.id).await;
    subject.hooks.leave_mark(&deployment, &endpoint).await;
    subject.remove(deployment.id, false).await;
    subject.deploy(&deployment).await;
    let endpoint = subject.ready(deployment.id).await;
    assert!(!subject.hooks.has_mark(&deployment, &endpoint).await, "a removed instance leaves no data");
    subject.remove(deployment.id, false).await;
}

/// Kept volumes do not affect a later instance with the same name or the same id.
async fn kept_volumes_are_never_adopted(subject: Subject<'_>) {
    let first = (subject.deployment)("contract-keep");
    subject.deploy(&first).await;
    let endpoint = subject.ready(first.id).await;
    subject.hooks.leave_mark(&first, &endpoint).await;
    subject.remove(first.id, true).await;
    let second = (subject.deployment)("contract-keep");
    assert_ne!(first.id, second.id, "the factory gives new ids");
    subject.deploy(&second).await;
    let endpoint = subject.ready(second.id).await;
    assert!(!subject.hooks.has_mark(&second, &endpoint).await, "a new instance of the same name must not adopt kept volumes");
    subject.remove(second.id, false).await;
}

/// A version that the runtime does not offer is a permanent error, and nothing is created.
async fn a_version_that_is_not_there_is_refused(subject: Subject<'_>) {
    let mut deployment = (subject.deployment)("contract-version");
    deployment.spec.postgres_version = PostgresVersion(1);
    let error = subject.runtime.deploy(&deployment).await.expect_err("no runtime offers PostgreSQL 1");
    assert_eq!((error.reason.code, error.retryable), (ReasonCode::PostgresMissing, false), "{error}");
    assert_eq!(subject.runtime.observe(deployment.id).await, Ok(Observation::Absent));
    subject.assert_no_residue(deployment.id).await;
}

impl Subject<'_> {
    /// Deploys the instance, which must succeed at the first call.
    pub async fn deploy(&self, deployment: &Deployment) {
        if let Err(error) = self.runtime.deploy(deployment).await {
            panic!("deploying {} failed: {error:?}", deployment.name);
        }
        assert_ne!(self.runtime.observe(deployment.id).await, Ok(Observation::Absent), "what was deployed is there");
    }

    /// Waits until the instance is ready. Until then it must be pending.
    pub async fn ready(&self, id: InstanceId) -> Endpoint {
        let deadline = Instant::now() + self.timeout;
        loop {
            self.hooks.advance(id).await;
            match self.runtime.observe(id).await.expect("observing works") {
                Observation::Ready(endpoint) => return endpoint,
                Observation::Pending(reason) => {
                    assert!(!reason.message.is_empty(), "a reason says something");
                    assert!(Instant::now() < deadline, "not ready in {:?}: {reason:?}", self.timeout);
                }
                other => panic!("neither pending nor ready on its way up: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Repeats the removal until it is done, and checks that nothing is left.
    pub async fn remove(&self, id: InstanceId, keep_volumes: bool) {
        let deadline = Instant::now() + self.timeout;
        while let Progress::InProgress(reason) = self.runtime.remove(id, keep_volumes).await.expect("removing works") {
            assert!(Instant::now() < deadline, "not gone in {:?}: {reason:?}", self.timeout);
            self.hooks.advance(id).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.runtime.observe(id).await, Ok(Observation::Absent), "gone means absent");
        assert!(!self.runtime.list().await.expect("list works").contains(&id), "gone means not listed");
        self.assert_no_residue(id).await;
    }

    async fn assert_no_residue(&self, id: InstanceId) {
        let residue = self.hooks.residue(id).await;
        assert!(residue.is_empty(), "gone means that nothing is left, but there is: {residue:?}");
    }
}
