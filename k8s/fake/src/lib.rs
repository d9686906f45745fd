//! An API server in this process, behind real HTTP on loopback, with the controllers that matter to us.
//!
//! It keeps to what was recorded from a real one: bodies of errors, the status of pods in every failure, the steps of a
//! deletion. It refuses every call that is not in [`toygres_k8s::permissions::PERMISSIONS`], as the Role does.

mod controllers;
mod http;
mod node;
mod objects;
pub mod recordings;
mod scenario;
mod server_side_apply;
mod status;
mod watch;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::watch as channel;
use toygres_k8s::{KubernetesRuntime, Settings, settings::EndpointHost};

pub use node::Node;
use objects::FakeCluster;
pub use scenario::Scenario;

/// The namespace that exists.
pub const NAMESPACE: &str = "toygres";

/// The token of somebody who may do everything.
const ADMINISTRATOR: &str = "administrator";

/// One API call: verb, group, resource.
pub type Call = (String, String, String);

/// The API server. It stops when it is dropped.
pub struct FakeApiServer {
    shared: Arc<Shared>,
    url: String,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// When the caller of an API call crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the server has done anything.
    Before,
    /// After the server has done it, before its answer arrives.
    After,
}

/// What the server and its controllers share.
pub struct Shared {
    world: Mutex<FakeCluster>,
    /// Counts changes; watches and controllers wait on it.
    changed: channel::Sender<u64>,
    script: Mutex<Script>,
    /// Verbs and resources that the Role lacks.
    pub(super) denied: Mutex<Vec<(&'static str, &'static str)>>,
    /// Whether the call that the script names was reached.
    crashed: channel::Sender<bool>,
}

#[derive(Default)]
struct Script {
    crash: Option<(usize, Crash)>,
    /// What somebody else does just before a call.
    interference: Option<(usize, Interference)>,
    refusals: Vec<Refusal>,
    calls: Vec<Call>,
}

type Interference = Box<dyn FnOnce(&mut FakeCluster) + Send>;

/// A call that is answered with a recorded error, a number of times.
struct Refusal {
    verb: &'static str,
    resource: &'static str,
    status: Value,
    times: usize,
}

impl FakeApiServer {
    /// One whose pods only say that they run.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One whose pods are real PostgreSQL servers of this machine.
    pub async fn start_real() -> Self {
        Self::start_with(Some(Node::default())).await
    }

    async fn start_with(node: Option<Node>) -> Self {
        let shared = Arc::new(Shared {
            world: Mutex::new(FakeCluster::new(node)),
            changed: channel::Sender::new(0),
            script: Mutex::default(),
            denied: Mutex::default(),
            crashed: channel::Sender::new(false),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = http::router(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let controllers = tokio::spawn(controllers::run(Arc::clone(&shared)));
        Self { shared, url, tasks: vec![server, controllers] }
    }

    /// A runtime as after a start of the server: nothing of an earlier one is left in it.
    pub fn runtime(&self) -> KubernetesRuntime {
        self.runtime_with(Settings { endpoint_host: Some(EndpointHost::ServiceName), ..Settings::default() })
    }

    /// The same with settings of its own.
    pub fn runtime_with(&self, settings: Settings) -> KubernetesRuntime {
        let config = kube::Config::new(self.url.parse().unwrap());
        KubernetesRuntime::new(kube::Client::try_from(config).unwrap(), settings)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig for it: as an administrator, or as the service account of the control plane.
    pub fn kubeconfig(&self, administrator: bool) -> String {
        let token = if administrator { ADMINISTRATOR } else { "control-plane" };
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: double\nclusters: [{{name: double, cluster: {{server: \"{}\"}}}}]\n\
             users: [{{name: user, user: {{token: {token}}}}}]\ncontexts: [{{name: double, context: {{cluster: double, user: user}}}}]\n",
            self.url
        )
    }

    /// Takes a permission away.
    pub fn deny(&self, verb: &'static str, resource: &'static str) {
        self.shared.denied.lock().unwrap().push((verb, resource));
    }

    /// What becomes of pods from now on.
    pub fn play(&self, scenario: Scenario) {
        self.world(|world| world.scenario = scenario);
    }

    /// Changes the world behind everybody's back, as an operator or a broken controller does.
    pub fn world<T>(&self, change: impl FnOnce(&mut FakeCluster) -> T) -> T {
        self.shared.change(change)
    }

    /// The objects of one kind that are there, by name.
    pub fn names(&self, resource: &str) -> Vec<String> {
        self.shared.world().list(resource).map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// One object.
    pub fn object(&self, resource: &str, name: &str) -> Option<Value> {
        self.shared.world().get(resource, name).cloned()
    }

    /// Everything that is there, as `resource/name`.
    pub fn everything(&self) -> BTreeSet<String> {
        self.shared.world().everything()
    }

    /// Answers the next calls with a recorded error.
    pub fn refuse(&self, verb: &'static str, resource: &'static str, status: Value, times: usize) {
        self.shared.script().refusals.push(Refusal { verb, resource, status, times });
    }

    /// Lets the `n`th call from now on, counted from 0, never be answered.
    pub fn crash_at(&self, n: usize, when: Crash) {
        self.shared.crashed.send_replace(false);
        self.shared.script().crash = Some((n, when));
    }

    /// Changes the world just before the `n`th call from now on.
    pub fn interfere_at(&self, n: usize, change: impl FnOnce(&mut FakeCluster) + Send + 'static) {
        self.shared.script().interference = Some((n, Box::new(change)));
    }

    /// Takes the crash back. Answers whether it came to it.
    pub fn uncrash(&self) -> bool {
        self.shared.script().crash = None;
        self.shared.crashed.send_replace(false)
    }

    /// Waits until the call is reached that crashes its caller.
    pub async fn crashed(&self) {
        self.shared.crashed.subscribe().wait_for(|crashed| *crashed).await.unwrap();
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.script().calls.clone()
    }
}

impl FakeApiServer {
    /// Looks again after every change until the look gives an answer.
    pub async fn look<T, F: Future<Output = Option<T>>>(&self, what: &str, mut look: impl FnMut() -> F) -> T {
        let mut changes = self.shared.changed.subscribe();
        let wait = async {
            loop {
                changes.mark_unchanged();
                if let Some(answer) = look().await {
                    return answer;
                }
                // The clock alone can be what changes an answer, and our own calls wake nobody.
                let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}; there are {:?}", self.everything()))
    }
}

impl Drop for FakeApiServer {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, FakeCluster> {
        self.world.lock().unwrap()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut FakeCluster) -> T) -> T {
        let answer = change(&mut self.world());
        self.changed.send_modify(|count| *count += 1);
        answer
    }
}
