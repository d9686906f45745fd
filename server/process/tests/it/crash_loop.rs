//! Servers that cannot come up.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
    runtime::{Deployment, Observation, Runtime},
};

use crate::{
    control_plane::{ControlPlane, restart_of},
    home::{Home, TIMEOUT},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_reported_with_its_cause() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("loop");
    let reason = crash_loop(&home, &host, &deployment).await;
    assert_eq!(reason.code, ReasonCode::CrashLoop);
    assert!(reason.message.contains("unrecognized configuration parameter \"no_such_setting\""), "{}", reason.message);
    assert!(!reason.message.contains(home.data.path().to_str().unwrap()), "no paths of this machine: {}", reason.message);
    // Deploying again repairs the configuration, and starts it at once.
    host.runtime.deploy(&deployment).await.unwrap();
    host.ready(deployment.id).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_starts_a_crash_loop_at_once() {
    let home = Home::new();
    let host = home.host();
    let deployment = home.deployment("loop");
    host.deploy(&deployment).await;
    let configuration = home.instance(deployment.id).join("postgresql.conf");
    let right = std::fs::read_to_string(&configuration).unwrap();
    crash_loop(&home, &host, &deployment).await;
    // With its cause still there, it becomes a crash loop again.
    host.restart(deployment.id, &restart_of(deployment.id, 2, TIMEOUT)).await.unwrap();
    failed(&host, deployment.id).await;
    // The back-off is eight seconds by now.
    std::fs::write(&configuration, right).unwrap();
    let begin = Instant::now();
    host.restart(deployment.id, &restart_of(deployment.id, 3, TIMEOUT)).await.unwrap();
    host.ready(deployment.id).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    host.stop().await;
}

/// Leaves an instance whose configuration PostgreSQL refuses; the reason of the loop.
pub async fn crash_loop(home: &Home, host: &ControlPlane, deployment: &Deployment) -> Reason {
    host.deploy(deployment).await;
    let configuration = home.instance(deployment.id).join("postgresql.conf");
    std::fs::write(configuration, "include 'port.conf'\nunix_socket_directories = ''\nno_such_setting = 1\n").unwrap();
    home.signal_instance(deployment.id, Signal::SIGKILL);
    failed(host, deployment.id).await
}

async fn failed(host: &ControlPlane, id: InstanceId) -> Reason {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Observation::Failed(reason) = host.runtime.observe(id).await.unwrap() {
            return reason;
        }
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
