//! A runtime that does not answer.

use toygres_domain::operation::{OperationKind, OperationStatus};

use crate::support::{Example, Harness, away, concurrently, eventually};

/// The instance and the operation say what it waits for, and the operation continues when the runtime is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_waits_for_the_runtime_says_so() {
    let harness = Harness::start().await;
    concurrently(OperationKind::ALL, async |kind| {
        let example = Example::prepare(&harness, *kind).await;
        harness.runtime.script(example.instance, |script| script.error = Some((u32::MAX, away())));
        let operation = example.accept(&harness).await;
        // What leaves the instance alone says so by itself.
        if kind.policy().during.is_some() {
            eventually(&format!("{kind}: the instance says so"), || async {
                (harness.instance(example.instance).await.reason == Some(away().reason)).then_some(())
            })
            .await;
        }
        harness.shows(&operation, &away().reason.message).await;
        harness.runtime.script(example.instance, |script| script.error = None);
        let settled = harness.assert_settled(kind.as_str(), &operation).await;
        assert_eq!(settled.status, OperationStatus::Succeeded, "{kind}: {settled:?}");
    })
    .await;
    harness.finish().await;
}
