//! A fake Kubernetes API server for tests: HTTP on loopback, with the controllers that an instance depends on.
//!
//! Errors, the status of pods in every failure and the steps of a deletion are those recorded from a real API server. As with
//! the Role, every call that is not in [`toygres_k8s::permissions::PERMISSIONS`] is refused.

mod containers;
mod controllers;
mod expansion;
mod http;
mod jobs;
mod log;
mod managed_fields;
mod network;
mod node;
mod objects;
mod proxy;
pub mod recordings;
mod running;
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

pub use containers::{Exit, Image, Process, complete_versions, program};
pub use expansion::Expansion;
pub use node::Node;
use objects::FakeCluster;
pub use proxy::{Network, Proxy};
pub use running::RunningInstance;
pub use scenario::Scenario;

/// The namespace that exists.
pub const NAMESPACE: &str = "toygres-instances";

/// The token that every call is allowed with.
const ADMINISTRATOR: &str = "administrator";

/// One API call: verb, group, resource.
pub type Call = (String, String, String);

/// The API server. Dropping it stops it.
pub struct FakeApiServer {
    shared: Arc<Shared>,
    url: String,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// When the caller of an API call crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the server handles the call.
    Before,
    /// After the server handled the call, before the response arrives.
    After,
}

/// How fast things happen in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// At once, for tests that wait for them.
    Test,
    /// Nothing happens by itself.
    Still,
}

/// What the server and its controllers share.
pub struct Shared {
    cluster: Mutex<FakeCluster>,
    /// Counts changes; watches and controllers wait on it.
    changed: channel::Sender<u64>,
    /// After how long without an event a watch gets a bookmark.
    bookmarks: Duration,
    script: Mutex<Script>,
    /// Verbs and resources that the Role lacks.
    denied: Mutex<Vec<(&'static str, &'static str)>>,
    /// Whether the call that crashes its caller was reached.
    crashed: channel::Sender<bool>,
}

#[derive(Default)]
struct Script {
    crash: Option<(usize, Crash)>,
    /// A change by another client right before a call.
    interference: Option<(usize, Interference)>,
    refusals: Vec<Refusal>,
    calls: Vec<Call>,
}

type Interference = Box<dyn FnOnce(&mut FakeCluster) + Send>;

/// A call that fails with a recorded error a number of times.
struct Refusal {
    verb: &'static str,
    resource: &'static str,
    status: Value,
    times: usize,
}

impl FakeApiServer {
    /// Starts one whose pods report that they run without running anything.
    pub async fn start() -> Self {
        Self::start_with(None, Pace::Test).await
    }

    /// Starts one whose pods are PostgreSQL servers of this machine.
    pub async fn start_real() -> Self {
        Self::start_with(Some(Node::default()), Pace::Test).await
    }

    /// Starts one without controllers, in which nothing happens to an object unless a client does it: see `FakeCluster::add_running`.
    pub async fn start_still() -> Self {
        Self::start_with(None, Pace::Still).await
    }

