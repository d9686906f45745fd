//! Another name or exposure of an instance that runs. What clients see of it is in the tests of the server.

use std::task::Poll;

use toygres_domain::{
    Error, InstanceId, UserErrorCode,
    instance::{Exposure, Instance},
    name::InstanceName,
    notice::NoticeCode,
    operation::{Params, create, restart},
};
use toygres_store::{InstanceUpdate, NewInstance, Subject};
use toygres_workflows::addresses::change;

use crate::support::{Harness, away, concurrently, eventually, timing};

fn named(name: &str) -> InstanceUpdate {
    InstanceUpdate { name: Some(name.parse().unwrap()), is_addressed: true, ..InstanceUpdate::default() }
}

async fn rename(harness: &Harness, id: InstanceId, name: &str) -> Result<Instance, Error> {
    harness.store.update_instance(id, &named(name)).await
}

/// The code and the message of a refusal.
fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (UserErrorCode, String) {
    let Err(Error::User(errors)) = outcome else { panic!("it is not refused: {outcome:?}") };
    (errors[0].code, errors[0].message.clone())
}

async fn create_named(harness: &Harness, name: &InstanceName) -> Result<(), Error> {
    let new = NewInstance { name: name.clone(), ..harness.new_instance() };
    let params = Params::Create(create::Params {});
    harness.try_accept(Subject::New(&new), &params, timing().operation).await.map(drop)
}

async fn until_changed(harness: &Harness) {
    eventually("the addresses are changed", || async { (change(&harness.context).await.unwrap() == 0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_former_address_stays_until_the_new_one_works_and_its_name_is_taken_meanwhile() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let former = harness.instance(id).await;
    let deployments = harness.runtime.deployments(id);
    harness.runtime.script(id, |script| script.addressing = (2, 2));

    let renamed = rename(&harness, id, "renamed").await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.address()), ("renamed", former.wanted_address()));
    assert_eq!((&renamed.endpoint, &renamed.first_name), (&former.endpoint, &former.name));
    assert!(renamed.has_notice(NoticeCode::AddressChanging));
    for _ in 0..2 {
        assert_eq!(change(&harness.context).await.unwrap(), 1);
        assert_eq!(harness.instance(id).await.address().name, former.name, "the new one does not work yet");
    }
    for _ in 0..2 {
        assert_eq!(change(&harness.context).await.unwrap(), 1);
        let now = harness.instance(id).await;
        assert_eq!((now.address().name.as_str(), now.former_address.is_some()), ("renamed", true), "the former one is not removed yet");
        let (code, message) = refusal(create_named(&harness, &former.name).await);
        assert!(code == UserErrorCode::NameTaken && message.contains("'renamed'"), "{message}");
    }
    assert_eq!(change(&harness.context).await.unwrap(), 0);
    let now = harness.instance(id).await;
    assert_eq!((now.former_address.clone(), now.notices.len(), &now.first_name), (None, 0, &former.name));
    assert_eq!(harness.runtime.addresses(id), ["renamed".to_owned()].into());
    assert_eq!(harness.runtime.deployments(id), deployments, "nothing was deployed");
    create_named(&harness, &former.name).await.unwrap();
    let (code, _) = refusal(rename(&harness, id, former.name.as_str()).await);
    assert_eq!(code, UserErrorCode::NameTaken);
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_address_counts_and_what_fails_is_repeated() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    let first = harness.instance(id).await.name;
    harness.runtime.script(id, |script| script.addressing = (0, u32::MAX));
    rename(&harness, id, "second").await.unwrap();
    assert_eq!(change(&harness.context).await.unwrap(), 1);
    assert_eq!(harness.instance(id).await.address().name.as_str(), "second");
    // The addresses of both are there, and the third is chosen.
    rename(&harness, id, "third").await.unwrap();
    assert_eq!(harness.instance(id).await.address().name.as_str(), "second", "clients use it until the third works");
    for name in [first.as_str(), "second", "third"] {
        let (code, _) = refusal(create_named(&harness, &name.parse().unwrap()).await);
        assert_eq!(code, UserErrorCode::NameTaken, "{name}");
    }
    harness.runtime.script(id, |script| (script.addressing, script.error) = ((0, 0), Some((u32::MAX, away()))));
    for _ in 0..2 {
        assert_eq!(change(&harness.context).await.unwrap(), 1);
        let notices = harness.instance(id).await.notices;
        assert!(notices[0].message.contains("the host is away"), "{notices:?}");
    }
    harness.runtime.script(id, |script| script.error = None);
    until_changed(&harness).await;
    let now = harness.instance(id).await;
    assert_eq!((now.address().name.as_str(), now.former_address.clone(), now.first_name), ("third", None, first.clone()));
    assert_eq!(harness.runtime.addresses(id), ["third".to_owned()].into());

    // There and back before anything was done, and another exposure of the same name.
    rename(&harness, id, "fourth").await.unwrap();
    rename(&harness, id, "third").await.unwrap();
    until_changed(&harness).await;
    let exposure = Exposure::LoadBalancer { source_ranges: vec!["203.0.113.0/24".to_owned()], dns_label: None };
    let opened =
        InstanceUpdate { exposure: Some(exposure.clone()), is_addressed: true, require_tls_behind_load_balancer: true, ..InstanceUpdate::default() };
    let opened = harness.store.update_instance(id, &opened).await.unwrap();
    assert_eq!((opened.spec.require_tls, opened.address().exposure), (true, Exposure::Cluster));
    until_changed(&harness).await;
    assert_eq!(harness.instance(id).await.address().exposure, exposure);
    let closed = InstanceUpdate { exposure: Some(Exposure::Cluster), is_addressed: true, ..InstanceUpdate::default() };
    assert!(harness.store.update_instance(id, &closed).await.unwrap().spec.require_tls, "what was required stays required");
    until_changed(&harness).await;
    harness.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_and_a_change_of_the_address_do_not_mix() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.runtime.script(id, |script| script.addressing = (0, 0));
    rename(&harness, id, "renamed").await.unwrap();
    harness.runtime.hold(id);
    let restart = harness.accept(Subject::Existing(id), Params::Restart(restart::Params { timeout_seconds: 60 })).await;
    eventually("the restart has begun", || async {
        let calls = harness.hooks.calls(id);
        calls.iter().any(|call| !call.is_background() && call.nth > 0).then_some(())
    })
    .await;
    assert_eq!(change(&harness.context).await.unwrap(), 1, "its turn comes when the instance runs");
    let (code, message) = refusal(rename(&harness, id, "again").await);
    assert!(code == UserErrorCode::Conflict && message.contains("running or suspended"), "{message}");
    harness.runtime.release(id);
    harness.finished(&restart).await;
    until_changed(&harness).await;
    assert_eq!(harness.instance(id).await.address().name.as_str(), "renamed");
    harness.finish().await;
}

/// Half of them rename an instance to the name, half of them create one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_gets_a_name() {
    let harness = Harness::start().await;
    let instances = [harness.running().await, harness.running().await, harness.running().await];
    let taken = harness.instance(instances[0]).await.name;
    let wins = std::sync::Mutex::new(Vec::new());
    // The name is given up at the same time.
    concurrently(0..7, async |n: usize| {
        let outcome = match n {
            0 => rename(&harness, instances[0], "elsewhere").await.map(drop),
            1 | 2 => rename(&harness, instances[n], taken.as_str()).await.map(drop),
            _ => create_named(&harness, &taken).await,
        };
        match outcome {
            Ok(()) => wins.lock().unwrap().push(n),
            Err(error) => assert_eq!(refusal::<()>(Err(error)).0, UserErrorCode::NameTaken),
        }
    })
    .await;
    assert_eq!(wins.into_inner().unwrap(), [0], "clients still reach the first by the name");
    until_changed(&harness).await;
    rename(&harness, instances[1], taken.as_str()).await.unwrap();
    until_changed(&harness).await;
    harness.finish().await;
}

