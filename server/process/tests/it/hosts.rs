//! One control plane after the other, and several over one data directory.

use std::time::{Duration, Instant};

use futures::StreamExt;
use nix::sys::signal::Signal;
use toygres_domain::runtime::Runtime;
use toygres_postgres::contract::Hooks;

use crate::{
    control_plane::next_death,
    home::{Home, TIMEOUT},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_keeps_what_is_deployed() {
    let home = Home::new();
    let first = home.host();
    let deployments: Vec<_> = (0..3).map(|n| home.deployment(&format!("stop-{n}"))).collect();
    let mut endpoints = Vec::new();
    for deployment in &deployments {
        endpoints.push(first.deploy(deployment).await);
    }
    assert!(home.leave_mark(&deployments[0], &endpoints[0]).await);
    let stopping = Instant::now();
    first.stop().await;
    eprintln!("measured: clean stop of 3 instances {:?}", stopping.elapsed());
    for deployment in &deployments {
        assert_eq!(home.pid(deployment.id), None, "stopped");
    }
    let starting = Instant::now();
    let second = home.host();
    for (deployment, endpoint) in deployments.iter().zip(&endpoints) {
        assert_eq!(&second.ready(deployment.id).await, endpoint, "on the same port");
    }
    eprintln!("measured: start with 3 instances {:?}", starting.elapsed());
    assert!(home.has_mark(&deployments[0], &endpoints[0]).await);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_exchanged() {
    let home = Home::new();
    let first = home.host();
    let deployment = home.deployment("port");
    let endpoint = first.deploy(&deployment).await;
    first.stop().await;
    let _other_program = std::net::TcpListener::bind(("127.0.0.1", endpoint.port)).unwrap();
    let second = home.host();
    let moved = second.ready(deployment.id).await;
    assert_ne!(moved.port, endpoint.port);
    assert_eq!(home.query(&deployment, &moved, "SELECT 1"), "1");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_runs_verbs_and_the_host_supervises_the_result() {
    let home = Home::new();
    let host = home.host();
    let guest = home.guest();
    let deployment = home.deployment("guest");
    let mut nudges = host.runtime.nudges();
    let endpoint = guest.deploy(&deployment).await;
    let nudged = async { while nudges.next().await.unwrap().instance != deployment.id {} };
    tokio::time::timeout(TIMEOUT, nudged).await.expect("the host sees what the guest deployed");
    guest.stop().await;
    assert!(home.pid(deployment.id).is_some(), "a guest that stops leaves the servers alone");
    // The host may have seen the directory before the guest's server ran; then that one is only something to start for it. The
    // one that it starts is its own child.
    home.signal_instance(deployment.id, Signal::SIGKILL);
    let reported = tokio::time::timeout(Duration::from_secs(5), next_death(&mut nudges, deployment.id)).await;
    assert_eq!(host.ready(deployment.id).await, endpoint);
    if reported.is_err() {
        home.signal_instance(deployment.id, Signal::SIGKILL);
        next_death(&mut nudges, deployment.id).await;
        assert_eq!(host.ready(deployment.id).await, endpoint);
    }
    host.stop().await;
}
