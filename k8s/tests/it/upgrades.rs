//! Upgrades: with the containers of the Job as programs of this machine, and what goes wrong with its pod.

use std::time::Duration;

use toygres_domain::{
    OperationId,
    data::Data,
    instance::{InstanceSpec, PostgresVersion, ReasonCode},
    operation::OperationKind,
    runtime::{Deployment, Progress, Runtime, RuntimeError},
    upgrade::Upgrade,
};
use toygres_k8s::{KubernetesRuntime, Settings, build::names, settings::EndpointHost};
use toygres_postgres::contract::{self, NoHooks, Subject};

use crate::{
    fake::{FakeApiServer, Scenario, complete_versions},
    fixture,
    nudging::{deaths, received},
    steps::deploy_until_ready,
};

/// From the version of this machine to one with a complete installation, in pods that are servers of this machine.
#[tokio::test(flavor = "multi_thread")]
async fn upgrades_keep_the_contract() {
    let versions: Vec<_> = complete_versions().into_iter().map(PostgresVersion).collect();
    let (from, to) = (versions[0], *versions.iter().max().unwrap());
    assert!(from < to, "there is no complete installation of a newer version: run scripts/install-test-postgres, and set TOYGRES_TEST_POSTGRES");
    let server = FakeApiServer::start_real().await;
    let settings = Settings { endpoint_host: Some(EndpointHost::ClusterIp), versions: vec![to, from], ..Settings::default() };
    let runtime = server.runtime_with(settings);
    let subject = Subject { runtime: &runtime, deployment: &fixture::another, hooks: &NoHooks, timeout: Duration::from_secs(120) };
    contract::check_upgrades(subject, from, to).await;
}

/// An instance of 17 that has run, and its upgrade to 18.
async fn running(server: &FakeApiServer, runtime: &KubernetesRuntime) -> (Deployment, Deployment, Upgrade) {
    let mut former = fixture::another("upgraded");
    deploy_until_ready(server, runtime, &former).await;
    former.data = Data::Existing(runtime.volume(former.id).await.unwrap());
    let spec = InstanceSpec { postgres_version: PostgresVersion(18), ..former.spec.clone() };
    let operation = OperationId::new(OperationKind::Upgrade, former.id, 2);
    let upgrade = Upgrade { operation, from: PostgresVersion(17), to: PostgresVersion(18), check_only: false, timeout: Duration::from_secs(60) };
    (former.clone(), Deployment { spec, closed: true, ..former }, upgrade)
}

async fn until_done(server: &FakeApiServer, verb: impl AsyncFn() -> Result<Progress, RuntimeError>) {
    server
        .wait_for("the end of the upgrade", || async {
            match verb().await {
                Ok(Progress::Done) => Some(()),
                Ok(Progress::InProgress(_)) => None,
                Err(error) => {
                    assert!(error.retryable, "{error:?}");
                    None
                }
            }
        })
        .await;
}

#[tokio::test]
async fn the_pod_of_the_new_version_is_closed_until_it_is_confirmed() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let (_, new, upgrade) = running(&server, &runtime).await;
    until_done(&server, async || runtime.upgrade(&new, &upgrade).await).await;
    assert!(server.object("jobs", &names::upgrade(new.id)).is_none(), "the Job is gone");
    runtime.deploy(&new).await.unwrap();
    let set = server.object("statefulsets", &names::object(new.id)).unwrap();
    assert_eq!(set["spec"]["template"]["spec"]["containers"][0]["image"], "postgres:18-trixie");
    let rules = || server.object("secrets", &names::object(new.id)).unwrap()["data"]["pg_hba.conf"].clone();
    let closed = rules();
    runtime.deploy(&Deployment { closed: false, ..new.clone() }).await.unwrap();
    assert!(closed.is_string() && closed != rules(), "clients are let in");
}

/// The pod of the Job that cannot start says why, is no death of the server, and the former pod comes back.
#[tokio::test]
async fn a_job_that_does_not_start_says_why_and_is_reverted() {
    let server = FakeApiServer::start().await;
    let runtime = server.runtime();
    let (former, new, upgrade) = running(&server, &runtime).await;
    let mut nudges = runtime.nudges();
    server.set_scenario(Scenario::Quota);
    let reason = server
        .wait_for("the reason", || async {
            match runtime.upgrade(&new, &upgrade).await {
                Ok(Progress::InProgress(reason)) if reason.code == ReasonCode::QuotaExceeded => Some(reason),
                _ => None,
            }
        })
        .await;
    assert!(reason.message.contains("exceeded quota"), "{reason:?}");
    server.set_scenario(Scenario::Running);
    until_done(&server, async || runtime.revert_upgrade(&former, &upgrade).await).await;
    server.wait_for("the former pod", || async { server.object("pods", &names::pod(former.id)) }).await;
    let set = server.object("statefulsets", &names::object(former.id)).unwrap();
    assert_eq!((&set["spec"]["template"]["spec"]["containers"][0]["image"], &set["spec"]["replicas"]), (&"postgres:17-trixie".into(), &1.into()));
    assert_eq!(deaths(&received(&mut nudges).await, former.id), 0);
}
