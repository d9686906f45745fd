//! Notices about instances.

use toygres_domain::{
    instance::{HealthStatus, Instance},
    notice::NoticeCode,
};

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
