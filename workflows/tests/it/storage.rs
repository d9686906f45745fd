//! Volumes that are full. What a server measures is tested with servers of their own, because here all instances are on one.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use chrono::{TimeDelta, Utc};
use toygres_domain::{
    InstanceId,
    instance::{HealthStatus, Reason, ReasonCode},
    operation::{Operation, OperationKind, OperationStatus},
    runtime::Observation,
    storage::{AutoGrow, Usage},
};
use toygres_store::{NewInstance, OperationFilter, PageRequest, StorageMeasurement};

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

const CAPACITY: i64 = 1000;

fn measurement(instance: InstanceId, used_bytes: i64) -> StorageMeasurement {
    let usage = Usage { used_bytes, capacity_bytes: CAPACITY };
    StorageMeasurement { instance, usage, database_bytes: 1, is_read_only: false, at: Utc::now(), due_in: Duration::from_secs(60) }
}

async fn healthy(harness: &Harness) -> InstanceId {
    let id = harness.running().await;
    eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
    id
}

async fn used(harness: &Harness, id: InstanceId) -> Option<i64> {
    harness.store.storage_usages(&[id]).await.unwrap().get(&id).map(|usage| usage.usage.used_bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measurements_that_are_stored_together_are_events_like_single_ones() {
    let harness = Harness::start().await;
    let (one, two, three) = (healthy(&harness).await, healthy(&harness).await, healthy(&harness).await);
    let ids = [one, two, three];
    let revisions = async || {
        let mut all = Vec::new();
        for id in ids {
            all.push(harness.instance(id).await.revision);
        }
        all
    };
    let before = revisions().await;
    let first = ids.map(|id| measurement(id, 100));
    assert_eq!(harness.store.record_storages(&first).await.unwrap(), HashSet::new());
    assert_eq!(revisions().await, before.iter().map(|revision| revision + 1).collect::<Vec<_>>(), "a first measurement is an event");

    // Less than a hundredth, a hundredth, and one that is older than what is stored.
    let earlier = StorageMeasurement { at: first[2].at - TimeDelta::seconds(1), ..measurement(three, 900) };
    harness.store.record_storages(&[measurement(one, 109), measurement(two, 110), earlier]).await.unwrap();
    assert_eq!((used(&harness, one).await, used(&harness, two).await, used(&harness, three).await), (Some(109), Some(110), Some(100)));
    assert_eq!(revisions().await, [before[0] + 1, before[1] + 2, before[2] + 1]);

    // What was announced counts, and not what was measured last; a server that takes no writes is an event in any case.
    let held = StorageMeasurement { is_read_only: true, ..measurement(two, 110) };
    harness.store.record_storages(&[measurement(one, 110), held]).await.unwrap();
    harness.store.record_storage(&measurement(three, 101)).await.unwrap();
    assert_eq!(revisions().await, [before[0] + 2, before[1] + 3, before[2] + 1]);

    // Somebody changed how it grows after it was measured, and before that was stored.
    let stale = StorageMeasurement { at: Utc::now() - TimeDelta::seconds(1), ..measurement(one, 110) };
    harness.database.run(&format!("UPDATE toygres.instance_storage SET measured_at = '-infinity', due_at = now() WHERE instance_id = '{one}'")).await;
    harness.store.record_storages(&[stale]).await.unwrap();
    assert!(harness.store.measured(one).await.unwrap().unwrap().due_in.is_zero(), "it stays due");

    let deletion = harness.delete(two).await;
    harness.assert_settled("deleted", &deletion).await;
    harness.store.record_storages(&[measurement(two, 500), measurement(three, 500)]).await.unwrap();
    assert_eq!((used(&harness, two).await, used(&harness, three).await), (None, Some(500)), "nothing is stored of one that is gone");
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measurements_do_not_wait_for_the_row_of_another_instance() {
    let harness = Harness::start().await;
    let (locked, free) = (healthy(&harness).await, healthy(&harness).await);
    harness.store.record_storages(&[measurement(locked, 100), measurement(free, 100)]).await.unwrap();
    let lock = format!("BEGIN; SELECT 1 FROM toygres.instances WHERE id = '{locked}' FOR UPDATE; SELECT pg_sleep(3); COMMIT");
    let locking = harness.database.run(&lock);
    let storing = async {
        // Each is an event.
        let next = AtomicI64::new(200);
        eventually("the row is locked", || async {
            let now = next.fetch_add(100, Ordering::Relaxed);
            let left = harness.store.record_storages(&[measurement(locked, now), measurement(free, now)]).await.unwrap();
            assert_eq!(used(&harness, free).await, Some(now));
            left.contains(&locked).then_some(())
        })
        .await;
        let small = measurement(locked, used(&harness, locked).await.unwrap() + 1);
        assert_eq!(harness.store.record_storages(&[small]).await.unwrap(), HashSet::new(), "what is no event needs no lock");
        assert_eq!(used(&harness, locked).await, Some(small.usage.used_bytes));
    };
    tokio::join!(locking, storing);
    harness.store.record_storages(&[measurement(locked, 700)]).await.unwrap();
    assert_eq!(used(&harness, locked).await, Some(700));
    harness.finish().await;
}
