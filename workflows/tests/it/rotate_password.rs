//! Tests specific to RotatePassword. Those for all operations are in [`crate::saga`].

use toygres_domain::{
    Error, InstanceId, OperationId, UserErrorCode,
    instance::{HealthStatus, Instance, ReasonCode},
    notice::NoticeCode,
    operation::{OperationStatus, Params, StepName, StepStatus, rotate_password},
    secret::Secret,
};
use toygres_postgres::{Target, check};
use toygres_store::{Request, Subject};

use crate::support::{DEADLINE, FailureKind, Fault, Harness, eventually, fails, request, waiting::TIMEOUT};

const NEW: &str = "another-password";

async fn healthy(harness: &Harness) -> Instance {
    let id = harness.running().await;
    eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await
}

async fn rotate(harness: &Harness, id: InstanceId, terminate_sessions: bool) -> OperationId {
    let params = Params::RotatePassword(rotate_password::Params { terminate_sessions });
    let request = Request { password: Some(Secret::new(NEW.to_owned())), ..request(DEADLINE) };
    harness.store.accept(Subject::Existing(id), &params, &request).await.unwrap().operation.id
}

/// Whether the owner logs in with this password.
async fn logs_in(harness: &Harness, instance: &Instance, password: &str) -> bool {
    let target = Target::of_owner(harness.database.endpoint(), &instance.spec, Secret::new(password.to_owned()));
    match check(&target, TIMEOUT).await {
        Ok(_) => true,
        Err(reason) => {
            assert_eq!(reason.code, ReasonCode::AuthenticationFailed, "{reason:?}");
            false
        }
    }
}

async fn told(harness: &Harness, id: InstanceId) -> String {
    harness.store.passwords(&[id]).await.unwrap()[0].1.expose().to_owned()
}

/// Has the owner change their password by SQL, and waits for the notice.
async fn change_by_sql(harness: &Harness, instance: &Instance, password: &str) {
    harness.database.run(&format!("ALTER ROLE {} PASSWORD '{password}'", instance.spec.username)).await;
    next_check(harness, instance, "the notice is there", |now| now.has_notice(NoticeCode::PasswordChanged)).await;
}

