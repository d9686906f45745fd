//! Planned restarts on local processes: what the contract of every runtime cannot reach.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use nix::sys::signal::Signal;
use toygres_domain::{
    InstanceId,
    instance::Endpoint,
    runtime::{Deployment, Observation, Progress, Runtime},
};
use toygres_postgres::contract::Hooks;
use toygres_process::Role;

use crate::{
    control_plane::{next_death, restart_of},
    home::{Home, TIMEOUT},
};

/// The variables that tell the victim of the crash test where and what to restart.
const VICTIM: &str = "TOYGRES_TEST_RESTART_VICTIM";
const INSTANCE: &str = "TOYGRES_TEST_RESTART_INSTANCE";

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_server_holds_up_nothing_else() {
    let home = Home::new();
    let host = home.host();
    let (suspended, other) = (home.deployment("suspended"), home.deployment("other"));
    host.deploy(&suspended).await;
    host.deploy(&other).await;
    assert!(home.suspend_server(suspended.id).await);
    let restart = restart_of(suspended.id, 2, Duration::from_secs(300));
    let answer = host.runtime.restart(suspended.id, &restart).await.unwrap();
    assert!(matches!(answer, Progress::InProgress(_)), "{answer:?}");
    let observation = host.runtime.observe(suspended.id).await.unwrap();
    assert!(matches!(observation, Observation::Pending(_)), "the old server is not ready: {observation:?}");
    let other_restart = restart_of(other.id, 2, TIMEOUT);
    // Another instance restarts while a call waits for this one, and this one can be removed.
    let begin = Instant::now();
    let (waiting, restarted) = tokio::join!(host.runtime.restart(suspended.id, &restart), host.restart(other.id, &other_restart));
    assert!(matches!(waiting, Ok(Progress::InProgress(_))), "{waiting:?}");
    restarted.unwrap();
    assert_eq!(host.runtime.remove(suspended.id, false).await, Ok(Progress::Done));
    assert!(begin.elapsed() < TIMEOUT / 2, "{:?}", begin.elapsed());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_restarts_and_the_host_sees_no_death() {
    let home = Home::new();
    let (host, guest) = (home.host(), home.guest());
    let deployment = home.deployment("guest");
    let endpoint = host.deploy(&deployment).await;
    let mut nudges = host.runtime.nudges();
    let before = home.server_start_time(&deployment, &endpoint).await;
    guest.restart(deployment.id, &restart_of(deployment.id, 2, TIMEOUT)).await.unwrap();
    let endpoint = host.ready(deployment.id).await;
    assert_ne!(home.server_start_time(&deployment, &endpoint).await, before);
    assert!(!home.instance(deployment.id).join("crash-loop").exists(), "no death is counted");
    while let Ok(Some(nudge)) = tokio::time::timeout(Duration::from_millis(500), nudges.next()).await {
        assert_eq!(nudge.death, None, "a planned restart is no death");
    }
    // The record of the restart does not hide a death.
    home.signal_instance(deployment.id, Signal::SIGKILL);
    next_death(&mut nudges, deployment.id).await;
    assert!(home.instance(deployment.id).join("crash-loop").exists());
    host.ready(deployment.id).await;
    guest.stop().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_nobody_continues_is_finished_by_the_host() {
    let home = Home::new();
    let first = home.host();
    let deployment = home.deployment("abandoned");
    let endpoint = first.deploy(&deployment).await;
    let before = home.server_start_time(&deployment, &endpoint).await;
    let pid = home.pid(deployment.id).unwrap();
    first.crash().await;
    // As after a crash between the record and the signal, a long time ago.
    let operation = restart_of(deployment.id, 2, TIMEOUT).operation;
    std::fs::write(home.instance(deployment.id).join("restart"), format!("{operation}\n{pid}\n-\n1000\nstopping\n")).unwrap();
    let second = home.host();
    let endpoint = second.ready(deployment.id).await;
    assert_ne!(home.server_start_time(&deployment, &endpoint).await, before);
    second.stop().await;
}

/// The control plane of `a_crash_during_a_restart_restarts_once`, which kills it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as a process of its own"]
async fn victim() {
    let (Some(directory), Ok(id)) = (std::env::var_os(VICTIM), std::env::var(INSTANCE)) else { return };
    let (id, n) = id.split_once(' ').unwrap();
    let id = id.parse().unwrap();
    let home = Home::over(Path::new(&directory));
    let lock = Arc::new(home.data.try_host().unwrap().expect("the last one is dead"));
    let host = home.control_plane(Role::Host(lock));
    eprintln!("restarting");
    let _ = host.restart(id, &restart_of(id, n.parse().unwrap(), TIMEOUT)).await;
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_during_a_restart_restarts_once() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("victim");
    let endpoint = host.deploy(&deployment).await;
    assert!(home.leave_mark(&deployment, &endpoint).await);
    host.crash().await;
    for round in 0..12_i64 {
        let (before, shutdowns) = (start_time(&home, &deployment, &endpoint).await, shutdowns(&home, deployment.id));
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "restart::victim", "--ignored"])
            .envs([(VICTIM, home.data.path().to_str().unwrap()), (INSTANCE, &format!("{} {round}", deployment.id))])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20 * round.unsigned_abs() + 10)).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
        home.until("the victim is dead", || home.data.try_host().unwrap().is_some()).await;
        let host = home.host();
        let restart = restart_of(deployment.id, round, TIMEOUT);
        host.restart(deployment.id, &restart).await.unwrap();
        assert_eq!(host.ready(deployment.id).await, endpoint);
        let after = start_time(&home, &deployment, &endpoint).await;
        assert_ne!(after, before, "round {round}: restarted");
        assert_eq!(shutdowns + 1, self::shutdowns(&home, deployment.id), "round {round}: once");
        host.restart(deployment.id, &restart).await.unwrap();
        assert_eq!(start_time(&home, &deployment, &endpoint).await, after, "round {round}: a repeat changes nothing");
        host.crash().await;
    }
    assert!(home.has_mark(&deployment, &endpoint).await);
}

async fn start_time(home: &Home, deployment: &Deployment, endpoint: &Endpoint) -> String {
    home.server_start_time(deployment, endpoint).await.expect("a server answers")
}

/// How often the server of an instance shut down, by its log.
fn shutdowns(home: &Home, id: InstanceId) -> usize {
    std::fs::read_to_string(home.instance(id).join("log")).unwrap().matches("database system is shut down").count()
}
