//! Volumes that are full. What a server measures is tested with servers of their own, because here all instances are on one.

use toygres_domain::{
    InstanceId,
    instance::{HealthStatus, Reason, ReasonCode},
    operation::{Operation, OperationKind, OperationStatus},
    runtime::Observation,
    storage::AutoGrow,
};
use toygres_store::{NewInstance, OperationFilter, PageRequest};

use crate::support::{Harness, eventually, fake_runtime::size_of};

/// The resizes of an instance, the latest first.
async fn resizes(harness: &Harness, id: InstanceId) -> Vec<Operation> {
    let filter = OperationFilter { instance: Some(id), kinds: Some(vec![OperationKind::Resize]), statuses: None };
    harness.store.operations(&filter, &PageRequest::first(10)).await.unwrap().items
}

/// A server that is down because its volume is full cannot be asked for what it uses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_volume_grows_whose_server_is_down_because_it_is_full() {
    let harness = Harness::start().await;
    harness.runtime.limit_volumes();
    let auto_grow = Some(AutoGrow { threshold_percent: 80, max_gb: 3 });
    let growing = harness.run(NewInstance { storage_auto_grow: auto_grow, ..harness.new_instance() }).await;
    let other = harness.run(harness.new_instance()).await;
    let full = Reason::new(ReasonCode::DiskFull, "No space left on device");
    for id in [growing, other] {
        let healthy = || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) };
        let workflow = eventually("it is healthy", healthy).await.health_check_orchestration_id.unwrap();
        harness.runtime.script(id, |script| script.observation = Some(Ok(Observation::Pending(full.clone()))));
        harness.engine.nudge(&workflow, "").await.unwrap();
    }
    let resize = eventually("it grows", || async { resizes(&harness, growing).await.pop() }).await;
    assert_eq!(resize.requested_by.as_deref(), Some("the control plane, because the volume is nearly full"));
    // There is space.
    harness.runtime.script(growing, |script| script.observation = None);
    assert_eq!(harness.assert_settled("growth", &resize.id).await.status, OperationStatus::Succeeded);
    assert_eq!(size_of(&harness.instance(growing).await.spec).2, 2);
    assert_eq!(resizes(&harness, growing).await.len(), 1);

    let unhealthy = || async { Some(harness.instance(other).await).filter(|now| now.health == HealthStatus::Unhealthy) };
    assert_eq!(eventually("it is unhealthy", unhealthy).await.reason, Some(full));
    assert!(resizes(&harness, other).await.is_empty(), "nobody wants it to grow");
    harness.runtime.script(other, |script| script.observation = None);
    harness.finish().await;
}