/// Clients reach the instance by the address that its row says, whatever else has happened.
async fn assert_reachable(harness: &Harness, id: InstanceId, case: &str) {
    let (now, there) = (harness.instance(id).await, harness.runtime.addresses(id));
    let by_former = now.address().name == now.first_name;
    assert!(by_former || there.contains(now.address().name.as_str()), "{case}: {:?} of {there:?}", now.address());
}

/// At the end the instance has the new name, and nothing of the former one is left.
async fn assert_renamed(harness: &Harness, id: InstanceId, name: &str, case: &str) {
    until_changed(harness).await;
    let now = harness.instance(id).await;
    assert_eq!((now.address().name.as_str(), now.former_address, now.notices.len()), (name, None, 0), "{case}");
    assert_eq!(harness.runtime.addresses(id), [name.to_owned()].into(), "{case}");
    create_named(harness, &now.first_name).await.unwrap_or_else(|error| panic!("{case}: its former name is free: {error:?}"));
}

/// A rename is no operation, so the suite of operations does not have it. Each call of the host fails once, before and after it has done its
/// work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_host_may_fail_during_a_rename() {
    let harness = Harness::start().await;
    // It adds the new address, removes the former one, and gives the new one what only one address can have.
    for (call, works) in (0..3).flat_map(|call| [(call, false), (call, true)]) {
        let (case, name) = (format!("call {call}, works: {works}"), format!("renamed-{call}-{works}"));
        let id = harness.running().await;
        harness.runtime.script(id, |script| (script.addressing, script.address_fault) = ((0, 0), Some((call, works))));
        rename(&harness, id, &name).await.unwrap();
        assert_eq!(change(&harness.context).await.unwrap(), 1, "{case}");
        let notices = harness.instance(id).await.notices;
        assert!(notices.len() == 1 && notices[0].message.contains("the host is away"), "{case}: {notices:?}");
        assert_reachable(&harness, id, &case).await;
        assert_renamed(&harness, id, &name, &case).await;
    }
    harness.finish().await;
}

/// Every server makes attempts, at the same time as others, and may be killed at any point of one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rename_may_be_attempted_twice_and_be_interrupted_at_every_point() {
    let harness = Harness::start().await;
    let id = harness.running().await;
    harness.runtime.script(id, |script| script.addressing = (0, 0));
    rename(&harness, id, "twice").await.unwrap();
    let (first, second) = tokio::join!(change(&harness.context), change(&harness.context));
    assert_eq!((first.unwrap(), second.unwrap()), (0, 0));
    assert_renamed(&harness, id, "twice", "twice").await;

    // The attempt is dropped when it waits for the nth time.
    let mut is_complete = false;
    for n in 1..200 {
        let (case, name) = (format!("interrupted at {n}"), format!("renamed-{n}"));
        let id = harness.running().await;
        harness.runtime.script(id, |script| script.addressing = (0, 0));
        rename(&harness, id, &name).await.unwrap();
        is_complete = {
            let mut attempt = Box::pin(change(&harness.context));
            let mut left = n;
            std::future::poll_fn(|context| match attempt.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(outcome.is_ok()),
                Poll::Pending if left == 0 => Poll::Ready(false),
                Poll::Pending => {
                    left -= 1;
                    Poll::Pending
                }
            })
            .await
        };
        assert_reachable(&harness, id, &case).await;
        assert_renamed(&harness, id, &name, &case).await;
        if is_complete {
            break;
        }
    }
    assert!(is_complete, "an attempt ends");
    harness.finish().await;
}
