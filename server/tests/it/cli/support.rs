//! Running commands: in a pipe, and in a terminal.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::support::{Home, PATIENCE, Server};

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A command that speaks to a server.
pub fn command(home: &Home, server: &Server, arguments: &[&str]) -> Command {
    let mut command = home.command(arguments);
    command.env("TOYGRES_URL", format!("http://{}", server.address)).stdin(Stdio::null());
    if let Some(token) = &server.bearer {
        command.env("TOYGRES_TOKEN", token);
    }
    command
}

/// Runs a command in a pipe to its end.
pub async fn run(home: &Home, server: &Server, arguments: &[&str]) -> Ended {
    finish(command(home, server, arguments)).await
}

/// Runs a command that must succeed; what it prints.
pub async fn succeed(home: &Home, server: &Server, arguments: &[&str]) -> String {
    let ended = run(home, server, arguments).await;
    assert_eq!(ended.code, 0, "{arguments:?}: {ended:#?}");
    ended.out
}

/// The same, as JSON.
pub async fn json(home: &Home, server: &Server, arguments: &[&str]) -> Value {
    let out = succeed(home, server, &[arguments, &["-o", "json"]].concat()).await;
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

pub async fn finish(mut command: Command) -> Ended {
    let output = timeout(PATIENCE, command.output()).await.expect("the command ends in time").unwrap();
    let Output { status, stdout, stderr } = output;
    Ended { code: status.code().expect("it ends by itself"), out: String::from_utf8(stdout).unwrap(), err: String::from_utf8(stderr).unwrap() }
}

/// A command that is still running in a pipe.
pub struct Running {
    pub child: Child,
    pub out: Lines<BufReader<ChildStdout>>,
    pub err: Lines<BufReader<ChildStderr>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let err = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, out, err }
    }

    /// The next line of JSON.
    pub async fn line(&mut self) -> Value {
        let line = timeout(PATIENCE, self.out.next_line()).await.expect("a line comes in time").unwrap().expect("it goes on");
        serde_json::from_str(&line).unwrap()
    }

    /// Reads stderr up to a line with this text.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            let line = timeout(PATIENCE, self.err.next_line()).await.expect("a line comes in time").unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended without {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    pub async fn code(&mut self) -> i32 {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").unwrap().code().expect("it ends by itself")
    }
}

/// A command in a terminal of its own.
pub struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    /// Everything that was written to the terminal.
    pub seen: String,
}

impl Terminal {
    pub fn open(home: &Home, server: &Server, arguments: &[&str]) -> Self {
        let line = [&[env!("CARGO_BIN_EXE_toygres")], arguments].concat().join(" ");
        // util-linux's script gives it a terminal, and ends with its exit code.
        let mut script = command(home, server, &[]);
        let environment: Vec<_> = script.as_std().get_envs().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect();
        script = Command::new("script");
        script.args(["-qefc", &line, "/dev/null"]).current_dir(home.path()).env_clear().envs(environment).env("TERM", "xterm").kill_on_drop(true);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("util-linux's script is installed");
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen, seen: String::new() }
    }

    pub async fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).await.unwrap();
        self.keys.flush().await.unwrap();
    }

    /// Waits until this is on the screen, after all that was waited for before.
    pub async fn shows(&mut self, text: &str) {
        let mut fresh = String::new();
        while !fresh.contains(text) {
            let more = self.read().await;
            assert!(!more.is_empty(), "it ended without {text:?}:\n{}", self.seen);
            fresh += &more;
        }
    }

    /// Waits for the end; the exit code.
    pub async fn code(&mut self) -> i32 {
        while !self.read().await.is_empty() {}
        timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").unwrap().code().unwrap()
    }

    async fn read(&mut self) -> String {
        let mut bytes = [0; 4096];
        let read = timeout(PATIENCE, self.screen.read(&mut bytes)).await.unwrap_or_else(|_| panic!("nothing more comes:\n{}", self.seen)).unwrap();
        let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
        self.seen += &text;
        text
    }
}
