//! The server as PID 1, which it is in a container: it becomes the parent of what its databases leave behind.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    backups::poll,
    support::{Home, children_of, is_zombie},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_killed_servers_leave_does_not_pile_up() {
    let home = Home::new();
    let mut server = home.start_as_pid_one().await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let pid_one = children_of(server.pid())[0];
    let postmaster = |pid: &i32| {
        let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.contains(&id) && arguments.contains("config_file")
    };
    let zombies = || children_of(pid_one).into_iter().filter(|pid| is_zombie(*pid)).collect::<Vec<_>>();
    for _ in 0..2 {
        let server_of_instance = poll("the instance has a server", async || children_of(pid_one).into_iter().find(|pid| postmaster(pid))).await;
        let orphans = poll("it has child processes", async || Some(children_of(server_of_instance)).filter(|children| children.len() >= 3)).await;
        kill(Pid::from_raw(server_of_instance), Signal::SIGKILL).unwrap();
        poll("they have exited, and are the server's now", async || orphans.iter().any(|pid| zombies().contains(pid)).then_some(())).await;
    }
    poll("all of them were waited for", async || zombies().is_empty().then_some(())).await;
    server.until_healthy(&id).await;
    server.crash().await;
}
