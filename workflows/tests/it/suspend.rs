//! Tests specific to SuspendInstance and ResumeInstance. Those for all operations are in [`crate::saga`].

use toygres_domain::{
    Error, InstanceId, OperationId, UserErrorCode,
    event::EventKind,
    instance::{HealthStatus, Instance, InstanceState, Reason, ReasonCode},
    operation::{OperationStatus, Params, repair, resize, restart, resume, set_parameters, suspend},
    runtime::{Observation, RuntimeError},
};
use toygres_store::Subject;

use crate::support::{DEADLINE, Harness, Proxy, eventually};

async fn request(harness: &Harness, id: InstanceId, params: Params) -> OperationId {
    harness.accept(Subject::Existing(id), params).await
}

async fn suspend(harness: &Harness, id: InstanceId) -> OperationId {
    request(harness, id, Params::Suspend(suspend::Params { timeout_seconds: 7, idle_minutes: None })).await
}

async fn resume(harness: &Harness, id: InstanceId) -> OperationId {
    request(harness, id, Params::Resume(resume::Params {})).await
}

async fn suspended(harness: &Harness) -> InstanceId {
    let id = harness.running().await;
    let operation = suspend(harness, id).await;
    assert_eq!(harness.assert_settled("suspend", &operation).await.status, OperationStatus::Succeeded);
    id
}

async fn healthy(harness: &Harness, id: InstanceId) {
    eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
}

/// While it is suspended nobody can connect, and no outage is reported: it has no health check, and the next one comes with the resumption.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_is_no_outage() {
    let harness = Harness::start().await;
    let mut proxy = Proxy::to(harness.database.endpoint()).await;
    let new = harness.new_instance();
    harness.runtime.script(new.id, |script| script.observation = Some(Ok(Observation::Ready(proxy.endpoint()))));
    let id = harness.run(new).await;
    healthy(&harness, id).await;
    let before = harness.instance(id).await;

    let operation = suspend(&harness, id).await;
    proxy.close().await;
    assert_eq!(harness.assert_settled("suspend", &operation).await.status, OperationStatus::Succeeded);
    let now = harness.instance(id).await;
    assert_eq!((now.state, now.health, now.health_check_orchestration_id), (InstanceState::Suspended, HealthStatus::Unknown, None));
    assert_eq!(now.connection_string, before.connection_string);
    let reason = now.reason.unwrap();
    assert!(reason.code == ReasonCode::Suspended && reason.message.contains("resume"), "{reason:?}");
    // What the runtime reports late changes nothing, and the sweeper starts no health check.
    harness.runtime.report_death(id, Reason::new(ReasonCode::ProcessExited, "the server has exited"));
    let swept = harness.sweep().await;
    assert_eq!((swept.health_checks, swept.orphans), (0, Vec::new()));
    assert_eq!(harness.live(id).await, Vec::<String>::new());

    proxy.open().await;
    let operation = resume(&harness, id).await;
    assert_eq!(harness.assert_settled("resume", &operation).await.status, OperationStatus::Succeeded);
    healthy(&harness, id).await;
    let now = harness.instance(id).await;
    assert_ne!(now.health_check_orchestration_id, before.health_check_orchestration_id, "another loop checks it");
    assert_eq!((now.connection_string, now.reason), (before.connection_string, None));
    harness.assert_no_outage("suspended", id).await;
    let changes = harness.events(id).await.into_iter().filter(|event| event.kind == EventKind::StateChanged).filter_map(|event| event.to);
    assert_eq!(changes.collect::<Vec<_>>(), ["running", "updating", "suspended", "updating", "running"]);
    harness.finish().await;
}

