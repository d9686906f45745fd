//! Upgrades: a workflow continues with the version that it started with, while others start with the next one.

use std::time::Duration;

use duroxide::{OrchestrationContext, OrchestrationRegistry, runtime::registry::ActivityRegistry};
use toygres_domain::{
    InstanceId,
    operation::{OperationKind, OperationStatus},
};
use toygres_workflows::{health_check, operations, registry};

use crate::support::{EACH_SHAPE, Example, Harness, eventually, timing};

const NEW: &str = "1.1.0";

/// The releases after this one, with a new version of each operation and of the health check. The new versions have an additional
/// turn at the start, so that an old history does not match them.
fn next_release(switched: bool) -> OrchestrationRegistry {
    let this = registry::orchestrations(OrchestrationRegistry::builder(), timing()).unwrap().build_result().unwrap();
    let mut builder = OrchestrationRegistry::builder_from(&this);
    let names: Vec<_> = OperationKind::ALL.iter().map(|kind| operations::name(*kind)).chain([health_check::NAME]).collect();
    for name in &names {
        let (_, handler) = this.resolve_handler(name).unwrap();
        builder = builder.register_versioned(*name, NEW, move |ctx: OrchestrationContext, input| {
            let handler = handler.clone();
            async move {
                ctx.schedule_timer(Duration::from_millis(1)).await;
                handler.invoke(ctx, input).await
            }
        });
    }
    if switched {
        let started: Vec<_> = names.iter().map(|name| (*name, NEW)).collect();
        builder = registry::start_with(builder, &started).unwrap();
    }
    builder.build_result().unwrap()
}

async fn version(harness: &Harness, workflow: &str) -> String {
    harness.client.get_instance_info(workflow).await.unwrap().orchestration_version
}

fn activities(harness: &Harness) -> ActivityRegistry {
    registry::activities(ActivityRegistry::builder(), &harness.context).build_result().unwrap()
}

/// An endless workflow changes its version when it continues as new.
async fn continues_under(harness: &Harness, running: InstanceId, new: &str) {
    let workflow = harness.instance(running).await.health_check_orchestration_id.unwrap();
    eventually("the loop continues under the new version", || async {
        harness.engine.nudge(&workflow, "").await.unwrap();
        (version(harness, &workflow).await == new).then_some(())
    })
    .await;
    harness.assert_workflows("the loop", running).await;
}

async fn operations_begin_under(harness: &Harness, expected: &str) {
    for kind in EACH_SHAPE {
        let example = Example::prepare(harness, *kind).await;
        let id = example.accept(harness).await;
        assert_eq!(harness.assert_settled(kind.as_str(), &id).await.status, OperationStatus::Succeeded, "{kind}");
        assert_eq!(version(harness, &id.engine_id(1)).await, expected, "{kind}");
    }
}

async fn upgrade(mut harness: Harness) {
    // This release: an operation of each shape in progress, and a running instance.
    let running = harness.running().await;
    let looping = harness.instance(running).await.health_check_orchestration_id.unwrap();
    let mut examples = Vec::new();
    for kind in EACH_SHAPE {
        let example = Example::prepare(&harness, *kind).await;
        harness.runtime.hold(example.instance);
        example.accept(&harness).await;
        eventually("its workflow began", || async { (harness.hooks.calls(example.instance).len() > 2).then_some(()) }).await;
        examples.push(example);
    }
    harness.stop().await;

    // The next release has both versions and starts the old one, because servers of this release are still running.
    harness.work_with(activities(&harness), next_release(false)).await;
    operations_begin_under(&harness, "1.0.0").await;
    harness.stop().await;

    // The release after that starts the new version.
    harness.work_with(activities(&harness), next_release(true)).await;
    for example in &examples {
        harness.runtime.release(example.instance);
        let operation = harness.assert_settled(example.kind.as_str(), &example.id()).await;
        assert_eq!((operation.status, operation.run), (OperationStatus::Succeeded, 1), "{}: it ends in its first run", example.kind);
        assert_eq!(version(&harness, &example.id().engine_id(1)).await, "1.0.0", "{}: under the version that it began with", example.kind);
    }
    operations_begin_under(&harness, NEW).await;

    assert_eq!(harness.instance(running).await.health_check_orchestration_id, Some(looping));
    continues_under(&harness, running, NEW).await;
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
