//! MonitorOperation: an honest end, whatever becomes of the workflow.

use std::time::Duration;

use duroxide::{OrchestrationContext, OrchestrationRegistry, runtime::registry::ActivityRegistry};
use toygres_domain::{
    instance::{InstanceState, ReasonCode},
    operation::OperationStatus,
};
use toygres_workflows::{create_instance, delete_instance, monitor_operation, registry};

use crate::harness::{Harness, eventually, failure, pace};

/// The engine loses, cancels or forgets the workflow while it waits; the next run of the same operation ends it.
async fn a_lost_workflow_is_followed_by_the_next_run(harness: Harness) {
    for kind in ["create", "delete"] {
        for loss in ["cancelled", "vanished"] {
            let case = format!("{kind} {loss}");
            let (id, operation) = if kind == "create" {
                let new = harness.new_instance();
                harness.runtime.behave(new.id, |it| it.pending = u32::MAX);
                (new.id, harness.create(&new).await)
            } else {
                let id = harness.running().await;
                harness.runtime.behave(id, |it| it.removing = u32::MAX);
                (id, harness.delete(id).await)
            };
            let label = if kind == "create" { "get-instance-status" } else { "delete-postgres" };
            eventually("the workflow waits", || async { (harness.hooks.count(id, label) > 2).then_some(()) }).await;
            let workflow = operation.engine_id(1);
            match loss {
                "cancelled" => harness.client.cancel_instance(&workflow, "by hand").await.unwrap(),
                _ => harness.forget(&workflow).await,
            }
            eventually(&format!("{case}: there is a next run"), || async { (harness.operation(&operation).await.run > 1).then_some(()) }).await;
            harness.runtime.behave(id, |it| (it.pending, it.removing) = (0, 0));
            harness.assert_settled(&case, &operation).await;
            assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded, "{case}");
        }
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_workflow_is_followed_by_its_next_run() {
    a_lost_workflow_is_followed_by_the_next_run(Harness::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_lost_workflow_is_followed_by_its_next_run() {
    a_lost_workflow_is_followed_by_the_next_run(Harness::start_on_postgres().await).await;
}

/// Workflows that can never do anything: the operation still ends, soon behind its deadline.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_cannot_work_ends_as_failed() {
    futures::future::join_all(["panics", "errs", "hangs", "says nothing", "is not registered"].map(one_that_cannot_work)).await;
}

async fn one_that_cannot_work(broken: &'static str) {
    let mut harness = Harness::start().await;
    harness.stop().await;
    let activities = registry::activities(ActivityRegistry::builder(), &harness.world).build_result().unwrap();
    let mut orchestrations = OrchestrationRegistry::builder().register_versioned(monitor_operation::NAME, "1.0.0", |ctx, input: String| async move {
        monitor_operation::monitor_operation(ctx, serde_json::from_str(&input).unwrap(), pace()).await
    });
    for name in [create_instance::NAME, delete_instance::NAME] {
        if broken != "is not registered" {
            orchestrations = orchestrations.register_versioned(name, "1.0.0", move |ctx: OrchestrationContext, _| async move {
                match broken {
                    "panics" => panic!("injected"),
                    "errs" => Err("injected".to_owned()),
                    "hangs" => {
                        ctx.schedule_wait("never").await;
                        Ok(String::new())
                    }
                    _ => Ok("nothing".to_owned()),
                }
            });
        }
    }
    harness.work_with(activities, orchestrations.build_result().unwrap()).await;
    let new = harness.new_instance();
    let operation = harness.create_within(&new, Duration::from_secs(1)).await;
    let over = harness.over(&operation).await;
    let error = over.error.clone().unwrap();
    assert_eq!((over.status, error.code), (OperationStatus::Failed, ReasonCode::Internal), "{broken}");
    assert!(error.message.contains(&over.engine_id()), "{broken}: {}", error.message);
    assert_eq!(harness.instance(new.id).await.state, InstanceState::Failed, "{broken}");
    harness.assert_workflows(broken, new.id).await;
    harness.finish().await;
}

/// A workflow that got stuck before its deadline is replaced behind it, and its successor cleans up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stuck_workflow_made_is_cleaned_up() {
    let mut harness = Harness::start().await;
    harness.stop().await;
    let activities = registry::activities(ActivityRegistry::builder(), &harness.world).build_result().unwrap();
    let orchestrations = registry::orchestrations(OrchestrationRegistry::builder(), pace()).unwrap();
    // The first run deploys and then waits for what never comes.
    let stuck = orchestrations.register_versioned(create_instance::NAME, "1.1.0", |ctx: OrchestrationContext, input: String| async move {
        let run: toygres_workflows::step::Run = serde_json::from_str(&input).unwrap();
        if run.run == 1 {
            ctx.schedule_activity(toygres_workflows::activities::deploy_postgres::NAME, input).await?;
            ctx.schedule_wait("never").await;
        }
        create_instance::create_instance(ctx, run, pace()).await
    });
    let stuck = registry::start_with(stuck, &[(create_instance::NAME, "1.1.0")]).unwrap().build_result().unwrap();
    harness.work_with(activities, stuck).await;
    let new = harness.new_instance();
    let operation = harness.create(&new).await;
    eventually("it is deployed", || async { harness.runtime.stands(new.id).then_some(()) }).await;
    harness.expire(&operation).await;
    harness.assert_settled("stuck", &operation).await;
    let over = harness.operation(&operation).await;
    assert_eq!((over.status, over.error.unwrap().code, over.run), (OperationStatus::Failed, ReasonCode::DeadlineExceeded, 2));
    harness.finish().await;
}

/// The monitor's own activity fails, is lost, panics and runs twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_monitor_survives_its_own_failures() {
    let harness = Harness::start().await;
    let mut cases = Vec::new();
    for fault in ["retry", "broken", "lost", "panic", "twice"] {
        let new = harness.new_instance();
        harness.hooks.set(new.id, move |call| async move {
            if call.label != "update-metadata/settle" || call.nth > 0 {
                return call.run().await;
            }
            match fault {
                "twice" => {
                    let _ = call.run().await;
                    call.run().await
                }
                "lost" => {
                    let _ = call.run().await;
                    Err("the worker fell over".to_owned())
                }
                "panic" => panic!("injected"),
                kind => failure(kind),
            }
        });
        cases.push((fault, harness.create(&new).await));
    }
    for (case, operation) in cases {
        harness.assert_settled(case, &operation).await;
        assert_eq!(harness.operation(&operation).await.status, OperationStatus::Succeeded, "{case}");
    }
    harness.finish().await;
}

/// Servers that stop hand their work back, and the next one ends it.
async fn stopped_servers(mut harness: Harness) {
    let (creates, deletes) = (harness.new_instance(), harness.running().await);
    harness.runtime.behave(creates.id, |it| it.pending = u32::MAX);
    harness.runtime.behave(deletes, |it| it.removing = u32::MAX);
    let (create, delete) = (harness.create(&creates).await, harness.delete(deletes).await);
    eventually("both are under way", || async {
        (harness.hooks.count(creates.id, "get-instance-status") > 1 && harness.hooks.count(deletes, "delete-postgres") > 1).then_some(())
    })
    .await;
    harness.stop().await;
    harness.runtime.behave(creates.id, |it| it.pending = 0);
    harness.runtime.behave(deletes, |it| it.removing = 0);
    harness.work().await;
    for operation in [create, delete] {
        harness.assert_settled("after the restart", &operation).await;
        let over = harness.operation(&operation).await;
        assert_eq!((over.status, over.run), (OperationStatus::Succeeded, 1), "nothing was lost, so there is no second run");
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_hands_its_work_back() {
    stopped_servers(Harness::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_server_that_stops_hands_its_work_back() {
    stopped_servers(Harness::start_on_postgres().await).await;
}
