//! Changes of parameters, and restarts with those that waited for one.

use toygres_domain::{
    InstanceId,
    instance::{InstanceState, ReasonCode},
    operation::{Operation, OperationStatus, Params, StepName, StepStatus, restart, set_parameters},
    parameter::Parameters,
};
use toygres_store::Subject;

use crate::support::Harness;

fn parameters(values: &[(&str, &str)], pending: &[(&str, &str)]) -> Parameters {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Parameters { values: values.iter().map(owned).collect(), pending: pending.iter().map(owned).map(|(name, value)| (name, Some(value))).collect() }
}

async fn set(harness: &Harness, id: InstanceId, changes: &[(&str, Option<&str>)], allow_restart: bool) -> Operation {
    let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
    let operation = harness.accept(Subject::Existing(id), Params::SetParameters(set_parameters::Params { changes, allow_restart })).await;
    settled(harness, operation).await
}

async fn restart(harness: &Harness, id: InstanceId) -> Operation {
    let operation = harness.accept(Subject::Existing(id), Params::Restart(restart::Params { timeout_seconds: 60 })).await;
    settled(harness, operation).await
}

async fn settled(harness: &Harness, operation: toygres_domain::OperationId) -> Operation {
    let operation = harness.assert_settled("parameters", &operation).await;
    harness.assert_configured("parameters", operation.instance).await;
    operation
}

fn succeeded(operation: Operation) -> Operation {
    assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
    operation
}

/// It failed, and its instance runs as before.
async fn rolled_back(harness: &Harness, operation: &Operation, message: &str, before: &Parameters) {
    assert_eq!(operation.status, OperationStatus::Failed, "{operation:?}");
    assert!(operation.error.as_ref().unwrap().message.contains(message), "{operation:?}");
    let instance = harness.instance(operation.instance).await;
    assert_eq!((instance.state, &instance.spec.parameters), (InstanceState::Running, before));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_a_restart_waits_for_one_that_can_be_taken_back() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.runtime.script(id, |script| script.unread = 3);
    let operation = succeeded(set(&harness, id, &[("work_mem", Some("8MB")), ("huge_pages", Some("on"))], false).await);
    assert_eq!(operation.step(StepName::RestartPostgres).unwrap().status, StepStatus::Skipped);
    let pending = parameters(&[("work_mem", "8MB")], &[("huge_pages", "on")]);
    assert_eq!(harness.instance(id).await.spec.parameters, pending);
    assert_eq!(harness.runtime.restarts(id).len(), 0);
    assert!(!harness.runtime.configured(id).contains_key("huge_pages"), "a crash now would end with a server that does not start");

    // The restart does not work out, and the server runs as before.
    harness.runtime.script(id, |script| script.fatal_parameter = Some("huge_pages"));
    let failed = restart(&harness, id).await;
    rolled_back(&harness, &failed, "FATAL: huge_pages is too large", &pending).await;
    assert_eq!(failed.step(StepName::RollBack).unwrap().status, StepStatus::Succeeded);

    harness.runtime.script(id, |script| script.fatal_parameter = None);
    succeeded(restart(&harness, id).await);
    assert_eq!(harness.instance(id).await.spec.parameters, parameters(&[("huge_pages", "on"), ("work_mem", "8MB")], &[]));

    succeeded(set(&harness, id, &[("huge_pages", None), ("work_mem", None)], true).await);
    assert_eq!(harness.instance(id).await.spec.parameters, Parameters::default());
    assert_eq!(harness.runtime.restarts(id).len(), 4, "two of the failed restart");
    harness.assert_no_outage("parameters", id).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_the_server_does_not_take_is_rolled_back() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    succeeded(set(&harness, id, &[("work_mem", Some("8MB"))], false).await);
    let before = harness.instance(id).await.spec.parameters;

    harness.runtime.script(id, |script| script.fatal_parameter = Some("shared_buffers"));
    let failed = set(&harness, id, &[("shared_buffers", Some("64MB")), ("work_mem", None)], true).await;
    rolled_back(&harness, &failed, "FATAL: shared_buffers is too large", &before).await;
    assert_eq!(failed.error.unwrap().code, ReasonCode::ProcessExited);
    let restarts: Vec<_> = harness.runtime.restarts(id).into_iter().map(|restart| restart.operation.to_string()).collect();
    assert_eq!(restarts, [failed.id.to_string(), format!("{}-revert", failed.id)]);

    harness.runtime.script(id, |script| script.refused_parameter = Some("lc_time"));
    let failed = set(&harness, id, &[("lc_time", Some("nowhere"))], true).await;
    rolled_back(&harness, &failed, "lc_time could not be applied", &before).await;
    assert_eq!(harness.runtime.restarts(id).len(), 2, "the server was not restarted, so it is not restarted again");

    harness.runtime.script(id, |script| script.refused_text = Some("TimeZone"));
    let failed = set(&harness, id, &[("TimeZone", Some("nowhere"))], true).await;
    rolled_back(&harness, &failed, "the server refuses it: invalid value for parameter \"TimeZone\"", &before).await;
    harness.assert_no_outage("parameters", id).await;
    harness.finish().await;
}