/// A server that cannot be stopped runs again, and one that cannot be started is stopped again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_reverted_and_can_be_retried() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let refused = RuntimeError::permanent(ReasonCode::AdmissionRefused, "nobody may stop it");
    harness.runtime.set_suspended(id, true);
    harness.runtime.script(id, |script| script.suspension = Some(refused));
    let operation = suspend(&harness, id).await;
    let failed = harness.assert_settled("suspend", &operation).await;
    assert_eq!((failed.status, failed.error.unwrap().code), (OperationStatus::Failed, ReasonCode::AdmissionRefused));
    healthy(&harness, id).await;
    harness.runtime.script(id, |script| script.suspension = None);
    let again = harness.store.retry_operation(&operation, &crate::support::request(DEADLINE)).await.unwrap().operation.id;
    assert_eq!(harness.assert_settled("again", &again).await.status, OperationStatus::Succeeded);

    let crashes = Reason::new(ReasonCode::CrashLoop, "the server ends soon after its start");
    for (case, code) in [("broken", ReasonCode::CrashLoop), ("never ready", ReasonCode::DeadlineExceeded)] {
        harness.runtime.script(id, |script| match code {
            ReasonCode::CrashLoop => script.observation = Some(Ok(Observation::Failed(crashes.clone()))),
            _ => script.pending = u32::MAX,
        });
        let operation = resume(&harness, id).await;
        if code == ReasonCode::DeadlineExceeded {
            harness.shows(&operation, "the instance is starting").await;
            harness.expire(&operation).await;
        }
        let failed = harness.assert_settled(case, &operation).await;
        assert_eq!((failed.status, failed.error.unwrap().code), (OperationStatus::Failed, code), "{case}");
        assert_eq!(harness.instance(id).await.reason.unwrap().code, code, "{case}: the instance says why");
        harness.runtime.script(id, |script| *script = Default::default());
    }
    let operation = resume(&harness, id).await;
    assert_eq!(harness.assert_settled("resume", &operation).await.status, OperationStatus::Succeeded);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_suspended_instance_refuses_and_allows() {
    let harness = Harness::start().await;
    let id = suspended(&harness).await;
    for params in [Params::Restart(restart::Params { timeout_seconds: 7 }), Params::Repair(repair::Params {})] {
        let Err(Error::User(errors)) = harness.try_accept(Subject::Existing(id), &params, DEADLINE).await else { panic!("{params:?} is accepted") };
        assert_eq!(errors[0].code, UserErrorCode::Conflict);
        assert!(
            errors[0].message.ends_with("is suspended; restart is possible when it is running; resume it first")
                || errors[0].message.ends_with("is suspended; repair is possible when it is running; resume it first"),
            "{errors:?}"
        );
    }
    // A resumption that is cancelled before it starts the server leaves it as it was, with the reason.
    harness.stop_dispatching();
    let operation = resume(&harness, id).await;
    harness.store.cancel_operation(&operation).await.unwrap();
    let now = harness.instance(id).await;
    assert_eq!((now.state, now.reason.map(|reason| reason.code)), (InstanceState::Suspended, Some(ReasonCode::Suspended)));
    harness.finish().await;

    let harness = Harness::start().await;
    let id = suspended(&harness).await;
    let deletion = harness.delete(id).await;
    assert_eq!(harness.assert_settled("deleted", &deletion).await.status, OperationStatus::Succeeded);
    harness.finish().await;
}

/// Whoever starts the server of a suspended instance, or stops that of another one, is reverted without being asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_starts_or_stops_is_put_back() {
    let harness = Harness::start().await;
    let id = suspended(&harness).await;
    harness.runtime.script(id, |_| {});
    for (suspended, how) in [(true, "started"), (false, "stopped")] {
        if !suspended {
            let operation = resume(&harness, id).await;
            harness.assert_settled("resume", &operation).await;
        }
        harness.runtime.set_suspended(id, !suspended);
        harness.runtime.report_change(id);
        eventually("it is put back", || async { (harness.runtime.is_suspended(id) == suspended).then_some(()) }).await;
        eventually("that is an event", || async {
            let said = |text: &str| text.contains(&format!("the server server was {how}"));
            harness
                .events(id)
                .await
                .iter()
                .any(|event| event.kind == EventKind::InstanceRepaired && event.reason.as_ref().is_some_and(|reason| said(&reason.message)))
                .then_some(())
        })
        .await;
    }
    harness.finish().await;
}

/// Lost data is told of a suspended instance too, which is no outage; when it is back, it says again why nobody can connect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_data_of_a_suspended_instance_is_told() {
    let harness = Harness::start().await;
    let id = suspended(&harness).await;
    let lost = Reason::new(ReasonCode::DataLost, "the volume is gone");
    for (data, code) in [(Some(lost), ReasonCode::DataLost), (None, ReasonCode::Suspended)] {
        harness.runtime.script(id, |script| script.data = data.clone());
        harness.runtime.report_change(id);
        let now = eventually("it is told", || async {
            Some(harness.instance(id).await).filter(|now| now.reason.as_ref().is_some_and(|reason| reason.code == code))
        })
        .await;
        assert_eq!((now.state, now.health), (InstanceState::Suspended, HealthStatus::Unknown));
    }
    harness.finish().await;
}

