//! A data directory, and the binary with it.

use std::{path::Path, process::Stdio};

use tempfile::TempDir;
use tokio::process::Command;

use super::{Server, templates};

/// A data directory for successive servers.
pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new() -> Self {
        // PostgreSQL's user must be able to access it, which is not possible below /root.
        let dir = tempfile::Builder::new().prefix("toygres-it-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        templates::link(&dir.path().join("data"));
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command of the binary (`TOYGRES_BIN`, to compare another build), isolated from the configuration of this machine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let binary = std::env::var_os("TOYGRES_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_toygres").into());
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(self.path()).env_clear().kill_on_drop(true);
        for name in ["PATH", "HOME", "TOYGRES_PG_BIN"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("TOYGRES_DATA_DIR", self.path().join("data")).env("XDG_CONFIG_HOME", self.path().join("config"));
        // A second load for every instance of every test; the tests of backups turn them on.
        command.env("TOYGRES_BACKUPS", "false").env("TOYGRES_BACKUP_VERIFY_MAX_GB", "0");
        command
    }

    /// Starts a server and waits until it is ready.
    pub async fn start(&self) -> Server {
        self.start_with(&[]).await
    }

    /// Like [`Self::start`], with additional environment variables.
    pub async fn start_with(&self, env: &[(&str, &str)]) -> Server {
        let mut server = self.spawn(env).await;
        server.ready().await;
        server
    }

    /// Starts a server as the first process of a namespace of its own, as in a container, and waits until it is ready.
    pub async fn start_as_pid_one(&self) -> Server {
        let (address, log) = (Self::free_address(), self.path().join("server.log"));
        let serve = self.command(&["serve", "--listen", &address]);
        let mut command = Command::new("unshare");
        if !nix::unistd::geteuid().is_root() {
            command.args(["--user", "--map-current-user"]);
        }
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).arg(serve.as_std().get_program()).args(serve.as_std().get_args());
        command.current_dir(self.path()).env_clear().kill_on_drop(true);
        command.envs(serve.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&log).unwrap());
        let mut server = Server::of(command.spawn().expect("unshare is part of util-linux"), &address, "http", log);
        server.ready().await;
        server
    }

    /// Starts a server on a free port, and only waits until it listens.
    pub async fn spawn(&self, env: &[(&str, &str)]) -> Server {
        self.spawn_at(&Self::free_address(), env).await
    }

    /// Starts a server on the address of an earlier one.
    pub async fn spawn_at(&self, address: &str, env: &[(&str, &str)]) -> Server {
        let log = self.path().join(format!("server-{}.log", address.rsplit(':').next().unwrap_or_default()));
        let mut command = self.command(&["serve", "--listen", address]);
        let appended = std::fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(appended);
        let child = command.spawn().unwrap();
        let scheme = if env.iter().any(|(name, _)| *name == "TOYGRES_TLS_CERT") { "https" } else { "http" };
        Server::of(child, address, scheme, log)
    }

    /// An address on which nothing listens.
    pub fn free_address() -> String {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        templates::keep(&self.path().join("data"));
    }
}
