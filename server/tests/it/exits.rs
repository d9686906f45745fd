//! However a server ends, the embedded database and the instances are stopped too, as with Ctrl-C.

use std::{fs::OpenOptions, process::Stdio};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::Child;

use crate::support::{Home, TIMEOUT, eventually, processes_of};

/// The instances and the embedded database. Other processes of the test have the directory in their arguments too.
fn databases(home: &Home) -> Vec<String> {
    processes_of(home).into_iter().filter(|arguments| arguments.contains("cluster_name=")).collect()
}

async fn until_ready(address: &str) {
    eventually("the server is ready", async || {
        reqwest::get(format!("http://{address}/readyz")).await.is_ok_and(|response| response.status().is_success())
    })
    .await;
}

async fn ends(home: &Home, mut child: Child, signal: Signal) {
    kill(Pid::from_raw(child.id().unwrap().try_into().unwrap()), signal).unwrap();
    let status = tokio::time::timeout(TIMEOUT, child.wait()).await.expect("the server stops in time").unwrap();
    assert_eq!(status.code(), Some(0), "{signal}: {status}");
    assert_eq!(databases(home), Vec::<String>::new(), "{signal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_and_a_quit_stop_everything() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    assert!(databases(&home).len() >= 2);
    server.stop_with(Signal::SIGHUP).await;
    assert_eq!(databases(&home), Vec::<String>::new());

    let server = home.start().await;
    server.until_healthy(&id).await;
    server.stop_with(Signal::SIGQUIT).await;
    assert_eq!(databases(&home), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_during_the_start_stops_what_has_started() {
    let home = Home::new();
    let mut command = home.command(&["serve", "--listen", &Home::free_address()]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the embedded database starts", async || !databases(&home).is_empty()).await;
    ends(&home, child, Signal::SIGTERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn further_hang_ups_do_not_end_a_server_that_is_stopping() {
    let home = Home::new();
    let address = Home::free_address();
    let child = home.command(&["serve", "--listen", &address]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until_ready(&address).await;
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap());
    let again = std::thread::spawn(move || while kill(pid, Signal::SIGHUP).is_ok() && crate::support::is_alive(pid.as_raw()) {});
    ends(&home, child, Signal::SIGHUP).await;
    again.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ignores_hang_ups_outlives_its_terminal() {
    let home = Home::new();
    let address = Home::free_address();
    let serve = home.command(&["serve", "--listen", &address]);
    let serve = serve.as_std();
    let mut nohup = tokio::process::Command::new("nohup");
    nohup.arg(serve.get_program()).args(serve.get_args()).current_dir(home.path()).kill_on_drop(true);
    nohup.env_clear().envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let child = nohup.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until_ready(&address).await;
    kill(Pid::from_raw(child.id().unwrap().try_into().unwrap()), Signal::SIGHUP).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    until_ready(&address).await;
    ends(&home, child, Signal::SIGTERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_output_cannot_be_written_serves_on() {
    let home = Home::new();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    for (stdout, stderr) in
        [(Stdio::from(full()), Stdio::null()), (Stdio::from(closed.try_clone().unwrap()), Stdio::from(closed)), (Stdio::null(), Stdio::from(full()))]
    {
        let address = Home::free_address();
        let child = home.command(&["serve", "--listen", &address]).stdout(stdout).stderr(stderr).spawn().unwrap();
        until_ready(&address).await;
        ends(&home, child, Signal::SIGTERM).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_leaves_nothing_running() {
    let home = Home::new();
    home.start().await.stop().await;
    let key = home.path().join("data/secret.key");
    std::fs::write(&key, "no key\n").unwrap();
    let output = home.command(&["serve", "--listen", &Home::free_address()]).output().await.unwrap();
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("secret.key"), "{output:?}");
    assert_eq!(databases(&home), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_whose_reader_has_gone_end_quietly() {
    let home = Home::new();
    let server = home.start().await;
    for arguments in [&["schema"][..], &["completion", "bash"], &["instances", "list"], &["instances", "list", "-o", "json"]] {
        let (reader, closed) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = home.command(arguments);
        let output = command.env("TOYGRES_URL", format!("http://{}", server.address)).stdout(closed).output().await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("toygres: "), "{arguments:?}: {output:?}");
    }
    // An error whose text cannot be written keeps its exit code.
    let mut command = home.command(&["instances", "get", "unknown"]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = command.env("TOYGRES_URL", format!("http://{}", server.address)).stderr(full).status().await.unwrap();
    assert_eq!(status.code(), Some(4));
    server.stop().await;
}