async fn settled(harness: &Harness, case: &str, operation: &OperationId, status: OperationStatus) -> Instance {
    assert_eq!(harness.assert_settled(case, operation).await.status, status, "{case}");
    let instance = harness.instance(harness.operation(operation).await.instance).await;
    harness.assert_configured(case, instance.id).await;
    instance
}

fn set(name: &str, value: &str) -> Params {
    let changes = [(name.to_owned(), Some(value.to_owned()))].into();
    Params::SetParameters(set_parameters::Params { changes, allow_restart: false })
}

/// Parameters and sizes of a suspended instance are those that its server is started with. It stays suspended, also after a failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_instance_is_configured_and_resized() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let succeeded = OperationStatus::Succeeded;
    let operation = suspend(&harness, id).await;
    settled(&harness, "suspend", &operation, succeeded).await;
    // Its next start is a restart.
    let operation = request(&harness, id, set("huge_pages", "off")).await;
    let now = settled(&harness, "configured", &operation, succeeded).await;
    assert_eq!((now.state, now.reason.map(|reason| reason.code)), (InstanceState::Suspended, Some(ReasonCode::Suspended)));
    assert_eq!(now.spec.parameters.values.get("huge_pages").map(String::as_str), Some("off"));
    let size = resize::Params { memory_mb: Some(512), storage_gb: Some(3), cpu_millis: None, automatic: false };
    let operation = request(&harness, id, Params::Resize(size)).await;
    let now = settled(&harness, "resized", &operation, succeeded).await;
    assert_eq!((now.state, now.spec.memory_mb, now.spec.storage_gb), (InstanceState::Suspended, 512, 3));

    // A failure puts back what was written, and the volume stays.
    harness.runtime.script(id, |script| script.error = Some((1, RuntimeError::permanent(ReasonCode::DiskFull, "no space left"))));
    let operation = request(&harness, id, set("work_mem", "8MB")).await;
    let now = settled(&harness, "not configured", &operation, OperationStatus::Failed).await;
    assert_eq!((now.state, now.spec.parameters.values.contains_key("work_mem")), (InstanceState::Suspended, false));
    harness.runtime.script(id, |script| script.resizing = u32::MAX);
    let operation =
        request(&harness, id, Params::Resize(resize::Params { memory_mb: Some(256), storage_gb: Some(4), cpu_millis: None, automatic: false })).await;
    harness.shows(&operation, "the volume is growing").await;
    harness.runtime.script(id, |script| script.resizing = 1);
    harness.expire(&operation).await;
    let ended = harness.assert_settled("resized or not", &operation).await;
    let now = harness.instance(id).await;
    let memory = if ended.status == succeeded { 256 } else { 512 };
    assert_eq!((now.state, now.spec.memory_mb, now.spec.storage_gb), (InstanceState::Suspended, memory, 4));

    let operation = resume(&harness, id).await;
    settled(&harness, "resume", &operation, succeeded).await;
    let operation = request(&harness, id, set("max_connections", "50")).await;
    let now = settled(&harness, "running", &operation, succeeded).await;
    assert_eq!(now.spec.parameters.pending.len(), 1, "nobody has allowed a restart");
    let operation = suspend(&harness, id).await;
    settled(&harness, "suspend again", &operation, succeeded).await;

    // A server that does not start with what is pending is stopped again, and it is pending again.
    harness.runtime.script(id, |script| script.fatal_parameter = Some("max_connections"));
    let operation = resume(&harness, id).await;
    let now = settled(&harness, "does not start", &operation, OperationStatus::Failed).await;
    assert_eq!((now.state, now.spec.parameters.pending.len()), (InstanceState::Suspended, 1));
    assert_eq!(now.reason.map(|reason| reason.code), Some(ReasonCode::ProcessExited));
    harness.runtime.script(id, |script| script.fatal_parameter = None);
    let operation = resume(&harness, id).await;
    let now = settled(&harness, "resume", &operation, succeeded).await;
    assert_eq!((now.state, now.spec.parameters.pending.len()), (InstanceState::Running, 0));
    assert_eq!(now.spec.parameters.values.get("max_connections").map(String::as_str), Some("50"));
    harness.finish().await;
}
