//! Upgrades: what began under one version ends under it, beside the next.

use std::time::Duration;

use duroxide::{OrchestrationContext, OrchestrationRegistry, runtime::registry::ActivityRegistry};
use toygres_domain::{InstanceId, operation::OperationStatus};
use toygres_workflows::{create_instance, health_check, registry};

use crate::harness::{Harness, eventually, pace};

/// The releases after this one: with a new version of the creation and of the health check, which take another turn first, so
/// that an old history does not fit them.
fn next_release(switched: bool) -> OrchestrationRegistry {
    let mut builder = registry::orchestrations(OrchestrationRegistry::builder(), pace())
        .unwrap()
        .register_versioned(create_instance::NAME, "1.1.0", |ctx: OrchestrationContext, input: String| async move {
            ctx.schedule_timer(Duration::from_millis(1)).await;
            create_instance::create_instance(ctx, serde_json::from_str(&input).unwrap(), pace()).await
        })
        .register_versioned(health_check::NAME, "1.2.0", |ctx: OrchestrationContext, input: String| async move {
            ctx.schedule_timer(Duration::from_millis(1)).await;
            health_check::health_check(ctx, serde_json::from_str(&input).unwrap(), pace()).await
        });
    if switched {
        builder = registry::start_with(builder, &[(create_instance::NAME, "1.1.0"), (health_check::NAME, "1.2.0")]).unwrap();
    }
    builder.build_result().unwrap()
}

async fn version(harness: &Harness, workflow: &str) -> String {
    harness.client.get_instance_info(workflow).await.unwrap().orchestration_version
}

fn activities(harness: &Harness) -> ActivityRegistry {
    registry::activities(ActivityRegistry::builder(), &harness.world).build_result().unwrap()
}

/// An endless workflow changes its version in the middle of its life.
async fn goes_on_under(harness: &Harness, running: InstanceId, new: &str) {
    let workflow = harness.instance(running).await.health_check_orchestration_id.unwrap();
    eventually("the loop goes on under the new version", || async {
        harness.engine.nudge(&workflow, "").await.unwrap();
        (version(harness, &workflow).await == new).then_some(())
    })
    .await;
    harness.assert_workflows("the loop", running).await;
}

async fn upgrade(mut harness: Harness) {
    // This release: a creation under way, and a running instance.
    let (waiting, running) = (harness.new_instance(), harness.running().await);
    harness.runtime.behave(waiting.id, |it| it.pending = u32::MAX);
    let under_way = harness.create(&waiting).await;
    let looping = harness.instance(running).await.health_check_orchestration_id.unwrap();
    eventually("the creation waits", || async { (harness.hooks.count(waiting.id, "get-instance-status") > 1).then_some(()) }).await;
    harness.stop().await;

    // The next one knows both versions, and starts the old one: servers of this release still run.
    harness.work_with(activities(&harness), next_release(false)).await;
    let between = harness.new_instance();
    let operation = harness.create(&between).await;
    assert_eq!(harness.over(&operation).await.status, OperationStatus::Succeeded);
    assert_eq!(version(&harness, &operation.engine_id(1)).await, "1.0.0");
    harness.stop().await;

    // The one after switches.
    harness.work_with(activities(&harness), next_release(true)).await;
    harness.runtime.behave(waiting.id, |it| it.pending = 0);
    harness.assert_settled("under way", &under_way).await;
    let over = harness.operation(&under_way).await;
    assert_eq!((over.status, over.run), (OperationStatus::Succeeded, 1), "it ended in its first run");
    assert_eq!(version(&harness, &under_way.engine_id(1)).await, "1.0.0", "under the version that it began with");
    let new = harness.new_instance();
    let operation = harness.create(&new).await;
    harness.assert_settled("new", &operation).await;
    assert_eq!(version(&harness, &operation.engine_id(1)).await, "1.1.0");

    assert_eq!(harness.instance(running).await.health_check_orchestration_id, Some(looping));
    goes_on_under(&harness, running, "1.2.0").await;
    harness.finish().await;
}

/// The one step that there was so far: version 1.1.0 of the health check waits for its activity without a timer beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_of_version_1_0_goes_on_under_1_1() {
    let mut harness = Harness::start().await;
    harness.stop().await;
    let release = |version| {
        let builder = registry::orchestrations(OrchestrationRegistry::builder(), pace()).unwrap();
        registry::start_with(builder, &[(health_check::NAME, version)]).unwrap().build_result().unwrap()
    };
    harness.work_with(activities(&harness), release("1.0.0")).await;
    let running = harness.running().await;
    let looping = harness.instance(running).await.health_check_orchestration_id.unwrap();
    eventually("it is checked", || async { (harness.hooks.count(running, "health-check") >= 1).then_some(()) }).await;
    assert_eq!(version(&harness, &looping).await, "1.0.0");
    harness.stop().await;
    harness.work_with(activities(&harness), release("1.1.0")).await;
    assert_eq!(harness.instance(running).await.health_check_orchestration_id, Some(looping));
    goes_on_under(&harness, running, "1.1.0").await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_began_under_the_old_version_ends_under_it() {
    upgrade(Harness::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_what_began_under_the_old_version_ends_under_it() {
    upgrade(Harness::start_on_postgres().await).await;
}
