//! An API server in this process, behind real HTTP on loopback, with the controllers that matter to us.
//!
//! It keeps to what was recorded from a real one: bodies of errors, the status of pods in every failure, the steps of a
//! deletion. It refuses every call that is not in [`toygres_k8s::permissions::PERMISSIONS`], as the Role does.

mod controllers;
mod http;
mod objects;
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

use objects::World;
pub(crate) use scenario::Scenario;

/// The namespace that exists.
pub(crate) const NAMESPACE: &str = "toygres";

/// One API call: verb, group, resource.
pub(crate) type Call = (String, String, String);

/// The API server. It stops when it is dropped.
pub(crate) struct Double {
    shared: Arc<Shared>,
    url: String,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// When the caller of an API call crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Before the server has done anything.
    Before,
    /// After the server has done it, before its answer arrives.
    After,
}

pub(crate) struct Shared {
    world: Mutex<World>,
    /// Counts changes; watches and controllers wait on it.
    changed: channel::Sender<u64>,
    script: Mutex<Script>,
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

type Interference = Box<dyn FnOnce(&mut World) + Send>;

/// A call that is answered with a recorded error, a number of times.
struct Refusal {
    verb: &'static str,
    resource: &'static str,
    status: Value,
    times: usize,
}

impl Double {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            world: Mutex::new(World::default()),
            changed: channel::Sender::new(0),
            script: Mutex::default(),
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
    pub(crate) fn runtime(&self) -> KubernetesRuntime {
        self.runtime_with(Settings { endpoint_host: Some(EndpointHost::ServiceName), ..Settings::default() })
    }

    pub(crate) fn runtime_with(&self, settings: Settings) -> KubernetesRuntime {
        let config = kube::Config::new(self.url.parse().unwrap());
        KubernetesRuntime::new(kube::Client::try_from(config).unwrap(), settings)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What becomes of pods from now on.
    pub(crate) fn play(&self, scenario: Scenario) {
        self.world(|world| world.scenario = scenario);
    }

    /// Changes the world behind everybody's back, as an operator or a broken controller does.
    pub(crate) fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        self.shared.change(change)
    }

    /// The objects of one kind that are there, by name.
    pub(crate) fn names(&self, resource: &str) -> Vec<String> {
        self.shared.world().list(resource).map(|object| object["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// One object.
    pub(crate) fn object(&self, resource: &str, name: &str) -> Option<Value> {
        self.shared.world().get(resource, name).cloned()
    }

    /// Everything that is there, as `resource/name`.
    pub(crate) fn everything(&self) -> BTreeSet<String> {
        self.shared.world().everything()
    }

    /// Answers the next calls with a recorded error.
    pub(crate) fn refuse(&self, verb: &'static str, resource: &'static str, status: Value, times: usize) {
        self.shared.script().refusals.push(Refusal { verb, resource, status, times });
    }

    /// Lets the `n`th call from now on, counted from 0, never be answered.
    pub(crate) fn crash_at(&self, n: usize, when: Crash) {
        self.shared.crashed.send_replace(false);
        self.shared.script().crash = Some((n, when));
    }

    /// Changes the world just before the `n`th call from now on.
    pub(crate) fn interfere_at(&self, n: usize, change: impl FnOnce(&mut World) + Send + 'static) {
        self.shared.script().interference = Some((n, Box::new(change)));
    }

    /// Takes the crash back. Answers whether it came to it.
    pub(crate) fn uncrash(&self) -> bool {
        self.shared.script().crash = None;
        self.shared.crashed.send_replace(false)
    }

    /// Waits until the call is reached that crashes its caller.
    pub(crate) async fn crashed(&self) {
        self.shared.crashed.subscribe().wait_for(|crashed| *crashed).await.unwrap();
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.script().calls.clone()
    }
}

impl Double {
    /// Looks again after every change until the look gives an answer.
    pub(crate) async fn look<T, F: Future<Output = Option<T>>>(&self, what: &str, mut look: impl FnMut() -> F) -> T {
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

impl Drop for Double {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let answer = change(&mut self.world());
        self.changed.send_modify(|count| *count += 1);
        answer
    }
}
