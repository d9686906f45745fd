//! Notices about instances, and the roles that checks log in as.

use toygres_domain::{
    instance::{HealthStatus, Instance, Reason, ReasonCode},
    notice::NoticeCode,
    operation::{OperationStatus, Params, create},
    roles::Roles,
    runtime::Observation,
};
use toygres_store::Subject;

use crate::support::{Harness, eventually, requests::PASSWORD};

/// The instance after another check.
async fn checked(harness: &Harness, before: &Instance, what: &str, is: impl Fn(&Instance) -> bool) -> Instance {
    let workflow = before.health_check_orchestration_id.clone().unwrap();
    harness.engine.nudge(&workflow, "").await.unwrap();
    eventually(what, || async { Some(harness.instance(before.id).await).filter(|now| is(now)) }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_the_owner_changed_is_a_notice_and_no_outage() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let role = format!("{}_app", harness.database.name());
    let healthy = eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
    assert_eq!(healthy.notices, []);

    harness.database.run(&format!("ALTER ROLE {role} PASSWORD 'another-password'")).await;
    let changed = checked(&harness, &healthy, "there is a notice", |now| now.has_notice(NoticeCode::PasswordChanged)).await;
    assert_eq!((changed.health, &changed.reason, changed.state), (HealthStatus::Healthy, &None, healthy.state));
    assert_eq!(changed.revision, healthy.revision + 1, "it is one change, of which subscribers are told");
    let [notice] = changed.notices.as_slice() else { panic!("one notice: {:?}", changed.notices) };
    assert!(notice.message.contains(&role) && !notice.message.contains("another"), "{}", notice.message);
    // Further checks change nothing.
    let samples = harness.samples(id).await.len();
    let same = checked(&harness, &changed, "it is checked again", |_| true).await;
    eventually("there is another sample", || async { (harness.samples(id).await.len() > samples).then_some(()) }).await;
    assert_eq!(same.notices, changed.notices);

    // With another salt than before.
    harness.database.run(&format!("ALTER ROLE {role} PASSWORD '{PASSWORD}'")).await;
    let back = checked(&harness, &changed, "the notice is gone", |now| now.notices.is_empty()).await;
    assert_eq!(back.health, HealthStatus::Healthy);
    harness.assert_no_outage("a changed password", id).await;
    harness.finish().await;
}

/// Checks of an instance without roles of the platform log in as the owner, so there the changed password is an outage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_of_an_earlier_release_is_checked_as_its_owner() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.database.run(&format!("DELETE FROM toygres.platform_passwords WHERE instance_id = '{id}'")).await;
    let role = format!("{}_app", harness.database.name());
    let healthy = eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
    harness.database.run(&format!("ALTER ROLE {role} PASSWORD 'another-password'")).await;
    let unhealthy = checked(&harness, &healthy, "it is unhealthy", |now| now.health == HealthStatus::Unhealthy).await;
    assert_eq!((unhealthy.reason.unwrap().code, unhealthy.notices), (ReasonCode::AuthenticationFailed, Vec::new()));
    harness.finish().await;
}

/// A creation that an earlier release accepted, and that is retried, makes an instance with roles of the platform.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_of_an_earlier_release_gets_passwords_of_the_platform() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    harness.runtime.script(new.id, |script| {
        script.observation = Some(Ok(Observation::Failed(Reason::new(ReasonCode::ImagePullFailed, "no such image"))));
    });
    let operation = harness.create(&new).await;
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Failed);
    harness.database.run(&format!("DELETE FROM toygres.platform_passwords WHERE instance_id = '{}'", new.id)).await;
    assert_eq!(harness.store.credentials(new.id).await.unwrap().roles(), Roles::OwnerOnly);
    harness.runtime.script(new.id, |script| script.observation = None);
    let operation = harness.accept(Subject::Existing(new.id), Params::Create(create::Params {})).await;
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded);
    assert_eq!(harness.store.credentials(new.id).await.unwrap().roles(), Roles::Platform);
    harness.finish().await;
}
