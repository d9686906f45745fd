//! Commands in a terminal.

use std::process::Stdio;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use super::commands::command;
use crate::support::{Home, Server, TIMEOUT};

/// A command that runs in a terminal.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    /// Everything that was written to the terminal.
    pub seen: String,
}

impl Terminal {
    pub fn open(home: &Home, server: &Server, arguments: &[&str]) -> Self {
        // In place of the shell, which would end with 130 by itself after Ctrl-C.
        let line = [&["exec", env!("CARGO_BIN_EXE_toygres")], arguments].concat().join(" ");
        // `script` of util-linux creates a terminal, and exits with the exit code of the command.
        let mut script = command(home, server, &[]);
        let environment: Vec<_> = script.as_std().get_envs().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect();
        script = Command::new("script");
        script.args(["-qefc", &line, "/dev/null"]).current_dir(home.path()).env_clear().envs(environment).env("TERM", "xterm").kill_on_drop(true);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("util-linux's script is installed");
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen, seen: String::new() }
    }

    /// Types keys.
    pub async fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).await.unwrap();
        self.keys.flush().await.unwrap();
    }

    /// Waits until `text` is written, after what earlier calls waited for.
    pub async fn shows(&mut self, text: &str) {
        let mut output = String::new();
        while !output.contains(text) {
            let more = self.read().await;
            assert!(!more.is_empty(), "the command exited without {text:?}:\n{}", self.seen);
            output += &more;
        }
    }

    /// Waits for the exit code.
    pub async fn code(&mut self) -> i32 {
        while !self.read().await.is_empty() {}
        timeout(TIMEOUT, self.child.wait()).await.expect("the command exits in time").unwrap().code().unwrap()
    }

    async fn read(&mut self) -> String {
        let mut bytes = [0; 4096];
        let read = timeout(TIMEOUT, self.screen.read(&mut bytes)).await.unwrap_or_else(|_| panic!("no output in time:\n{}", self.seen)).unwrap();
        let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
        self.seen += &text;
        text
    }
}
