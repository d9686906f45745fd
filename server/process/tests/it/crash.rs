//! Crashes: of servers, and of the control plane at any instant.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use toygres_domain::{
    InstanceId,
    instance::ReasonCode,
    runtime::{Deployment, Progress, Runtime},
};
use toygres_postgres::contract::Hooks;
use toygres_process::Role;

use crate::{control_plane::next_death, home::Home};

/// The variable that tells the victim of a crash test where to work.
const VICTIM: &str = "TOYGRES_TEST_CRASH_VICTIM";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_started_again() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("killed");
    let endpoint = host.deploy(&deployment).await;
    let mut nudges = host.runtime.nudges();
    // A worker that is too busy to notice keeps the dead server's shared memory.
    let mut client = home.session(&deployment, &endpoint, "SELECT sum(n) FROM generate_series(1, 10000000000) n");
    home.until("the query runs", || {
        home.query(&deployment, &endpoint, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT sum%'") == "1"
    })
    .await;
    let killed = Instant::now();
    home.signal_instance(deployment.id, Signal::SIGKILL);
    let death = next_death(&mut nudges, deployment.id).await;
    eprintln!("measured: death nudge after {:?}", killed.elapsed());
    assert_eq!(death.death.as_ref().unwrap().code, ReasonCode::ProcessExited);
    assert!(death.death.unwrap().message.contains("signal 9"), "the cause is named");
    assert_eq!(host.ready(deployment.id).await, endpoint, "on the same port");
    eprintln!("measured: ready again after {:?}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(5));
    assert_eq!(home.query(&deployment, &endpoint, "SELECT 1"), "1");
    assert!(!client.wait().unwrap().success());
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_control_plane_adopts_its_instances() {
    let home = Home::new();
    let first = home.host();
    let deployment = home.deployment("orphan");
    let endpoint = first.deploy(&deployment).await;
    let pid = home.pid(deployment.id).unwrap();
    first.crash().await;
    assert!(kill(Pid::from_raw(pid.cast_signed()), None).is_ok(), "servers outlive a killed control plane");
    let second = home.host();
    assert_eq!(second.ready(deployment.id).await, endpoint);
    assert_eq!(home.pid(deployment.id), Some(pid), "adopted, not restarted");
    let mut nudges = second.runtime.nudges();
    home.until("the second control plane has seen it", || !home.names_in("templates").is_empty()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    home.signal_instance(deployment.id, Signal::SIGKILL);
    next_death(&mut nudges, deployment.id).await;
    assert_eq!(second.ready(deployment.id).await, endpoint, "an adopted instance is supervised like any other");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_a_crash_are_cleared_at_the_start() {
    let home = Home::new();
    let ids: Vec<_> = (0..4).map(|_| InstanceId::generate()).collect();
    for (id, prefix) in ids.iter().zip([".staging-", ".removed-", ".keeping-"]) {
        std::fs::create_dir_all(home.data.join("instances").join(format!("{prefix}{id}")).join("data/base")).unwrap();
    }
    std::fs::write(home.data.join("instances").join(format!("{}.lock", ids[3])), "").unwrap();
    std::fs::create_dir_all(home.data.join("templates/.99.9-r1-x/data")).unwrap();
    std::fs::create_dir_all(home.data.join("templates/9.6-r1/data")).unwrap();
    let host = home.host();
    home.until("leftovers are cleared", || home.names_in("instances").is_empty()).await;
    home.until("templates are pruned", || home.names_in("templates").iter().all(|name| !name.contains("9.6") && !name.contains("99.9"))).await;
    assert_eq!(home.names_in("kept"), [ids[2].to_string()], "what was to be kept is kept");
    host.stop().await;
}

/// The control plane of `a_crash_at_any_instant_is_repaired`, which kills it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as a process of its own"]
async fn victim() {
    let Some(directory) = std::env::var_os(VICTIM) else { return };
    let home = Home::over(Path::new(&directory));
    let lock = Arc::new(home.data.try_host().unwrap().expect("the last one is dead"));
    let host = home.control_plane(Role::Host(lock.clone()));
    let _embedded = home.embedded(&lock).await;
    for n in 0.. {
        let deployment = home.deployment("victim");
        let _ = host.runtime.deploy(&deployment).await;
        if n % 3 != 0 {
            let _ = host.runtime.remove(deployment.id, n % 3 == 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_instant_is_repaired() {
    let home = Home::new();
    let spawn_victim = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::victim", "--ignored"])
            .env(VICTIM, home.data.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let kill_victim = |mut victim: Child| {
        victim.kill().unwrap();
        victim.wait().unwrap();
    };
    for round in 0..16 {
        let victim = spawn_victim();
        tokio::time::sleep(Duration::from_millis(90 * round + 10)).await;
        kill_victim(victim);
    }
    // What the last one has deployed is there after its end, however slow the machine is.
    let victim = spawn_victim();
    home.until("an instance is deployed", || home.names_in("instances").iter().any(|name| name.parse::<InstanceId>().is_ok())).await;
    kill_victim(victim);
    // A child that the last victim was just forking releases the lock when it becomes another program.
    home.until("the victims are dead", || home.data.try_host().unwrap().is_some()).await;
    let lock = Arc::new(home.data.try_host().unwrap().expect("nobody else is the host"));
    let host = home.control_plane(Role::Host(lock.clone()));
    let embedded = home.embedded(&lock).await;
    assert_eq!(home.query_url(embedded.url(), "SELECT 1"), "1");
    let ids = host.runtime.list().await.unwrap();
    assert!(!ids.is_empty(), "some instance was created in all this time");
    for id in ids {
        let deployment = Deployment { id, ..home.deployment("victim") };
        host.runtime.deploy(&deployment).await.unwrap();
        host.ready(id).await;
        assert_eq!(host.runtime.remove(id, false).await, Ok(Progress::Done));
        assert_eq!(home.residue(id).await, Vec::<String>::new());
    }
    home.until("locks of dead control planes are swept", || home.names_in("instances").is_empty()).await;
    host.stop().await;
    embedded.stop().await;
    let templates = home.names_in("templates").into_iter().filter(|name| name != "lock").count();
    assert_eq!(templates, home.binaries.versions().len(), "half-made templates are gone");
}
