//! MonitorOperation: every operation is finished, whatever happens to its workflow. The next run after a lost workflow is tested
//! for every operation in [`crate::saga`].

use std::{sync::Arc, time::Duration};

use duroxide::{OrchestrationContext, OrchestrationRegistry};
use toygres_domain::{
    instance::ReasonCode,
    operation::{OperationKind, OperationStatus},
};
use toygres_workflows::{Activity, Run, Timing, activities::DeployPostgres, health_check, monitor_operation, operations, registry};

use crate::support::{Example, FailureKind, Harness, concurrently, eventually, failures, panic_quietly, timing, twice};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_panics_is_no_dead_end() {
    no_dead_end("panics").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_errs_is_no_dead_end() {
    no_dead_end("errs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_hangs_is_no_dead_end() {
    no_dead_end("hangs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_does_nothing_is_no_dead_end() {
    no_dead_end("does nothing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_is_not_registered_is_no_dead_end() {
    no_dead_end("is not registered").await;
}

/// Workflows that cannot run: an operation with a deadline fails soon after it, and one without is retried in further runs until a
/// server can execute it.
async fn no_dead_end(fault: &'static str) {
    let quick = Timing { run: Duration::from_secs(1), stuck: Duration::from_secs(3), ..timing() };
    let mut harness = Harness::start_with(quick).await;
    let mut examples = Vec::new();
    for kind in OperationKind::ALL {
        let example = Example::prepare(&harness, *kind).await;
        if !example.is_creation() {
            // Its creation is finished by the workflows that started it.
            harness.assert_workflows("prepared", example.instance).await;
        }
        examples.push(example);
    }
    harness.stop().await;
    let (activities, all) = registry::all(&harness.context).unwrap();
    let mut orchestrations = OrchestrationRegistry::builder();
    for name in [monitor_operation::NAME, health_check::NAME] {
        let (_, handler) = all.resolve_handler(name).unwrap();
        orchestrations = orchestrations.register_versioned(name, "1.0.0", move |ctx, input| {
            let handler = handler.clone();
            async move { handler.invoke(ctx, input).await }
        });
    }
    for kind in OperationKind::ALL.iter().filter(|_| fault != "is not registered") {
        orchestrations = orchestrations.register_versioned(operations::name(*kind), "1.0.0", move |ctx: OrchestrationContext, _| async move {
            match fault {
                "panics" => panic_quietly(),
                "errs" => Err("injected".to_owned()),
                "hangs" => {
                    ctx.schedule_wait("never").await;
                    Ok(String::new())
                }
                _ => Ok("nothing".to_owned()),
            }
        });
    }
    harness.work_with(activities, orchestrations.build_result().unwrap()).await;
    let mut endless = Vec::new();
    for example in &examples {
        let accepted = example.try_accept(&harness, Duration::from_secs(1)).await.expect("it is accepted");
        if accepted.operation.deadline.is_none() {
            endless.push(example);
        }
    }
    for example in examples.iter().filter(|example| !endless.iter().any(|endless| endless.instance == example.instance)) {
        let case = format!("{} {fault}", example.kind);
        let failed = harness.assert_settled(&case, &example.id()).await;
        let error = failed.error.as_ref().unwrap();
        assert_eq!((failed.status, error.code), (OperationStatus::Failed, ReasonCode::Internal), "{case}");
        assert!(error.message.contains(&failed.engine_id()), "{case}: {}", error.message);
    }
    for example in &endless {
        eventually("there is a next run", || async { (harness.operation(&example.id()).await.run > 1).then_some(()) }).await;
    }
    harness.stop().await;
    harness.work().await;
    for example in endless {
        let operation = harness.assert_settled(fault, &example.id()).await;
        assert_eq!(operation.status, OperationStatus::Succeeded, "{} {fault}", example.kind);
    }
    harness.finish().await;
}

/// A workflow that is stuck before the deadline is replaced after it, and its successor cleans up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stuck_workflow_made_is_cleaned_up() {
    let mut harness = Harness::start().await;
    harness.stop().await;
    let (activities, all) = registry::all(&harness.context).unwrap();
    let name = operations::name(OperationKind::Create);
    let (_, handler) = all.resolve_handler(name).unwrap();
    // The first run deploys and then waits forever.
    let stuck = OrchestrationRegistry::builder_from(&all).register_versioned(name, "1.1.0", move |ctx: OrchestrationContext, input: String| {
        let handler = Arc::clone(&handler);
        async move {
            let run: Run = serde_json::from_str(&input).unwrap();
            if run.run == 1 {
                ctx.schedule_activity(DeployPostgres::NAME, input.clone()).await?;
                ctx.schedule_wait("never").await;
            }
            handler.invoke(ctx, input).await
        }
    });
    let stuck = registry::start_with(stuck, &[(name, "1.1.0")]).unwrap().build_result().unwrap();
    harness.work_with(activities, stuck).await;
    let new = harness.new_instance();
    let operation = harness.create(&new).await;
    eventually("it is deployed", || async { harness.runtime.exists(new.id).then_some(()) }).await;
    harness.expire(&operation).await;
    let failed = harness.assert_settled("stuck", &operation).await;
    assert_eq!((failed.status, failed.error.unwrap().code, failed.run), (OperationStatus::Failed, ReasonCode::DeadlineExceeded, 2));
    harness.finish().await;
}

/// The monitor's own activity fails in every temporary way, and runs twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_monitor_survives_its_own_failures() {
    let harness = Harness::start().await;
    let step = "settle-operation";
    let faults = failures(step).into_iter().chain([twice(step)]).filter(|fault| !fault.reports(FailureKind::Failed));
    concurrently(faults, async |fault| {
        let case = fault.to_string();
        let new = harness.new_instance();
        harness.hooks.inject(new.id, [fault]);
        let operation = harness.create(&new).await;
        assert_eq!(harness.assert_settled(&case, &operation).await.status, OperationStatus::Succeeded, "{case}");
    })
    .await;
    harness.finish().await;
}
