//! Azurite, the emulator of Azure Blob Storage, as a process.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::cluster::DEADLINE;

/// The key of the account, in base64.
pub const KEY: &str = "dGhlIGtleSBvZiB0aGUgYWNjb3VudA==";
pub const ACCOUNT: &str = "account";
pub const CONTAINER: &str = "archives";

/// A server with a container. It ends when it is dropped, and also when this process is killed.
pub struct Azurite {
    _child: Child,
    endpoint: String,
}

impl Azurite {
    pub async fn start() -> Self {
        let mut command = Command::new("node");
        command.arg("start.mjs").current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/azurite"));
        command.env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}")).env("AZURITE_CONTAINER", CONTAINER);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("scripts/test installs Node.js");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(DEADLINE, lines.next_line()).await;
        let Ok(Ok(Some(endpoint))) = line else { panic!("no address but {line:?}: `scripts/test` installs Azurite") };
        // What it prints afterwards must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _child: child, endpoint }
    }

    /// Its address, with the account.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}
