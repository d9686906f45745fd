//! A crash of the control plane at every API call, before and after the server has handled it; then the same verb again by a new
//! control plane.

use toygres_domain::{
    instance::ReasonCode,
    runtime::{Deployment, Progress, Runtime},
};
use toygres_k8s::{KubernetesRuntime, build::names};

use crate::{
    addresses::{added, removed},
    fake::{Crash, FakeApiServer},
    fixture,
    resizes::resize,
    steps::{deploy_until_ready, remove_until_done, restart, restart_until_done, restore_until_done, suspend_until_done, suspension, until_ready},
};

#[tokio::test]
async fn deploy_survives_a_crash_at_every_call() {
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &fixture::another("orders"), Start::Nothing, Verb::Deploy).await;
        assert!(crashes >= 7, "{crashes} calls are too few to be a deploy");
    }
}

#[tokio::test]
async fn a_change_of_an_immutable_field_survives_a_crash_at_every_call() {
    let mut grown = fixture::another("orders");
    grown.spec.storage_gb = 5;
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &grown, Start::Smaller, Verb::Deploy).await;
        assert!(crashes >= 10, "{crashes} calls are too few to create the StatefulSet again");
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
async fn restart_survives_a_crash_at_every_call() {
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &fixture::another("orders"), Start::Deployed, Verb::Restart).await;
        assert!(crashes >= 6, "{crashes} calls are too few to be a restart");
    }
}

#[tokio::test]
async fn suspend_survives_a_crash_at_every_call() {
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &fixture::another("orders"), Start::Deployed, Verb::Suspend).await;
        assert!(crashes >= 7, "{crashes} calls are too few to be a suspension");
    }
}

#[tokio::test]
async fn resize_survives_a_crash_at_every_call() {
    let mut grown = fixture::another("orders");
    (grown.spec.cpu_millis, grown.spec.memory_mb, grown.spec.storage_gb) = (300, 512, 5);
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &grown, Start::Smaller, Verb::Resize).await;
        assert!(crashes >= 10, "{crashes} calls are too few to create the StatefulSet again");
    }
}

/// The Service of the new name is made, that of the former one is removed, and the pod is not touched.
#[tokio::test]
async fn rename_survives_a_crash_at_every_call() {
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &fixture::another("orders"), Start::Deployed, Verb::Rename).await;
        assert!(crashes >= 7, "{crashes} calls are too few to be a rename");
    }
}

/// What is half restored is found too, and removed.
#[tokio::test]
async fn restore_survives_a_crash_at_every_call() {
    for when in [Crash::Before, Crash::After] {
        let crashes = each_call(when, &fixture::another("orders"), Start::Nothing, Verb::Restore).await;
        assert!(crashes >= 12, "{crashes} calls are too few to be a restoration");
        let crashes = each_call(when, &fixture::another("orders"), Start::Restoring, Verb::Remove { keep: false }).await;
        assert!(crashes >= 12, "{crashes} calls are too few to be a removal");
    }
}

#[tokio::test]
async fn what_a_crashed_deploy_left_is_found_and_removed() {
    for n in 0..32 {
        let server = FakeApiServer::start().await;
        let deployment = fixture::another("orders");
        server.crash_at(n, Crash::After);
        if !crashes(&server, &deployment, Verb::Deploy).await {
            assert!(n >= 7);
            return;
        }
        let runtime = server.runtime();
        let left = !server.object_names().is_empty();
        assert_eq!(runtime.list().await.unwrap(), if left { vec![deployment.id] } else { Vec::new() }, "after call {n}");
        remove_until_done(&server, &runtime, &deployment, false).await;
        assert!(server.object_names().is_empty(), "a crash at call {n} leaves {:?}", server.object_names());
    }
    panic!("deploy makes too many calls");
}

#[tokio::test]
async fn a_deploy_that_a_removal_overtook_fails() {
    // The fourth call applies the Secret. By then another control plane has removed all objects.
    let server = FakeApiServer::start().await;
    let deployment = fixture::another("orders");
    let policy = names::object(deployment.id);
    server.interfere_at(3, move |cluster| {
        cluster.remove("services", "orders");
        cluster.remove("networkpolicies", &policy);
    });
    let runtime = server.runtime();
    let overtaken = runtime.deploy(&deployment).await.unwrap_err();
    assert_eq!(overtaken.reason.code, ReasonCode::Superseded);
    assert_eq!(runtime.list().await.unwrap(), [deployment.id], "what it created is found");
    remove_until_done(&server, &runtime, &deployment, false).await;
    assert!(server.object_names().is_empty());
}

#[derive(Clone, Copy)]
enum Start {
    Nothing,
    Restoring,
    Smaller,
    Deployed,
}

#[derive(Clone, Copy)]
enum Verb {
    Deploy,
    Restore,
    Remove {
        keep: bool,
    },
    Restart,
    Suspend,
    Resize,
    /// To [`RENAMED`].
    Rename,
}

const RENAMED: &str = "invoices";

