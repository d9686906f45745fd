//! A node that really runs something: for each pod a PostgreSQL server of this machine, at the address of its Service. So
//! the whole product runs against the double, up to logging in.

use std::{
    any::Any,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use k8s_openapi::ByteString;
use serde_json::Value;
use toygres_store::testing::StandIn;

use super::objects::FakeCluster;

/// The node. Its volumes and servers go with it.
#[derive(Default)]
pub struct Node {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By the name of the claim.
    volumes: HashMap<String, Arc<StandIn>>,
    /// By the uid of the pod.
    pods: HashMap<String, Pod>,
}

enum Pod {
    Starting,
    Running { _server: Box<dyn Any + Send> },
    Failed,
}

/// What a pod's server needs to know.
struct Order {
    uid: String,
    claim: String,
    address: String,
    username: String,
    password: String,
    database: String,
}

impl Node {
    /// Starts the pod's server, unless that was done; answers whether it takes connections.
    pub(super) fn runs(&self, world: &FakeCluster, pod: &Value) -> bool {
        let Some(order) = order(world, pod) else { return false };
        let mut state = self.state();
        match state.pods.get(&order.uid) {
            Some(Pod::Running { .. }) => return true,
            Some(_) => return false,
            None => state.pods.insert(order.uid.clone(), Pod::Starting),
        };
        drop(state);
        let shared = Arc::clone(&self.state);
        // Making a data directory takes a second, in which the world goes on.
        thread::spawn(move || start(&shared, order));
        false
    }

    /// Stops the pod's server; it is over when this returns.
    pub(super) fn stop(&self, pod: &Value) {
        let uid = text(&pod["metadata"]["uid"]);
        let pod = self.state().pods.remove(&uid);
        drop(pod);
    }

    /// Removes what a claim holds.
    pub(super) fn release(&self, claim: &str) {
        let volume = self.state().volumes.remove(claim);
        drop(volume);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }
}

fn start(state: &Mutex<State>, order: Order) {
    let lock = || state.lock().expect("nobody panics with it");
    let known = lock().volumes.get(&order.claim).cloned();
    let volume = known.unwrap_or_else(|| {
        let made = Arc::new(StandIn::create(&order.username, &order.password, &order.database));
        lock().volumes.insert(order.claim, Arc::clone(&made));
        made
    });
    let server = volume.start(&order.address, 5432);
    let mut state = lock();
    // Stopped meanwhile: what was started goes again.
    let Some(pod) = state.pods.get_mut(&order.uid) else { return };
    *pod = match server {
        Some(server) => Pod::Running { _server: Box::new(server) },
        None => Pod::Failed,
    };
}

/// What a pod asks for; `None` while something that it refers to is not there.
fn order(world: &FakeCluster, pod: &Value) -> Option<Order> {
    let container = &pod["spec"]["containers"][0];
    let variable = |name: &str| container["env"].as_array()?.iter().find(|entry| entry["name"] == name)?["value"].as_str().map(str::to_owned);
    let volumes = pod["spec"]["volumes"].as_array()?;
    let secret = volumes.iter().find_map(|volume| volume["secret"]["secretName"].as_str())?;
    let password: ByteString = serde_json::from_value(world.get("secrets", secret)?["data"]["password"].clone()).ok()?;
    let id = &pod["metadata"]["labels"]["toygres.io/instance-id"];
    let service = world
        .list("services")
        .find(|service| service["spec"]["selector"]["toygres.io/instance-id"] == *id && service["spec"]["clusterIP"] != "None")?;
    Some(Order {
        uid: text(&pod["metadata"]["uid"]),
        claim: format!("data-{}", text(&pod["metadata"]["name"])),
        address: text(&service["spec"]["clusterIP"]),
        username: variable("POSTGRES_USER")?,
        password: String::from_utf8(password.0).ok()?,
        database: variable("POSTGRES_DB")?,
    })
}

/// An address of the loopback network that no other double of this machine hands out.
pub(super) fn address() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    format!("127.{}.{}.{}", 64 + process % 64 + (number / 250) % 2 * 64, (process / 64) % 256, number % 250 + 1)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
