//! A little load on an instance, with psql: the command line links no client of PostgreSQL.

use std::{fmt::Write as _, process::Stdio};

use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

use crate::failure::Failure;

/// The rows that the load begins with.
pub(super) const ROWS: u32 = 5_000;
/// How long it goes on.
pub(super) const SECONDS: u32 = 15;
/// Transactions in a second.
const RATE: u32 = 10;

/// A psql that runs in the background, and ends with this command.
pub(super) struct Load(Child);

impl Load {
    /// Fills a table, then starts the transactions.
    ///
    /// # Errors
    /// Why there is no load, for people.
    pub(super) async fn start(psql: Result<std::process::Command, Failure>) -> Result<Self, String> {
        let mut psql = psql.map_err(|failure| failure.message().to_owned())?;
        psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]);
        let output = Command::from(clone_of(&psql)).arg("--command").arg(fill()).stdin(Stdio::null()).output().await;
        let output = output.map_err(|error| format!("psql cannot be started: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("psql gave no reason").to_owned());
        }
        let mut command = Command::from(psql);
        command.args(["--output", "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("psql cannot be started: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // If psql ends early, because its server is killed, nobody reads the rest.
            tokio::spawn(async move { stdin.write_all(transactions().as_bytes()).await });
        }
        Ok(Self(child))
    }

    /// Waits until the transactions are done, or the server has ended them.
    pub(super) async fn finish(mut self) {
        let _ = self.0.wait().await;
    }
}

fn fill() -> String {
    format!(
        "SET client_min_messages = warning; \
         CREATE TABLE IF NOT EXISTS purchase (id bigserial PRIMARY KEY, customer int NOT NULL, amount numeric(10, 2) NOT NULL, at timestamptz NOT NULL \
         DEFAULT now()); \
         INSERT INTO purchase (customer, amount) SELECT n % 97, n % 1000 FROM generate_series(1, {ROWS}) n"
    )
}

fn transactions() -> String {
    (0..SECONDS * RATE).fold(String::new(), |mut script, number| {
        let pause = 1.0 / f64::from(RATE);
        let _ = writeln!(
            script,
            "INSERT INTO purchase (customer, amount) VALUES ({number} % 97, {number}); SELECT sum(amount) FROM purchase WHERE customer = {number} % 97; \
             SELECT pg_sleep({pause});"
        );
        script
    })
}

/// The same program with the same arguments and environment.
fn clone_of(command: &std::process::Command) -> std::process::Command {
    let mut clone = std::process::Command::new(command.get_program());
    clone.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => clone.env(name, value),
            None => clone.env_remove(name),
        };
    }
    clone
}