/// Crashes at the first call, then at the second, and so on; returns the number of calls.
async fn each_call(when: Crash, deployment: &Deployment, start: Start, verb: Verb) -> usize {
    for n in 0..64 {
        let server = FakeApiServer::start().await;
        match start {
            Start::Nothing => {}
            Start::Restoring => {
                server.cluster(|cluster| cluster.jobs_held = true);
                let begun = restoring(&server).restore(deployment, &fixture::restoration()).await.unwrap();
                assert!(matches!(begun, Progress::InProgress(_)), "{begun:?}");
            }
            Start::Deployed => drop(deploy_until_ready(&server, &server.runtime(), deployment).await),
            Start::Smaller => {
                let mut smaller = deployment.clone();
                smaller.spec = fixture::deployment().spec;
                deploy_until_ready(&server, &server.runtime(), &smaller).await;
            }
        }
        server.crash_at(n, when);
        let crashed = crashes(&server, deployment, verb).await;
        finish(&server, deployment, verb).await;
        if !crashed {
            return n;
        }
    }
    panic!("the verb makes too many calls");
}

/// A control plane that can restore instances.
fn restoring(server: &FakeApiServer) -> KubernetesRuntime {
    server.runtime_with(fixture::restoring())
}

/// Runs the verb until it is done or its caller has crashed; returns whether it has.
async fn crashes(server: &FakeApiServer, deployment: &Deployment, verb: Verb) -> bool {
    let runtime = server.runtime();
    tokio::select! {
        // Dropping the future interrupts the verb, as a kill does.
        () = server.crashed() => {}
        () = run(server, &runtime, deployment, verb) => {}
    }
    server.clear_crash()
}

async fn run(server: &FakeApiServer, runtime: &KubernetesRuntime, deployment: &Deployment, verb: Verb) {
    match verb {
        Verb::Deploy => runtime.deploy(deployment).await.unwrap(),
        Verb::Restore => drop(restore_until_done(server, &restoring(server), deployment, &fixture::restoration()).await),
        Verb::Restart => restart_until_done(server, runtime, deployment, &restart(deployment, 2)).await,
        Verb::Suspend => suspend_until_done(server, runtime, deployment, &suspension(deployment, 2)).await,
        Verb::Resize => resize(server, runtime, deployment, "").await.unwrap(),
        Verb::Rename => {
            let renamed = Deployment { name: RENAMED.parse().unwrap(), ..deployment.clone() };
            added(server, runtime, &renamed).await;
            removed(server, runtime, &renamed).await;
            added(server, runtime, &renamed).await;
        }
        Verb::Remove { keep } => remove_until_done(server, runtime, deployment, keep).await,
    }
}

/// Runs the verb again and checks the result.
async fn finish(server: &FakeApiServer, deployment: &Deployment, verb: Verb) {
    let runtime = server.runtime();
    run(server, &runtime, deployment, verb).await;
    let id = deployment.id;
    match verb {
        Verb::Deploy | Verb::Restart | Verb::Resize => {
            until_ready(server, &runtime, deployment).await;
            let expected = [
                format!("networkpolicies/{}", names::object(id)),
                format!("persistentvolumeclaims/{}", names::claim(id)),
                format!("pods/{}", names::pod(id)),
                format!("secrets/{}", names::object(id)),
                "services/orders".to_owned(),
                format!("services/{}", names::headless_service(id)),
                format!("statefulsets/{}", names::object(id)),
            ];
            assert_eq!(server.object_names(), expected.into());
            if matches!(verb, Verb::Restart | Verb::Resize) {
                assert_eq!(server.cluster(|cluster| cluster.created("pods")), 2, "it is restarted once");
                runtime.deploy(deployment).await.unwrap();
                let set = server.object("statefulsets", &names::object(id)).unwrap();
                let record = set["metadata"]["annotations"]["toygres.io/restarts"].as_str().unwrap_or_default();
                assert!(record.contains('='), "the end of the former pod is on record: {record:?}");
            }
            let size = &server.object("persistentvolumeclaims", &names::claim(id)).unwrap()["spec"]["resources"]["requests"]["storage"];
            assert_eq!(*size, format!("{}Gi", deployment.spec.storage_gb));
        }
        Verb::Restore => {
            let expected = [format!("networkpolicies/{}", names::object(id)), format!("persistentvolumeclaims/{}", names::claim(id))];
            assert_eq!(server.object_names(), expected.into());
            assert_eq!(server.cluster(|cluster| cluster.created("jobs")), 1, "it is restored once");
            assert_eq!(runtime.list().await.unwrap(), [id]);
        }
        Verb::Rename => {
            assert_eq!(server.names("services"), [RENAMED.to_owned(), names::headless_service(id)]);
            assert_eq!(server.cluster(|cluster| cluster.created("pods")), 1, "the pod is the same");
            let endpoint = until_ready(server, &runtime, deployment).await;
            assert_eq!(endpoint.host, format!("{RENAMED}.toygres-instances.svc.cluster.local"));
        }
        Verb::Suspend => {
            assert!(!server.object_names().contains(&format!("pods/{}", names::pod(id))), "no pod is left");
            runtime.deploy(deployment).await.unwrap();
            until_ready(server, &runtime, deployment).await;
        }
        Verb::Remove { keep: false } => assert!(server.object_names().is_empty(), "{:?}", server.object_names()),
        Verb::Remove { keep: true } => assert_eq!(server.object_names(), [format!("persistentvolumeclaims/{}", names::claim(id))].into()),
    }
}
