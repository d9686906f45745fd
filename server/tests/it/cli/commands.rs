//! Running commands in a pipe until they exit.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::{process::Command, time::timeout};

use crate::support::{Home, Server, TIMEOUT};

/// The output of a command.
#[derive(Debug)]
pub struct CommandOutput {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A command with its server selected by the environment.
pub fn command(home: &Home, server: &Server, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command.env("TOYGRES_URL", format!("http://{}", server.address)).stdin(Stdio::null());
    if let Some(token) = &server.bearer {
        command.env("TOYGRES_TOKEN", token);
    }
    command
}

/// Runs a command.
pub async fn run(home: &Home, server: &Server, arguments: &[&str]) -> CommandOutput {
    finish(command(home, server, arguments)).await
}

/// Runs a command that must succeed, and returns its stdout.
pub async fn succeed(home: &Home, server: &Server, arguments: &[&str]) -> String {
    let output = run(home, server, arguments).await;
    assert_eq!(output.code, 0, "{arguments:?}: {output:#?}");
    output.out
}

/// Runs a command that must succeed with `-o json`, and returns its result.
pub async fn json(home: &Home, server: &Server, arguments: &[&str]) -> Value {
    let out = succeed(home, server, &[arguments, &["-o", "json"]].concat()).await;
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// Runs a command to its exit.
pub async fn finish(mut command: Command) -> CommandOutput {
    let output = timeout(TIMEOUT, command.output()).await.expect("the command exits in time").unwrap();
    let Output { status, stdout, stderr } = output;
    CommandOutput {
        code: status.code().expect("no signal ends it"),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}
