//! A probe that takes too long is killed without its children, which PID 1 of the container then adopts and reaps. This test shows
//! on PostgreSQL in a PID namespace what that does, and why the pods share one with the init process of the pod.

use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const READY: &str = "ready to accept connections";

/// Starts a server in a PID namespace, as PID 1 or below an init process, and kills an orphan in it. Returns what the server logs.
fn log_after_an_orphan_is_killed(server_is_init: bool) -> String {
    let dir = TempDir::new();
    let bin = postgres_bin();
    let (data, log) = (dir.0.join("data"), dir.0.join("log"));
    let initdb = format!("'{}/initdb' -D '{}' -U postgres -A trust --no-sync >/dev/null", bin.display(), data.display());
    assert!(as_postgres("sh", &["-c", &initdb]).status().unwrap().success());

    let (bin, dir) = (bin.display(), dir.0.display());
    let server = format!("'{bin}/postgres' -D '{dir}/data' -c listen_addresses= -c unix_socket_directories='{dir}'");
    // The parent of the orphan ends at once, like a probe that was killed.
    let orphan = "(sleep 600 & echo $! >orphan) & until grep -q 'ready to accept' log; do sleep 0.1; done; kill -9 $(cat orphan); sleep 1; : >done";
    let start = if server_is_init { format!("({orphan}) & exec {server}") } else { format!("({orphan}) & {server} & wait; wait; wait") };
    let script = format!("set -e; cd '{dir}'; exec 2>log; {start}");
    let mut namespace =
        as_postgres("unshare", &["--user", "--map-current-user", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", &script])
            .stdout(Stdio::null())
            .spawn()
            .expect("unshare is part of util-linux");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !log.with_file_name("done").exists() {
        assert!(namespace.try_wait().unwrap().is_none(), "{}", std::fs::read_to_string(&log).unwrap_or_default());
        assert!(Instant::now() < deadline, "{}", std::fs::read_to_string(&log).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(100));
    }
    // Ends everything in the namespace.
    namespace.kill().unwrap();
    namespace.wait().unwrap();
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn postgresql_as_pid_1_takes_the_orphan_of_a_probe_for_a_crashed_session() {
    let log = log_after_an_orphan_is_killed(true);
    assert!(log.contains(READY) && log.contains("terminating any other active server processes"), "{log}");
}

#[test]
fn below_an_init_process_the_orphan_of_a_probe_does_no_harm() {
    let log = log_after_an_orphan_is_killed(false);
    assert!(log.contains(READY) && !log.contains("terminating"), "{log}");
    let golden = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/postgres-17.yaml"));
    assert!(golden.contains("shareProcessNamespace: true"), "the pods have such a process");
}

fn as_postgres(program: &str, arguments: &[&str]) -> Command {
    // Unlike runuser, setpriv becomes the program, which can then be killed.
    let mut command = if is_root() { Command::new("setpriv") } else { Command::new(program) };
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--", program]);
    }
    command.args(arguments).current_dir("/");
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

fn postgres_bin() -> PathBuf {
    if let Some(bin) = std::env::var_os("TOYGRES_PG_BIN") {
        return bin.into();
    }
    let installed = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    installed.map(|version| version.unwrap().path().join("bin")).max().expect("PostgreSQL is installed")
}

/// A directory that PostgreSQL's user owns.
struct TempDir(PathBuf);

impl TempDir {
    fn new() -> Self {
        let made = as_postgres("mktemp", &["-d", "/tmp/toygres-pid.XXXXXX"]).output().unwrap();
        let path = PathBuf::from(String::from_utf8(made.stdout).unwrap().trim());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Self(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
