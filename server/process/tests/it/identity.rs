//! Which processes belong to a data directory, and what happens while that cannot be found out.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use nix::{
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::{User, geteuid},
};
use toygres_domain::runtime::{Progress, Runtime};

use crate::home::Home;

/// A program that has the `cluster_name` of an instance in its arguments, as a shell or an editor can. It runs until it is dropped.
struct Foreign(Child);

impl Foreign {
    fn start(name: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "read line", "sh", "-c", &format!("cluster_name={name}")]).stdin(Stdio::piped()).stdout(Stdio::null());
        if geteuid().is_root() {
            let user = User::from_name("postgres").unwrap().unwrap();
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        Self(command.spawn().unwrap())
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_names_a_cluster_is_not_its_server() {
    let home = Home::new();
    let first = home.host();
    let deployment = home.deployment("named");
    let endpoint = first.deploy(&deployment).await;
    first.stop().await;
    let mut foreign = Foreign::start(&deployment.id.to_string());
    // The process id of the dead server is used again by that program.
    let data = home.instance(deployment.id).join("data");
    let text = format!("{}\n{}\n1700000000\n{}\n\n127.0.0.1\n   1 2\nready   \n", foreign.0.id(), data.display(), endpoint.port);
    std::fs::write(data.join("postmaster.pid"), text).unwrap();

    let second = home.host();
    home.until("the instance has a server of its own", || home.psql(&deployment, &endpoint, "SELECT 1").status.success()).await;
    assert_ne!(home.pid(deployment.id), Some(foreign.0.id()));
    assert_eq!(second.runtime.remove(deployment.id, false).await, Ok(Progress::Done));
    assert!(foreign.is_alive(), "it is neither stopped nor killed");
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_data_directory_leaves_the_servers_of_the_original_alone() {
    let log = tempfile::NamedTempFile::new().unwrap();
    tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(log.reopen().unwrap())).init();
    let (original, copy) = (Home::new(), Home::new());
    let lock = original.data.try_host().unwrap().unwrap();
    let database = original.embedded(&lock).await;
    let guest = original.guest();
    let deployment = original.deployment("copied");
    let endpoint = guest.deploy(&deployment).await;
    let servers = [original.pid(deployment.id), original.cluster_pid("metadata")];

    let contents = format!("{}/.", original.data.path().display());
    assert!(Command::new("cp").args(["-a", &contents]).arg(copy.data.path()).status().unwrap().success());
    let copied_lock = copy.data.try_host().unwrap().unwrap();
    let copied_database = copy.embedded(&copied_lock).await;
    assert_ne!(copied_database.url(), database.url());
    drop(copied_lock);
    let host = copy.host();
    let moved = host.ready(deployment.id).await;
    assert_ne!(moved.port, endpoint.port, "the copy has a server of its own");
    assert_eq!(copy.query(&deployment, &moved, "SELECT 1"), "1");
    assert_eq!(host.runtime.remove(deployment.id, false).await, Ok(Progress::Done));
    host.stop().await;
    copied_database.stop().await;

    assert_eq!([original.pid(deployment.id), original.cluster_pid("metadata")], servers);
    assert_eq!(original.query(&deployment, &endpoint, "SELECT 1"), "1");
    assert_eq!(original.query_url(database.url(), "SELECT 1"), "1");
    let said = std::fs::read_to_string(log.path()).unwrap();
    let reports: Vec<&str> = said.lines().filter(|line| line.contains("is a copy of one whose server is running")).collect();
    for cluster in ["metadata".to_owned(), format!("instances/{}", deployment.id)] {
        let (copied, own) = (copy.data.join(&cluster).join("data"), original.data.join(&cluster).join("data"));
        let names = |line: &&&str| line.contains(copied.to_str().unwrap()) && line.contains(own.to_str().unwrap());
        assert!(reports.iter().any(|line| names(&line)), "{cluster} in {reports:?}");
    }
    guest.stop().await;
    database.stop().await;
}

/// In a process of its own, because it uses up the file descriptors.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as a process of its own"]
async fn out_of_descriptors() {
    if std::env::var_os(STARVED).is_none() {
        return;
    }
    let log = tempfile::NamedTempFile::new().unwrap();
    tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(log.reopen().unwrap())).init();
    let home = Home::new();
    let lock = home.data.try_host().unwrap().unwrap();
    let database = home.embedded(&lock).await;
    drop(lock);
    let host = home.host();
    let deployment = home.deployment("starved");
    host.deploy(&deployment).await;
    let servers = || [home.pid(deployment.id), home.cluster_pid("metadata")];
    let before = servers();
    // Each has been observed.
    tokio::time::sleep(Duration::from_secs(1)).await;

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 0, hard).unwrap();
    assert!(std::fs::File::open("/dev/null").is_err(), "no file can be opened");
    tokio::time::sleep(Duration::from_secs(2)).await;
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();

    home.until("both are observed again", || {
        let said = std::fs::read_to_string(log.path()).unwrap();
        said.contains("it is not known whether the embedded metadata database") && said.contains("cannot list the instances")
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(servers(), before, "the servers and their postmaster.pid are still there");
    let said = std::fs::read_to_string(log.path()).unwrap();
    assert!(!said.contains("died"), "{said}");
    host.stop().await;
    database.stop().await;
}

/// The variable that tells `out_of_descriptors` that the process is its own.
const STARVED: &str = "TOYGRES_TEST_OUT_OF_DESCRIPTORS";

#[test]
fn a_server_that_cannot_be_looked_at_is_not_dead() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "identity::out_of_descriptors", "--ignored"])
        .env(STARVED, "1")
        .output()
        .unwrap();
    std::io::stderr().write_all(&output.stdout).unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}
