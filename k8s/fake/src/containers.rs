//! The containers of the pod of a Job, as programs of this machine that run one after the other: scripts for PostgreSQL, and the control
//! plane.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use k8s_openapi::ByteString;
use serde_json::Value;
use toygres_store::testing::PodServer;

use super::jobs::containers;

/// A container that copies programs from its image into the pod.
const PROGRAMS: &str = "programs";

/// How far the pod of a Job is.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// Which container runs, or was the last one.
    pub container: usize,
    /// How that has ended, if it has.
    pub exit: Option<Exit>,
    /// The last line of its log.
    pub log: String,
}

/// How a container has ended.
#[derive(Clone, Debug, Default)]
pub struct Exit {
    /// The exit code.
    pub code: i32,
    /// The termination message.
    pub message: String,
}

/// A container that runs the image of the control plane.
pub struct Process<'a> {
    /// Its arguments, with paths of this machine.
    pub args: &'a [String],
    /// Its environment.
    pub env: &'a [(String, String)],
    /// Adds a line to its log.
    pub log: &'a (dyn Fn(&str) + Sync),
}

/// What the image of the control plane does.
pub type Image = dyn Fn(&Process<'_>) -> Exit + Send + Sync;

/// An image that runs a program of this machine.
pub fn program(path: PathBuf) -> Box<Image> {
    Box::new(move |process| {
        let directory = std::env::temp_dir().join(format!("toygres-container-{}-{:?}", std::process::id(), std::thread::current().id()));
        fs::create_dir_all(&directory).expect("there is room for temporary files");
        let message = directory.join("termination-log");
        let mut command = Command::new(&path);
        command.args(process.args).arg("--termination-log").arg(&message).env_clear().envs(process.env.iter().cloned());
        let mut child = command.current_dir(&directory).stdout(Stdio::piped()).spawn().expect("the program starts");
        for line in BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok) {
            (process.log)(&line);
        }
        let code = child.wait().expect("the program ends").code().unwrap_or(137);
        let message = fs::read_to_string(message).unwrap_or_default();
        let _ = fs::remove_dir_all(directory);
        Exit { code, message }
    })
}

/// The versions of the servers of this machine between which data can be upgraded: that of the machine first.
#[must_use]
pub fn complete_versions() -> Vec<u16> {
    PodServer::complete_installations().into_iter().map(|(version, _)| version).collect()
}

/// Runs the containers of a pod on a volume, and reports each stage.
pub(super) fn run(pod: &Value, secret: &Value, volume: &PodServer, image: &Image, report: &(dyn Fn(Stage) + Sync)) {
    let paths = Paths::new(pod, secret, volume);
    for (number, container) in containers(pod).enumerate() {
        let stage = Stage { container: number, ..Stage::default() };
        report(stage.clone());
        if container["name"] == PROGRAMS {
            // The programs of all versions are on this machine.
            report(Stage { exit: Some(Exit::default()), ..stage });
            continue;
        }
        let args: Vec<String> = texts(&container["args"]).map(|text| paths.local(text)).collect();
        let env = environment(container, secret, &paths);
        let exit = match texts(&container["command"]).nth(2) {
            Some(script) => {
                let (code, said) = volume.run_script(&paths.local(script), &args, &env);
                // FallbackToLogsOnError
                Exit { code, message: if code == 0 { String::new() } else { said } }
            }
            None => image(&Process { args: &args, env: &env, log: &|line| report(Stage { log: line.to_owned(), ..stage.clone() }) }),
        };
        // The control plane is another user here than the server.
        volume.adopt();
        let failed = exit.code != 0;
        report(Stage { exit: Some(exit), ..stage });
        if failed {
            return;
        }
    }
}

/// Paths in the pod and on this machine.
struct Paths(Vec<(String, String)>);

impl Paths {
    /// Mounts the Secret.
    fn new(pod: &Value, secret: &Value, volume: &PodServer) -> Self {
        let mounted = volume.directory().join("secrets");
        fs::create_dir_all(&mounted).expect("the directory is ours");
        for (name, content) in secret["data"].as_object().into_iter().flatten() {
            if let Ok(ByteString(content)) = serde_json::from_value(content.clone()) {
                fs::write(mounted.join(name), content).expect("the directory is ours");
            }
        }
        volume.adopt();
        let local = |path: PathBuf| path.to_str().expect("temporary directories are ASCII").to_owned();
        // Whichever version it is of, the data is in one place here.
        let variables = containers(pod).flat_map(|container| container["env"].as_array().into_iter().flatten());
        let data = variables.filter(|variable| ["PGDATA", "FORMER_DATA", "NEW_DATA"].iter().any(|name| variable["name"] == *name));
        let data = data.filter_map(|variable| Some((variable["value"].as_str()?.to_owned(), local(volume.directory().join("data")))));
        let secrets = ["/run/secrets/restore", "/run/secrets/store", "/run/secrets/upgrade"].map(|path| (path.to_owned(), local(mounted.clone())));
        for (version, binaries) in PodServer::complete_installations() {
            let place = volume.directory().join("programs").join(version.to_string());
            fs::create_dir_all(&place).expect("the directory is ours");
            // It may be there already.
            let _ = std::os::unix::fs::symlink(binaries, place.join("bin"));
        }
        let programs = ("/usr/lib/postgresql".to_owned(), local(volume.directory().join("programs")));
        Self(data.chain(secrets).chain([programs]).collect())
    }

    fn local(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (pod, local)| text.replace(pod, local))
    }
}

fn environment(container: &Value, secret: &Value, paths: &Paths) -> Vec<(String, String)> {
    let variables = container["env"].as_array().into_iter().flatten();
    let value = |variable: &Value| {
        if let Some(value) = variable["value"].as_str() {
            return Some(paths.local(value));
        }
        let key = variable["valueFrom"]["secretKeyRef"]["key"].as_str()?;
        let ByteString(content) = serde_json::from_value(secret["data"][key].clone()).ok()?;
        String::from_utf8(content).ok().map(|value| paths.local(&value))
    };
    variables.filter_map(|variable| Some((variable["name"].as_str()?.to_owned(), value(variable)?))).collect()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
