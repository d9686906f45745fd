//! The contract about the data of an instance: it is known by its volume, and an empty volume never takes its place.

use std::time::{Duration, Instant};

use toygres_domain::{
    InstanceId,
    data::Data,
    instance::ReasonCode,
    runtime::{Deployment, Observation, Restart, RuntimeError},
};

use super::{Loss, Subject, restart::restart};

/// How long an instance without data is watched: it must not come up in this time.
const WATCHED: Duration = Duration::from_millis(1500);

/// Runs every check of data, one after the other.
pub(super) async fn check_data(subject: Subject<'_>) {
    a_volume_identifies_the_data(subject).await;
    for loss in [Loss::Removed, Loss::Emptied] {
        lost_data_is_never_replaced(subject, loss).await;
        what_has_never_run_is_made_anew(subject, loss).await;
    }
}

/// The volume is the same for as long as the data is, and another instance has another one.
async fn a_volume_identifies_the_data(subject: Subject<'_>) {
    assert_eq!(subject.runtime.volume(InstanceId::generate()).await, Ok(None));
    let deployment = subject.running("contract-volume").await;
    let other = subject.running("contract-other").await;
    assert!(deployment.data.volume().is_some() && deployment.data != other.data);
    subject.restart(deployment.id, &restart(deployment.id, 2, subject.timeout)).await;
    subject.ready(deployment.id).await;
    assert_eq!(subject.runtime.volume(deployment.id).await.expect("the volume is known").as_ref(), deployment.data.volume());
    subject.remove(deployment.id, false).await;
    subject.remove(other.id, false).await;
}

/// Once an instance has run, neither the host itself nor a deployment nor a restart puts an empty database in the place of its data.
async fn lost_data_is_never_replaced(subject: Subject<'_>, loss: Loss) {
    let deployment = subject.running("contract-lost").await;
    if subject.hooks.lose_data(deployment.id, loss).await {
        subject.assert_lost(&deployment).await;
        let requested = Restart { timeout: Duration::from_secs(1), ..restart(deployment.id, 2, subject.timeout) };
        // It may be refused.
        let _ = subject.runtime.restart(deployment.id, &requested).await;
        subject.assert_lost(&deployment).await;
    }
    subject.remove(deployment.id, false).await;
}

/// Before an instance has run there is no data to lose: it is created again.
async fn what_has_never_run_is_made_anew(subject: Subject<'_>, loss: Loss) {
    let deployment = (subject.deployment)("contract-anew");
    subject.deploy(&deployment).await;
    subject.ready(deployment.id).await;
    if subject.hooks.lose_data(deployment.id, loss).await {
        subject.deploy(&deployment).await;
        subject.ready(deployment.id).await;
    }
    subject.remove(deployment.id, false).await;
}

impl Subject<'_> {
    /// An instance that has run, as the control plane deploys it.
    pub(super) async fn running(&self, name: &str) -> Deployment {
        let mut deployment = (self.deployment)(name);
        self.deploy(&deployment).await;
        self.ready(deployment.id).await;
        let volume = self.runtime.volume(deployment.id).await.expect("the volume is known").expect("there is one");
        deployment.data = Data::Existing(Some(volume));
        self.deploy(&deployment).await;
        self.ready(deployment.id).await;
        deployment
    }

    /// A deployment fails for good, and the instance never becomes ready.
    async fn assert_lost(&self, deployment: &Deployment) {
        let deadline = Instant::now() + self.timeout;
        let mut watched = None;
        while watched.is_none_or(|since: Instant| since.elapsed() < WATCHED) {
            match self.runtime.deploy(deployment).await {
                Err(RuntimeError { reason, retryable: false }) if reason.code == ReasonCode::DataLost => {
                    assert!(reason.message.contains("Restore a backup") && reason.message.contains("delete"), "{reason:?}");
                    watched.get_or_insert_with(Instant::now);
                }
                // As long as the last server is stopping.
                other => assert!(watched.is_none() && Instant::now() < deadline, "its data is lost: {other:?}"),
            }
            self.hooks.advance(deployment.id).await;
            match self.runtime.observe(deployment.id).await.expect("observing works") {
                Observation::Ready(_) => assert!(watched.is_none(), "an empty database took its place"),
                Observation::Failed(reason) => assert_eq!(reason.code, ReasonCode::DataLost, "{reason:?}"),
                Observation::Pending(_) | Observation::Absent => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