async fn next_check(harness: &Harness, instance: &Instance, what: &str, is: impl Fn(&Instance) -> bool) -> Instance {
    let workflow = instance.health_check_orchestration_id.clone().unwrap();
    harness.engine.nudge(&workflow, "").await.unwrap();
    eventually(what, || async { Some(harness.instance(instance.id).await).filter(|now| is(now)) }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_makes_a_password_that_was_changed_by_sql_known_again() {
    let harness = Harness::start().await;
    let instance = healthy(&harness).await;
    change_by_sql(&harness, &instance, "by-sql-password").await;
    let operation = rotate(&harness, instance.id, false).await;
    let done = harness.assert_settled("rotation", &operation).await;
    assert_eq!(done.status, OperationStatus::Succeeded, "{done:?}");
    let now = harness.instance(instance.id).await;
    assert_eq!((now.notices, now.health, now.state), (Vec::new(), HealthStatus::Healthy, instance.state), "it is no outage, not for a moment");
    assert_eq!(told(&harness, instance.id).await, NEW);
    assert!(logs_in(&harness, &instance, NEW).await && !logs_in(&harness, &instance, "by-sql-password").await);
    // What a health check finds is that all is well.
    let samples = harness.samples(instance.id).await.len();
    eventually("it is checked again", || async { (harness.samples(instance.id).await.len() > samples).then_some(()) }).await;
    assert_eq!(harness.instance(instance.id).await.notices, Vec::new());
    harness.assert_no_outage("rotation", instance.id).await;
    harness.finish().await;
}

/// Exactly what the owner's role had, which may be a password that only the owner knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_puts_the_former_verifier_back_and_a_retry_sets_the_same_password() {
    let harness = Harness::start().await;
    let instance = healthy(&harness).await;
    change_by_sql(&harness, &instance, "by-sql-password").await;
    harness.hooks.inject(instance.id, [fails("confirm-password", FailureKind::Failed).for_good()]);
    let operation = rotate(&harness, instance.id, false).await;
    let failed = harness.assert_settled("failure", &operation).await;
    assert_eq!(failed.status, OperationStatus::Failed);
    assert_eq!(failed.step(StepName::RestorePassword).map(|step| step.status), Some(StepStatus::Succeeded), "it says so: {failed:?}");
    assert!(logs_in(&harness, &instance, "by-sql-password").await && !logs_in(&harness, &instance, NEW).await);
    assert!(harness.instance(instance.id).await.has_notice(NoticeCode::PasswordChanged), "the stored one is still not the owner's");

    harness.hooks.clear(instance.id);
    let again = harness.store.retry_operation(&operation, &request(DEADLINE)).await.unwrap().operation.id;
    assert_eq!(harness.assert_settled("retry", &again).await.status, OperationStatus::Succeeded);
    assert_eq!(told(&harness, instance.id).await, NEW);
    assert!(logs_in(&harness, &instance, NEW).await);
    harness.finish().await;
}

/// The new password is set, and neither that can be told nor can the former be put back: a health check finds out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_that_a_broken_rotation_left_is_found_out() {
    let harness = Harness::start().await;
    for reported in [true, false] {
        let instance = healthy(&harness).await;
        let before = told(&harness, instance.id).await;
        let faults: [Fault; 2] = [fails("confirm-password", FailureKind::Failed), fails("restore-password", FailureKind::Failed)];
        harness.hooks.inject(instance.id, faults.map(Fault::for_good));
        let operation = rotate(&harness, instance.id, false).await;
        let failed = harness.finished(&operation).await;
        assert!(failed.error.unwrap().message.contains("putting the former password back failed too"));
        assert!(logs_in(&harness, &instance, NEW).await);
        if !reported {
            // As after a crash between the statement in the instance and the write to the metadata.
            let id = instance.id;
            harness.database.run(&format!("UPDATE toygres.credentials SET pending_in_use = false WHERE instance_id = '{id}'")).await;
            assert_eq!(told(&harness, id).await, before);
            next_check(&harness, &instance, "it is checked", |_| true).await;
        }
        eventually("the new one is told", || async { (told(&harness, instance.id).await == NEW).then_some(()) }).await;
        let now = next_check(&harness, &instance, "it is healthy", |now| now.health == HealthStatus::Healthy).await;
        assert_eq!(now.notices, Vec::new());
        harness.assert_password("found out", instance.id).await;
        harness.hooks.clear(instance.id);
        // The next instance has the same role.
        harness.database.run(&format!("ALTER ROLE {} PASSWORD '{before}'", instance.spec.username)).await;
        let deletion = harness.delete(instance.id).await;
        harness.finished(&deletion).await;
    }
    harness.finish().await;
}

/// A rotation leaves sessions alone unless they are to be ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_ended_only_on_request() {
    let harness = Harness::start().await;
    let instance = healthy(&harness).await;
    for terminate in [false, true] {
        let url = format!("postgres://{}:{}@{}", instance.spec.username, told(&harness, instance.id).await, address(&harness));
        let client = toygres_store::Store::open(&url, 1, toygres_domain::secret::SecretKeys::generate()).unwrap();
        let session = || client.select_foreign("SELECT pg_backend_pid()::text".to_owned());
        let before = session().await.unwrap();
        let operation = rotate(&harness, instance.id, terminate).await;
        let done = harness.assert_settled("rotation", &operation).await;
        let findings = &done.step(StepName::ConfirmPassword).unwrap().findings;
        assert_eq!(findings.as_slice(), if terminate { ["sessions ended: 1"].as_slice() } else { &[] }, "{done:?}");
        assert_eq!(session().await.is_ok_and(|now| now == before), !terminate, "a session from before");
        client.close().await;
    }
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_without_roles_of_the_platform_is_refused() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.database.run(&format!("DELETE FROM toygres.platform_passwords WHERE instance_id = '{id}'")).await;
    let params = Params::RotatePassword(rotate_password::Params::default());
    let refused = harness.try_accept(Subject::Existing(id), &params, DEADLINE).await;
    let Err(Error::User(errors)) = refused else { panic!("it is accepted: {refused:?}") };
    assert_eq!(errors[0].code, UserErrorCode::Conflict);
    assert!(errors[0].message.contains("earlier release") && errors[0].message.contains("copy the data"), "{}", errors[0].message);
    assert_eq!(harness.instance(id).await.operation_count, 1, "nothing was begun");
    harness.finish().await;
}

fn address(harness: &Harness) -> String {
    let endpoint = harness.database.endpoint();
    format!("{}:{}/{}", endpoint.host, endpoint.port, harness.database.name())
}