    async fn start_with(node: Option<Node>, pace: Pace) -> Self {
        let shared = Arc::new(Shared {
            cluster: Mutex::new(FakeCluster::new(node)),
            changed: channel::Sender::new(0),
            bookmarks: match pace {
                Pace::Test => Duration::from_millis(50),
                // A real API server sends about one a minute.
                Pace::Still => Duration::from_secs(10),
            },
            script: Mutex::default(),
            denied: Mutex::default(),
            crashed: channel::Sender::new(false),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = http::router(Arc::clone(&shared));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let mut tasks = vec![server];
        if pace == Pace::Test {
            tasks.push(tokio::spawn(controllers::run(Arc::clone(&shared))));
        }
        Self { shared, url, tasks }
    }

    /// A new runtime, as after a restart of the control plane.
    pub fn runtime(&self) -> KubernetesRuntime {
        self.runtime_with(Settings { endpoint_host: Some(EndpointHost::ServiceName), ..Settings::default() })
    }

    /// A new runtime with these settings.
    pub fn runtime_with(&self, settings: Settings) -> KubernetesRuntime {
        let config = kube::Config::new(self.url.parse().unwrap());
        KubernetesRuntime::new(kube::Client::try_from(config).unwrap(), settings)
    }

    /// The URL it listens at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig for it: as an administrator, or as the service account of the control plane.
    pub fn kubeconfig(&self, administrator: bool) -> String {
        self.kubeconfig_at(&self.url, administrator)
    }

    /// The same for this server at the URL of a proxy.
    pub fn kubeconfig_at(&self, url: &str, administrator: bool) -> String {
        let token = if administrator { ADMINISTRATOR } else { "control-plane" };
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: fake\nclusters: [{{name: fake, cluster: {{server: \"{url}\"}}}}]\n\
             users: [{{name: user, user: {{token: {token}}}}}]\ncontexts: [{{name: fake, context: {{cluster: fake, user: user}}}}]\n"
        )
    }

    /// Revokes a permission.
    pub fn deny(&self, verb: &'static str, resource: &'static str) {
        self.shared.denied.lock().unwrap().push((verb, resource));
    }

    /// Sets what containers with the image of the control plane do, where pods are programs of this machine.
    pub fn set_image(&self, image: Box<Image>) {
        self.shared.cluster().node.as_ref().expect("pods are programs").set_image(image);
    }

    /// Sets what happens to the pods that are created from now on.
    pub fn set_scenario(&self, scenario: Scenario) {
        self.cluster(|cluster| cluster.scenario = scenario);
    }

    /// Changes objects directly, without an API call.
    pub fn cluster<T>(&self, change: impl FnOnce(&mut FakeCluster) -> T) -> T {
        self.shared.change(change)
    }

    /// The names of the objects of one kind.
    pub fn names(&self, resource: &str) -> Vec<String> {
        self.shared.cluster().list(resource).map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// One object.
    pub fn object(&self, resource: &str, name: &str) -> Option<Value> {
        self.shared.cluster().get(resource, name).cloned()
    }

    /// All objects but events, as `resource/name`.
    pub fn object_names(&self) -> BTreeSet<String> {
        self.shared.cluster().object_names()
    }

    /// Fails the next calls with a recorded error.
    pub fn refuse(&self, verb: &'static str, resource: &'static str, status: Value, times: usize) {
        self.shared.script().refusals.push(Refusal { verb, resource, status, times });
    }

    /// Leaves the `n`th call from now on, counted from 0, without a response.
    pub fn crash_at(&self, n: usize, when: Crash) {
        self.shared.crashed.send_replace(false);
        self.shared.script().crash = Some((n, when));
    }

    /// Changes objects right before the `n`th call from now on.
    pub fn interfere_at(&self, n: usize, change: impl FnOnce(&mut FakeCluster) + Send + 'static) {
        self.shared.script().interference = Some((n, Box::new(change)));
    }

    /// Cancels the crash; returns whether it happened.
    pub fn clear_crash(&self) -> bool {
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
    /// Polls after every change until `poll` returns a value.
    pub async fn wait_for<T, F: Future<Output = Option<T>>>(&self, what: &str, mut poll: impl FnMut() -> F) -> T {
        let mut changes = self.shared.changed.subscribe();
        let wait = async {
            loop {
                changes.mark_unchanged();
                if let Some(answer) = poll().await {
                    return answer;
                }
                // The result can also change with time alone, without a change of an object.
                let _ = tokio::time::timeout(Duration::from_millis(20), changes.changed()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .unwrap_or_else(|_| panic!("timed out waiting for {what}; the objects are {:?}", self.object_names()))
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
    fn cluster(&self) -> MutexGuard<'_, FakeCluster> {
        self.cluster.lock().unwrap()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut FakeCluster) -> T) -> T {
        let answer = change(&mut self.cluster());
        self.changed.send_modify(|count| *count += 1);
        answer
    }
}
