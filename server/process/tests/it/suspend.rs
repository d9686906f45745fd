//! Suspensions on local processes: what the contract of every runtime cannot reach.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use toygres_domain::{
    InstanceId, OperationId,
    data::Data,
    drift::Expected,
    instance::{Endpoint, ReasonCode},
    operation::OperationKind,
    runtime::{Deployment, Observation, Progress, Runtime, Suspension},
};
use toygres_postgres::contract::Hooks;
use toygres_process::Role;

use crate::{
    control_plane::ControlPlane,
    crash_loop::crash_loop,
    home::{Home, TIMEOUT},
};

/// The variables that tell the victim of the crash test where and what to suspend.
const VICTIM: &str = "TOYGRES_TEST_SUSPEND_VICTIM";
const INSTANCE: &str = "TOYGRES_TEST_SUSPEND_INSTANCE";

fn suspension(id: InstanceId, n: i64) -> Suspension {
    Suspension { operation: OperationId::new(OperationKind::Suspend, id, n), timeout: TIMEOUT }
}

async fn suspend(host: &ControlPlane, deployment: &Deployment, n: i64) {
    let expected = Expected { suspended: true, ..Expected::from(deployment) };
    let deadline = Instant::now() + TIMEOUT;
    while let Progress::InProgress(reason) = host.runtime.suspend(&expected, &suspension(deployment.id, n)).await.unwrap() {
        assert!(Instant::now() < deadline, "not suspended: {reason:?}");
    }
}

async fn is_suspended(host: &ControlPlane, id: InstanceId) -> bool {
    matches!(host.runtime.observe(id).await, Ok(Observation::Pending(reason)) if reason.code == ReasonCode::Suspended)
}

/// A checksum over a table.
const CHECKSUM: &str = "SELECT md5(string_agg(a || b, ',' ORDER BY a)) FROM orders";

fn fill(home: &Home, deployment: &Deployment, endpoint: &Endpoint) -> String {
    home.query(deployment, endpoint, "CREATE TABLE orders AS SELECT a, md5(a::text) AS b FROM generate_series(1, 10000) AS a");
    home.query(deployment, endpoint, CHECKSUM)
}

/// Neither a restart of the control plane, nor one of the machine (after which no process is left), nor a guest starts it.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_instance_stays_stopped_after_restarts_of_the_control_plane() {
    let home = Home::new();
    let host = home.host();
    let (deployment, other) = (home.deployment("suspended"), home.deployment("other"));
    let endpoint = host.deploy(&deployment).await;
    let sum = fill(&home, &deployment, &endpoint);
    suspend(&host, &deployment, 2).await;
    let log = std::fs::read_to_string(home.instance(deployment.id).join("log")).unwrap();
    assert!(log.trim_end().ends_with("database system is shut down"), "it is stopped cleanly: {log}");
    host.deploy(&other).await;
    host.stop().await;

    for guest in [false, true] {
        let host = home.host();
        let guest = guest.then(|| home.guest());
        // It starts the other one, and has seen this one by then.
        host.ready(other.id).await;
        assert!(is_suspended(&host, deployment.id).await);
        assert_eq!(home.pid(deployment.id), None, "it is not started");
        assert!(!home.instance(deployment.id).join("crash-loop").exists());
        if let Some(guest) = guest {
            assert!(is_suspended(&guest, deployment.id).await);
            guest.stop().await;
        }
        host.stop().await;
    }
    let host = home.host();
    assert_eq!(host.deploy(&deployment).await, endpoint);
    assert_eq!(home.query(&deployment, &endpoint, CHECKSUM), sum);
    host.stop().await;
}

/// A server in a crash loop is suspended, and resumed without the back-off.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_ends_with_a_suspension() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("crashing");
    crash_loop(&home, &host, &deployment).await;
    let mut nudges = host.runtime.nudges();
    suspend(&host, &deployment, 2).await;
    assert!(is_suspended(&host, deployment.id).await);
    assert!(!home.instance(deployment.id).join("crash-loop").exists());
    while let Ok(Some(nudge)) = tokio::time::timeout(Duration::from_millis(500), nudges.next()).await {
        assert_eq!(nudge.death, None);
    }
    host.deploy(&Deployment { data: Data::Existing(None), ..deployment.clone() }).await;
    host.stop().await;
}

/// Somebody starts it with PostgreSQL's own tools: it is stopped again.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_somebody_starts_is_stopped() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("started");
    let endpoint = host.deploy(&deployment).await;
    let sum = fill(&home, &deployment, &endpoint);
    suspend(&host, &deployment, 2).await;
    let suspended = Deployment { suspended: true, ..deployment.clone() };
    std::fs::remove_file(home.instance(deployment.id).join("suspended")).unwrap();
    host.ready(deployment.id).await;
    let found = host.runtime.inspect(&[Expected::from(&suspended)]).await.unwrap();
    let said: Vec<_> = found.iter().flat_map(|found| &found.drift).map(ToString::to_string).collect();
    assert_eq!(said, [format!("the server {} was started", deployment.id)]);
    host.runtime.repair(&suspended).await.unwrap();
    assert!(is_suspended(&host, deployment.id).await && home.pid(deployment.id).is_none());
    host.deploy(&deployment).await;
    assert_eq!(home.query(&deployment, &endpoint, CHECKSUM), sum);
    host.stop().await;
}

/// The control plane of `a_crash_during_a_suspension_is_finished`, which kills it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as a process of its own"]
async fn victim() {
    let (Some(directory), Ok(id)) = (std::env::var_os(VICTIM), std::env::var(INSTANCE)) else { return };
    let (id, n) = id.split_once(' ').unwrap();
    let home = Home::over(Path::new(&directory));
    let lock = Arc::new(home.data.try_host().unwrap().expect("the last one is dead"));
    let host = home.control_plane(Role::Host(lock));
    let deployment = Deployment { id: id.parse().unwrap(), ..home.deployment("victim") };
    suspend(&host, &deployment, n.parse().unwrap()).await;
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_during_a_suspension_is_finished() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("victim");
    let endpoint = host.deploy(&deployment).await;
    let sum = fill(&home, &deployment, &endpoint);
    host.crash().await;
    for round in 0..8_i64 {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "suspend::victim", "--ignored"])
            .envs([(VICTIM, home.data.path().to_str().unwrap()), (INSTANCE, &format!("{} {round}", deployment.id))])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20 * round.unsigned_abs() + 10)).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
        home.until("the victim is dead", || home.data.try_host().unwrap().is_some()).await;
        let host = home.host();
        suspend(&host, &deployment, round).await;
        assert!(is_suspended(&host, deployment.id).await && home.pid(deployment.id).is_none(), "round {round}");
        let seen = home.server_start_time(&deployment, &host.deploy(&deployment).await).await;
        assert!(seen.is_some());
        assert_eq!(home.query(&deployment, &endpoint, CHECKSUM), sum, "round {round}");
        host.crash().await;
    }
}
