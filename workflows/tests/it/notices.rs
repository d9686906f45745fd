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

/// Of the databases of the owner, who is told what to run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collation_that_has_changed_is_a_notice_until_it_is_refreshed() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let healthy = eventually("it is healthy", || async { Some(harness.instance(id).await).filter(|now| now.health == HealthStatus::Healthy) }).await;
    let (database, role) = (format!("{}_icu", harness.database.name()), format!("{}_app", harness.database.name()));
    harness
        .database
        .run(&format!("CREATE DATABASE {database} OWNER {role} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'"))
        .await;
    harness.database.run(&format!("UPDATE pg_database SET datcollversion = '0' WHERE datname = '{database}'")).await;
    let code = NoticeCode::CollationVersionMismatch;
    let changed = checked(&harness, &healthy, "there is a notice", |now| now.has_notice(code)).await;
    let message = &changed.notices.iter().find(|notice| notice.code == code).unwrap().message;
    assert!(message.contains(&format!("{database} (0, now ")) && message.contains("REINDEX DATABASE"), "{message}");
    assert_eq!((changed.health, &changed.reason), (HealthStatus::Healthy, &None));

    harness.database.run(&format!("ALTER DATABASE {database} REFRESH COLLATION VERSION")).await;
    checked(&harness, &changed, "the notice is gone", |now| !now.has_notice(code)).await;
    harness.assert_no_outage("a changed collation", id).await;
    harness.database.run(&format!("DROP DATABASE {database}")).await;
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

/// A server of an earlier release may carry out a creation that this one accepted: it makes no roles of the platform, and nothing may say that
/// there are some.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platform_has_passwords_when_an_instance_is_deployed_with_them() {
    let harness = Harness::start().await;
    let new = harness.new_instance();
    // No other server works on it meanwhile.
    let lock = harness.store.lock_instance(new.id).await.unwrap();
    let operation = harness.create(&new).await;
    assert_eq!(harness.store.credentials(new.id).await.unwrap().roles(), Roles::OwnerOnly, "it is only accepted");
    drop(lock);
    assert_eq!(harness.finished(&operation).await.status, OperationStatus::Succeeded);
    assert_eq!(harness.store.credentials(new.id).await.unwrap().roles(), Roles::Platform);
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
