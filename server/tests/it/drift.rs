//! Drift in a cluster: what somebody deletes or edits of a running instance is put back without being asked, and is an event.

use std::time::{Duration, Instant};

use serde_json::json;
use toygres_k8s::build::names;
use toygres_k8s_fake::FakeApiServer;

use crate::{
    kubernetes::{Platform, edit, repairs},
    support::{Server, eventually, psql, text},
};

/// How long a repair may take while changes are watched, and while they are not.
const WATCHED: Duration = Duration::from_secs(2);
const UNWATCHED: Duration = Duration::from_secs(60);

/// A running instance: its ID, its name, and the name of its objects.
struct Subject {
    id: String,
    name: &'static str,
    object: String,
}

/// What somebody does, and what is said about it.
type Change = (fn(&FakeApiServer, &Subject), &'static str);

const DELETIONS: [Change; 5] = [
    (|cluster, it| remove(cluster, "services", &format!("{}-headless", it.object)), "the Service {object}-headless was deleted"),
    (|cluster, it| remove(cluster, "networkpolicies", &it.object), "the NetworkPolicy {object} was deleted"),
    (|cluster, it| remove(cluster, "secrets", &it.object), "the Secret {object} was deleted"),
    (|cluster, it| remove(cluster, "services", it.name), "the Service {name} was deleted"),
    (|cluster, it| remove(cluster, "statefulsets", &it.object), "the StatefulSet {object} was deleted"),
];

/// The last one ends sessions.
const EDITS: [Change; 4] = [
    (
        |cluster, it| edit(cluster, "services", it.name, |service| service["spec"]["selector"] = json!({ "app": "other" })),
        "the Service {name} was edited (spec.selector.toygres.io/instance-id)",
    ),
    (
        |cluster, it| edit(cluster, "networkpolicies", &it.object, |policy| policy["spec"]["policyTypes"] = json!(["Ingress"])),
        "the NetworkPolicy {object} was edited (spec.policyTypes)",
    ),
    (
        |cluster, it| edit(cluster, "secrets", &it.object, |secret| secret["data"]["password"] = json!("eA==")),
        "the Secret {object} was edited (data.password)",
    ),
    (
        |cluster, it| edit(cluster, "statefulsets", &it.object, |set| set["spec"]["replicas"] = json!(0)),
        "the StatefulSet {object} was edited (spec.replicas)",
    ),
];

fn remove(cluster: &FakeApiServer, resource: &str, name: &str) {
    cluster.cluster(|cluster| cluster.remove(resource, name));
}

impl Subject {
    async fn create(server: &Server, name: &'static str) -> Self {
        let id = server.create_ok(name).await;
        let url = text(&server.until_healthy(&id).await["connectionString"]);
        psql(&url, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await.unwrap();
        let object = names::object(id.parse().unwrap());
        Self { id, name, object }
    }

    fn says(&self, said: &str) -> String {
        said.replace("{name}", self.name).replace("{object}", &self.object)
    }

    /// Whether it is in the event log that this was put back.
    async fn is_put_back(&self, server: &Server, said: &str) -> bool {
        repairs(server, &self.id).await.iter().any(|message| message.starts_with("Put back: ") && message.contains(&self.says(said)))
    }

    /// It is as before: reachable, with its data. From outside of the cluster its address is that of the Service, and another Service has
    /// another one.
    async fn has_recovered(&self, server: &Server) {
        let is_there = async || {
            let url = text(&server.until_healthy(&self.id).await["connectionString"]);
            psql(&format!("{url}?connect_timeout=2"), "TABLE t").await.as_deref() == Ok("42")
        };
        eventually("its data is there", is_there).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_of_each_drift_shows_within_two_seconds() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let subject = Subject::create(&server, "orders").await;
    for (change, said) in DELETIONS.into_iter().chain(EDITS) {
        let changed = Instant::now();
        change(&platform.cluster, &subject);
        eventually(said, async || subject.is_put_back(&server, said).await).await;
        let took = changed.elapsed();
        println!("{said}: {took:?}");
        assert!(took < WATCHED, "{said}: {took:?}");
    }
    subject.has_recovered(&server).await;
    server.stop().await;
}

/// Nothing tells the control plane of the edits. What ends the kept connection of health checks is a hint, as some of the deletions do.
#[tokio::test(flavor = "multi_thread")]
async fn a_drift_that_no_watch_reports_is_put_back_within_a_minute() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let (deleted, edited) = tokio::join!(Subject::create(&server, "deleted"), Subject::create(&server, "edited"));
    platform.cluster.cluster(|cluster| cluster.watches_held = true);
    let all = [(&deleted, &DELETIONS[..]), (&edited, &EDITS[..EDITS.len() - 1])];
    let changed = Instant::now();
    for (subject, changes) in all {
        for (change, _) in changes {
            change(&platform.cluster, subject);
        }
    }
    for (subject, changes) in all {
        for (_, said) in changes {
            eventually(said, async || subject.is_put_back(&server, said).await).await;
        }
    }
    let took = changed.elapsed();
    println!("after {took:?}");
    assert!(took < UNWATCHED, "{took:?}");
    platform.cluster.cluster(|cluster| cluster.watches_held = false);
    tokio::join!(deleted.has_recovered(&server), edited.has_recovered(&server));
    server.stop().await;
}
