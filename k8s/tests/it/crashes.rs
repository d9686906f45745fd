//! A crash of the control plane at every single API call, before and after the server acted; then the same verb again, by a
//! control plane that remembers nothing.

use toygres_domain::{
    instance::ReasonCode,
    runtime::{Deployment, Runtime},
};
use toygres_k8s::{KubernetesRuntime, build::names};

use crate::{
    fake::{Crash, FakeApiServer},
    fixture,
    verbs::{bring_up, take_down, until_ready},
};

#[tokio::test]
async fn deploy_survives_a_crash_at_every_call() {
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &fixture::another("orders"), Start::Nothing, Verb::Deploy).await;
        assert!(crashes >= 7, "{crashes} calls are too few to be a deploy");
    }
}

#[tokio::test]
async fn a_change_of_what_is_fixed_survives_a_crash_at_every_call() {
    let mut grown = fixture::another("orders");
    grown.spec.storage_gb = 5;
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &grown, Start::Smaller, Verb::Deploy).await;
        assert!(crashes >= 10, "{crashes} calls are too few to make the set anew");
    }
}

#[tokio::test]
async fn remove_survives_a_crash_at_every_call() {
    for keep in [false, true] {
        for when in [Crash::Before, Crash::After] {
            let crashes = each_call(when, &fixture::another("orders"), Start::Deployed, Verb::Remove { keep }).await;
            assert!(crashes >= 10, "{crashes} calls are too few to be a removal");
        }
    }
}

#[tokio::test]
async fn what_a_crashed_deploy_left_is_found_and_removed() {
    for n in 0..32 {
        let double = FakeApiServer::start().await;
        let deployment = fixture::another("orders");
        double.crash_at(n, Crash::After);
        if !crashes(&double, &deployment, Verb::Deploy).await {
            assert!(n >= 7);
            return;
        }
        let runtime = double.runtime();
        let left = !double.everything().is_empty();
        assert_eq!(runtime.list().await.unwrap(), if left { vec![deployment.id] } else { Vec::new() }, "after call {n}");
        take_down(&double, &runtime, &deployment, false).await;
        assert!(double.everything().is_empty(), "a crash at call {n} leaves {:?}", double.everything());
    }
    panic!("deploy makes calls without end");
}

#[tokio::test]
async fn a_deploy_that_a_removal_overtook_does_not_pass_for_one() {
    // The fourth call applies the Secret. By then another server has removed all there was, down to the last object.
    let double = FakeApiServer::start().await;
    let deployment = fixture::another("orders");
    let policy = names::object(deployment.id);
    double.interfere_at(3, move |world| {
        world.remove("services", "orders");
        world.remove("networkpolicies", &policy);
    });
    let runtime = double.runtime();
    let overtaken = runtime.deploy(&deployment).await.unwrap_err();
    assert_eq!(overtaken.reason.code, ReasonCode::Superseded);
    assert_eq!(runtime.list().await.unwrap(), [deployment.id], "what it made anew is found");
    take_down(&double, &runtime, &deployment, false).await;
    assert!(double.everything().is_empty());
}

#[derive(Clone, Copy)]
enum Start {
    Nothing,
    Smaller,
    Deployed,
}

#[derive(Clone, Copy)]
enum Verb {
    Deploy,
    Remove { keep: bool },
}

/// Crashes at the first call, then at the second, and so on until the verb needs no further one. Answers how many there were.
async fn each_call(when: Crash, deployment: &Deployment, start: Start, verb: Verb) -> usize {
    for n in 0..64 {
        let double = FakeApiServer::start().await;
        match start {
            Start::Nothing => {}
            Start::Deployed => drop(bring_up(&double, &double.runtime(), deployment).await),
            Start::Smaller => {
                let mut smaller = deployment.clone();
                smaller.spec.storage_gb = 1;
                bring_up(&double, &double.runtime(), &smaller).await;
            }
        }
        double.crash_at(n, when);
        let crashed = crashes(&double, deployment, verb).await;
        finish(&double, deployment, verb).await;
        if !crashed {
            return n;
        }
    }
    panic!("the verb makes calls without end");
}

/// Runs the verb until it is done or its caller has crashed; answers whether it has.
async fn crashes(double: &FakeApiServer, deployment: &Deployment, verb: Verb) -> bool {
    let runtime = double.runtime();
    tokio::select! {
        // What was begun is dropped where it stands, as by a kill.
        () = double.crashed() => {}
        () = run(double, &runtime, deployment, verb) => {}
    }
    double.uncrash()
}

async fn run(double: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, verb: Verb) {
    match verb {
        Verb::Deploy => runtime.deploy(deployment).await.unwrap(),
        Verb::Remove { keep } => take_down(double, runtime, deployment, keep).await,
    }
}

/// The verb again, and a look at whether all is as it should be.
async fn finish(double: &FakeApiServer, deployment: &Deployment, verb: Verb) {
    let runtime = double.runtime();
    run(double, &runtime, deployment, verb).await;
    let id = deployment.id;
    match verb {
        Verb::Deploy => {
            until_ready(double, &runtime, deployment).await;
            let expected = [
                format!("networkpolicies/{}", names::object(id)),
                format!("persistentvolumeclaims/{}", names::claim(id)),
                format!("pods/{}", names::pod(id)),
                format!("secrets/{}", names::object(id)),
                "services/orders".to_owned(),
                format!("services/{}", names::headless_service(id)),
                format!("statefulsets/{}", names::object(id)),
            ];
            assert_eq!(double.everything(), expected.into());
            let size = &double.object("persistentvolumeclaims", &names::claim(id)).unwrap()["spec"]["resources"]["requests"]["storage"];
            assert_eq!(*size, format!("{}Gi", deployment.spec.storage_gb));
        }
        Verb::Remove { keep: false } => assert!(double.everything().is_empty(), "{:?}", double.everything()),
        Verb::Remove { keep: true } => assert_eq!(double.everything(), [format!("persistentvolumeclaims/{}", names::claim(id))].into()),
    }
}
