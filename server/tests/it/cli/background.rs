//! Commands in a pipe that run in the background, such as `watch`.

use std::process::Stdio;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
    time::timeout,
};

use crate::support::TIMEOUT;

/// A running command.
pub struct Background {
    pub child: Child,
    pub out: Lines<BufReader<ChildStdout>>,
    pub err: Lines<BufReader<ChildStderr>>,
}

impl Background {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let err = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, out, err }
    }

    /// The next line of stdout, which is JSON.
    pub async fn line(&mut self) -> Value {
        let line = timeout(TIMEOUT, self.out.next_line()).await.expect("a line arrives in time").unwrap();
        let Some(line) = line else { panic!("the command exited: {}", self.rest().await) };
        serde_json::from_str(&line).unwrap()
    }

    /// What it has still to say on stderr, which it closes when it exits.
    async fn rest(&mut self) -> String {
        let mut lines = Vec::new();
        while let Ok(Ok(Some(line))) = timeout(TIMEOUT, self.err.next_line()).await {
            lines.push(line);
        }
        lines.join("\n")
    }

    /// Reads stderr until a line contains `text`, and returns that line.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            let line = timeout(TIMEOUT, self.err.next_line()).await.expect("a line arrives in time").unwrap();
            let line = line.unwrap_or_else(|| panic!("the command exited without {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for the exit code.
    pub async fn code(&mut self) -> i32 {
        timeout(TIMEOUT, self.child.wait()).await.expect("the command exits in time").unwrap().code().expect("no signal ends it")
    }
}
