//! Tests specific to CreateInstance. Those for all operations are in [`crate::saga`].

use toygres_domain::{
    instance::{Endpoint, Reason, ReasonCode},
    operation::{OperationStatus, StepName, StepStatus},
    runtime::{Observation, Progress},
    secret::Secret,
};

use crate::support::{Harness, away, eventually};

fn no_image() -> Observation {
    Observation::Failed(Reason::new(ReasonCode::ImagePullFailed, "no such image"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_created_instance_has_an_address_without_a_password() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let instance = harness.instance(id).await;
    assert_eq!(instance.endpoint, Some(harness.runtime.endpoint()));
    assert!(!instance.connection_string.unwrap().contains("right-password"));
    harness.finish().await;
}

/// The causes that keep an instance from being ready, and the error of the operation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_never_becomes_ready_says_why() {
    let harness = Harness::start().await;
    let [slow, hidden] = [harness.new_instance(), harness.new_instance()];
    harness.runtime.hold(slow.id);
    harness.runtime.script(hidden.id, |script| script.observation = Some(Err(away())));
    let mut stranger = harness.new_instance();
    stranger.password = Secret::new("wrong-password".to_owned());
    let (slow, hidden, stranger) = (harness.create(&slow).await, harness.create(&hidden).await, harness.create(&stranger).await);
    for (operation, message) in [(&slow, "the instance is starting"), (&hidden, "the host is away")] {
        harness.shows(operation, message).await;
        harness.expire(operation).await;
    }
    for (case, operation, code) in [
        ("slow", &slow, ReasonCode::DeadlineExceeded),
        ("hidden", &hidden, ReasonCode::DeadlineExceeded),
        ("stranger", &stranger, ReasonCode::AuthenticationFailed),
    ] {
        let operation = harness.assert_settled(case, operation).await;
        assert_eq!(operation.error.map(|error| error.code), Some(code), "{case}");
    }
    let error = harness.operation(&slow).await.error.unwrap();
    assert!(error.message.contains("the instance is starting"), "what it waited for is part of the reason: {}", error.message);
    harness.finish().await;
}

/// A clean-up that does not finish is abandoned some time after the deadline, and the reason contains this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_up_that_never_ends_is_given_up() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    harness.runtime.script(new.id, |script| {
        script.observation = Some(Ok(no_image()));
        script.removal = Some(Ok(Progress::InProgress(Reason::new(ReasonCode::RemovalIncomplete, "a volume hangs"))));
    });
    let operation = harness.create(&new).await;
    harness.shows(&operation, "a volume hangs").await;
    let reason = harness.instance(new.id).await.reason;
    assert_eq!(reason.map(|reason| reason.message).as_deref(), Some("no such image"), "why it failed is told during the clean-up");
    harness.expire(&operation).await;
    let failed = harness.assert_settled("sticky", &operation).await;
    let error = failed.error.unwrap();
    assert_eq!((failed.status, error.code), (OperationStatus::Failed, ReasonCode::ImagePullFailed));
    assert!(error.message.contains("no such image") && error.message.contains("a volume hangs"), "{}", error.message);
    harness.finish().await;
}

/// Attempts and errors are visible while the operation is in progress.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_attempt_is_visible_while_it_is_repeated() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    harness.runtime.script(new.id, |script| script.error = Some((u32::MAX, away())));
    let operation = harness.create(&new).await;
    let step = eventually("a second attempt shows the error of the first", || async {
        let now = harness.operation(&operation).await;
        now.steps.into_iter().find(|step| step.name == StepName::DeployPostgres && step.attempt > 1 && step.error.is_some())
    })
    .await;
    assert_eq!(step.status, StepStatus::Running);
    assert_eq!(step.error.unwrap().message, "the host is away");
    harness.runtime.script(new.id, |script| script.error = None);
    assert_eq!(harness.assert_settled("visible", &operation).await.status, OperationStatus::Succeeded);
    harness.finish().await;
}

/// A panic of the runtime counts as a failed attempt. Its text, which can contain anything, is not in the history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_an_attempt_and_tells_nothing() {
    let harness = Harness::start().await;
    let (once, always) = (harness.new_instance(), harness.new_instance());
    harness.runtime.script(once.id, |script| script.panics = Some((1, "hunter22")));
    harness.runtime.script(always.id, |script| script.panics = Some((u32::MAX, "hunter22")));
    let (once, always) = (harness.create(&once).await, harness.create(&always).await);
    for (operation, status, attempts) in [(once, OperationStatus::Succeeded, 2), (always, OperationStatus::Failed, 3)] {
        let done = harness.assert_settled("panic", &operation).await;
        assert_eq!((done.status, done.steps[0].attempt), (status, attempts), "{done:?}");
        let history = harness.client.read_execution_history(&operation.engine_id(1), 1).await.unwrap();
        assert!(!format!("{history:?}{done:?}").contains("hunter22"), "{history:?}");
    }
    harness.finish().await;
}

/// If the deployment disappears before the instance is ready, it is repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vanished_deployment_is_deployed_again() {
    let harness = Harness::start().await;
    for step in ["get-instance-status", "generate-connection-string"] {
        let new = harness.new_instance();
        let (runtime, id) = (harness.runtime.clone(), new.id);
        if step == "generate-connection-string" {
            // Nothing listens on the former address.
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let elsewhere = Endpoint { host: "127.0.0.1".to_owned(), port };
            runtime.script(id, |script| script.observation = Some(Ok(Observation::Ready(elsewhere))));
        }
        harness.hooks.set(new.id, move |call| {
            let runtime = runtime.clone();
            async move {
                if call.label == step && call.nth == 0 {
                    runtime.take_away(id);
                    runtime.script(id, |script| script.observation = None);
                }
                call.run().await
            }
        });
        let operation = harness.create(&new).await;
        assert_eq!(harness.assert_settled(step, &operation).await.status, OperationStatus::Succeeded, "{step}");
        assert_eq!(harness.runtime.deployments(id), 2, "{step}");
    }
    harness.finish().await;
}
