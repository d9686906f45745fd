//! The engine loses a workflow, and servers stop.

use toygres_domain::operation::OperationStatus;

use super::assert_saga;
use crate::support::{Example, Harness, Sample, concurrently, eventually};

/// Starts an operation whose calls of the runtime wait until they are released.
async fn waiting(harness: &Harness, sample: Sample) -> Example {
    let example = Example::prepare_as(harness, sample).await;
    harness.runtime.hold(example.instance);
    example.accept(harness).await;
    eventually("the workflow polls", || async {
        let calls = harness.hooks.calls(example.instance);
        let last = calls.iter().rev().find(|call| !call.is_background())?;
        (last.nth > 1).then_some(())
    })
    .await;
    example
}

/// The engine cancels or loses the workflow while it waits. The next run of the same operation finishes it.
async fn lost_workflows(harness: Harness) {
    let cases = Sample::all().into_iter().flat_map(|sample| [(sample, "cancelled"), (sample, "forgotten")]);
    concurrently(cases, async |(sample, loss)| {
        let case = format!("{sample} {loss}");
        let example = waiting(&harness, sample).await;
        let id = example.id();
        match loss {
            "cancelled" => harness.client.cancel_instance(&id.engine_id(1), "by hand").await.unwrap(),
            _ => harness.forget(&id.engine_id(1)).await,
        }
        eventually(&format!("{case}: there is a next run"), || async { (harness.operation(&id).await.run > 1).then_some(()) }).await;
        harness.runtime.release(example.instance);
        let operation = assert_saga(&harness, &case, &example).await;
        assert_eq!(operation.status, OperationStatus::Succeeded, "{case}");
    })
    .await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_workflow_is_followed_by_the_next_run() {
    lost_workflows(Harness::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_lost_workflow_is_followed_by_the_next_run() {
    lost_workflows(Harness::start_on_postgres().await).await;
}

/// A server that stops abandons its work, and the next one finishes it.
async fn stopped_servers(mut harness: Harness) {
    let mut examples = Vec::new();
    for sample in Sample::all() {
        examples.push(waiting(&harness, sample).await);
    }
    harness.stop().await;
    for example in &examples {
        harness.runtime.release(example.instance);
    }
    harness.work().await;
    for example in examples {
        let case = format!("{} after the restart of the server", example.kind);
        let operation = harness.assert_settled(&case, &example.id()).await;
        assert_eq!((operation.status, operation.run), (OperationStatus::Succeeded, 1), "{case}: nothing was lost, so there is no second run");
        // While its operation was held, the runtime said that the instance is starting, which a check may have recorded.
        harness.assert_never_unhealthy(&case, example.instance).await;
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_gives_its_work_back() {
    stopped_servers(Harness::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_too_a_server_that_stops_gives_its_work_back() {
    stopped_servers(Harness::start_on_postgres().await).await;
}
