//! A node that runs a PostgreSQL server of this machine for each pod, at an address of its own, so that tests can log in to instances
//! through their Services.

use std::{
    any::Any,
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use k8s_openapi::ByteString;
use serde_json::Value;
use toygres_store::testing::{PodServer, PodServerOptions};

use super::{
    containers::{self, Exit, Image, Stage},
    jobs,
    network::Network,
    objects::{FakeCluster, claim_of},
};

/// The node. Dropping it stops its servers and removes its volumes.
#[derive(Default)]
pub struct Node {
    state: Arc<Mutex<State>>,
    pub(super) network: Network,
}

#[derive(Default)]
struct State {
    /// What the containers of Jobs with the image of the control plane do.
    image: Option<Arc<Image>>,
    /// How far the pods of Jobs are, by uid.
    jobs: HashMap<String, Stage>,
    /// By the name of the claim.
    volumes: HashMap<String, Arc<PodServer>>,
    /// By the uid of the pod.
    pods: HashMap<String, Pod>,
    /// What the kubelet has mounted into the pods, by the name of the claim.
    mounted: HashMap<String, Mounted>,
    /// The configurations in the volumes, by the name of the claim, and since when the Secret has another one.
    configurations: HashMap<String, (String, Option<Instant>)>,
}

/// How long the kubelet takes to bring a changed configuration into a pod. It is up to a minute or two; here, long enough that a server which
/// is told to read its files at once reads the former ones.
const SYNC: Duration = Duration::from_millis(300);

enum Pod {
    Starting,
    Running {
        address: String,
        _server: Box<dyn Any + Send>,
    },
    /// What its server said last.
    Failed(String),
    /// Its server is shutting down.
    Stopping(std::thread::JoinHandle<()>),
}

/// The files of the Secret of a pod that change while its server runs.
#[derive(Clone, PartialEq)]
struct Mounted {
    /// The certificate of the server with its key. That of some tests is none.
    certificate: Option<Vec<u8>>,
    hba: Option<Vec<u8>>,
}

/// The parameters of a pod's server.
struct ServerSpec {
    uid: String,
    claim: String,
    version: u16,
    username: String,
    password: String,
    database: String,
    configuration: String,
    mounted: Mounted,
}

impl Mounted {
    fn of(data: &Value) -> Self {
        let key = |name: &str| serde_json::from_value(data[name].clone()).ok().map(|ByteString(content)| content);
        let certificate = key("server.pem").filter(|content| content.starts_with(b"-----BEGIN CERTIFICATE-----"));
        Self { certificate, hba: key("pg_hba.conf") }
    }

    fn install(&self, volume: &PodServer) {
        if let Some(certificate) = &self.certificate {
            volume.install_certificate(certificate);
        }
        if let Some(hba) = &self.hba {
            volume.install_hba(hba);
        }
    }
}

impl Node {
    /// Starts the pod's server if it was not started yet; returns whether it accepts connections.
    pub(super) fn runs(&self, cluster: &FakeCluster, pod: &Value) -> bool {
        let Some(spec) = server_spec(cluster, pod) else { return false };
        let mut state = self.state();
        match state.pods.get(&spec.uid) {
            Some(Pod::Running { .. }) => return true,
            Some(_) => return false,
            None => state.pods.insert(spec.uid.clone(), Pod::Starting),
        };
        drop(state);
        let shared = Arc::clone(&self.state);
        // `initdb` takes a second, during which the cluster continues.
        thread::spawn(move || start(&shared, spec));
        false
    }

    /// Starts the containers of the pod of a Job if they were not started yet; returns how far they are.
    pub(super) fn run_job(&self, cluster: &FakeCluster, pod: &Value) -> Option<Stage> {
        let uid = text(&pod["metadata"]["uid"]);
        if let Some(stage) = self.state().jobs.get(&uid) {
            return Some(stage.clone());
        }
        let (secret, claim) = (secret(cluster, pod)?.clone(), claim_of(pod));
        let version = jobs::containers(pod).find(|container| !container["command"].is_null()).and_then(version)?;
        let mut state = self.state();
        // That of an upgrade needs none.
        let image =
            state.image.clone().unwrap_or_else(|| Arc::new(|_: &_| Exit { code: 1, message: "no image of the control plane is set".to_owned() }));
        state.jobs.insert(uid.clone(), Stage::default());
        let volume = Arc::clone(state.volumes.entry(claim).or_insert_with(|| Arc::new(PodServer::empty(version))));
        drop(state);
        let (shared, pod) = (Arc::clone(&self.state), pod.clone());
        thread::spawn(move || {
            let report = |stage: Stage| drop(shared.lock().expect("no thread panics while it holds the lock").jobs.insert(uid.clone(), stage));
            containers::run(&pod, &secret, &volume, &*image, &report);
        });
        Some(Stage::default())
    }

    /// Whether a container of the pod of a Job runs.
    pub(super) fn is_busy(&self, pod: &Value) -> bool {
        let state = self.state();
        let stage = pod["metadata"]["uid"].as_str().and_then(|uid| state.jobs.get(uid));
        stage.is_some_and(|stage| {
            let is_last = stage.container + 1 == jobs::containers(pod).count();
            !stage.exit.as_ref().is_some_and(|exit| exit.code != 0 || is_last)
        })
    }

    /// The last line of the log of the container of a Job that runs.
    pub(super) fn log(&self, pod: &Value) -> String {
        pod["metadata"]["uid"].as_str().and_then(|uid| Some(self.state().jobs.get(uid)?.log.clone())).unwrap_or_default()
    }

    pub(super) fn set_image(&self, image: Box<Image>) {
        self.state().image = Some(image.into());
    }

    /// Brings the files in the Secret of a pod to its server, which reads them when it is told to. The kubelet takes up to a minute.
    pub(super) fn mount(&self, cluster: &FakeCluster, pod: &Value) {
        if cluster.mounts_held {
            return;
        }
        self.mount_configuration(cluster, pod);
        let Some(files) = secret(cluster, pod).map(|secret| Mounted::of(&secret["data"])) else { return };
        let claim = claim_of(pod);
        let mut state = self.state();
        let State { volumes, mounted, .. } = &mut *state;
        if let Some(volume) = volumes.get(&claim)
            && mounted.get(&claim) != Some(&files)
        {
            files.install(volume);
            mounted.insert(claim, files);
        }
    }

    /// Replaces the certificate in the pod of a claim, which the kubelet finds out.
    pub(super) fn replace_certificate(&self, claim: &str, pem: &[u8]) {
        let mut state = self.state();
        let State { volumes, mounted, .. } = &mut *state;
        let (volume, mounted) = (&volumes[claim], mounted.get_mut(claim).expect("its pod has started"));
        mounted.certificate = Some(pem.to_vec());
        mounted.install(volume);
    }

    /// Brings a changed configuration to the server of a pod once [`SYNC`] is over.
    fn mount_configuration(&self, cluster: &FakeCluster, pod: &Value) {
        let Some(spec) = server_spec(cluster, pod) else { return };
        let mut state = self.state();
        let State { volumes, configurations, .. } = &mut *state;
        if let (Some(volume), Some((present, changed))) = (volumes.get(&spec.claim), configurations.get_mut(&spec.claim))
            && *present != spec.configuration
            && changed.get_or_insert_with(Instant::now).elapsed() > SYNC
        {
            volume.configure(&spec.configuration);
            (*present, *changed) = (spec.configuration, None);
        }
    }

    /// Why the server of a pod does not start, if it does not.
    pub(super) fn failure(&self, pod: &Value) -> Option<String> {
        match self.state().pods.get(pod["metadata"]["uid"].as_str()?)? {
            Pod::Failed(message) => Some(message.clone()),
            Pod::Starting | Pod::Running { .. } | Pod::Stopping(_) => None,
        }
    }

    /// Has the pod's server shut down, which may wait for those who follow it; returns whether it has.
    pub(super) fn has_stopped(&self, pod: &Value) -> bool {
        let uid = text(&pod["metadata"]["uid"]);
        let mut state = self.state();
        let task = match state.pods.remove(&uid) {
            None | Some(Pod::Starting | Pod::Failed(_)) => return true,
            Some(running @ Pod::Running { .. }) => std::thread::spawn(move || drop(running)),
            Some(Pod::Stopping(task)) => task,
        };
        let has_stopped = task.is_finished();
        if !has_stopped {
            state.pods.insert(uid, Pod::Stopping(task));
        }
        has_stopped
    }

    /// Stops the pod's server and waits until it has stopped.
    pub(super) fn stop(&self, pod: &Value) {
        let uid = text(&pod["metadata"]["uid"]);
        let pod = self.state().pods.remove(&uid);
        drop(pod);
    }

    /// The address of the pod's server, if it accepts connections.
    pub(super) fn address_of(&self, pod: &Value) -> Option<String> {
        match self.state().pods.get(pod["metadata"]["uid"].as_str()?)? {
            Pod::Running { address, .. } => Some(address.clone()),
            Pod::Starting | Pod::Failed(_) | Pod::Stopping(_) => None,
        }
    }

    /// The log of the pod's server, if it was started.
    pub(super) fn log_file(&self, pod: &Value) -> Option<PathBuf> {
        let state = self.state();
        state.pods.get(pod["metadata"]["uid"].as_str()?).filter(|pod| !matches!(pod, Pod::Starting))?;
        Some(state.volumes.get(&claim_of(pod))?.directory().join("log"))
    }

    /// Whether the pod has a server that has not stopped.
    pub(super) fn has_server(&self, pod: &Value) -> bool {
        pod["metadata"]["uid"].as_str().is_some_and(|uid| match self.state().pods.get(uid) {
            Some(Pod::Stopping(task)) => !task.is_finished(),
            Some(Pod::Starting | Pod::Running { .. }) => true,
            Some(Pod::Failed(_)) | None => false,
        })
    }

    /// Removes the volume of a claim.
    pub(super) fn release(&self, claim: &str) {
        let volume = self.state().volumes.remove(claim);
        drop(volume);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the lock")
    }
}

fn start(state: &Mutex<State>, spec: ServerSpec) {
    let lock = || state.lock().expect("no thread panics while it holds the lock");
    let known = lock().volumes.get(&spec.claim).filter(|volume| volume.has_data()).cloned();
    let volume = known.unwrap_or_else(|| {
        let options = PodServerOptions { version: spec.version, username: &spec.username, password: &spec.password, database: &spec.database };
        let made = Arc::new(PodServer::create(&options, &spec.configuration));
        // The pod may have been replaced meanwhile, and the next one may have been faster.
        let mut state = lock();
        match state.volumes.get(&spec.claim).filter(|volume| volume.has_data()) {
            Some(faster) => Arc::clone(faster),
            None => {
                state.volumes.insert(spec.claim.clone(), Arc::clone(&made));
                made
            }
        }
    });
    if !lock().pods.contains_key(&spec.uid) {
        return;
    }
    {
        // Not while the kubelet installs others. A new pod has what the Secret has now.
        let mut state = lock();
        volume.configure(&spec.configuration);
        state.configurations.insert(spec.claim.clone(), (spec.configuration.clone(), None));
        spec.mounted.install(&volume);
    }
    let address = address();
    let server = volume.start(&address, 5432);
    let mut state = lock();
    // The pod was stopped meanwhile: dropping the server stops it.
    let Some(pod) = state.pods.get_mut(&spec.uid) else { return };
    *pod = match server {
        Some(server) => Pod::Running { address, _server: Box::new(server) },
        None => Pod::Failed(volume.last_message()),
    };
}

/// Reads the parameters from a pod; `None` while an object that the pod refers to does not exist.
fn server_spec(cluster: &FakeCluster, pod: &Value) -> Option<ServerSpec> {
    let container = &pod["spec"]["containers"][0];
    let variable = |name: &str| container["env"].as_array()?.iter().find(|entry| entry["name"] == name)?["value"].as_str().map(str::to_owned);
    let data = &secret(cluster, pod)?["data"];
    let version = version(container)?;
    let key = |name: &str| {
        let bytes: ByteString = serde_json::from_value(data[name].clone()).ok()?;
        String::from_utf8(bytes.0).ok()
    };
    Some(ServerSpec {
        uid: text(&pod["metadata"]["uid"]),
        claim: claim_of(pod),
        version,
        username: variable("POSTGRES_USER")?,
        password: key("password")?,
        database: variable("POSTGRES_DB")?,
        configuration: key("postgresql.conf")?.lines().filter(|line| is_possible(line, version)).map(|line| format!("{line}\n")).collect(),
        mounted: Mounted::of(data),
    })
}

/// Whether a line of the configuration makes sense for a server of this version. Paths in the pod do not exist here, and the server may be
/// older than the one that was requested.
fn is_possible(line: &str, version: u16) -> bool {
    let is_older = version < 16 && line.starts_with("reserved_connections ");
    !is_older && !["include ", "hba_file ", "ssl"].iter().any(|start| line.starts_with(start))
}

fn secret<'a>(cluster: &'a FakeCluster, pod: &Value) -> Option<&'a Value> {
    cluster.get("secrets", jobs::secret_names(pod).next()?)
}

/// The version of the server that stands in for that of an image.
fn version(container: &Value) -> Option<u16> {
    let tag = container["image"].as_str()?.split('@').next()?.rsplit_once(':')?.1;
    Some(PodServer::version(tag.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?))
}

/// An address of the loopback network that no other fake API server of this machine assigns.
pub(super) fn address() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    format!("127.{}.{}.{}", 64 + process % 64 + (number / 250) % 2 * 64, (process / 64) % 256, number % 250 + 1)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
