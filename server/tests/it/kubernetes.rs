//! The whole product on Kubernetes: the real server process with a fake API server whose pods are real PostgreSQL servers, so that
//! logins and health checks work as on a cluster.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use toygres_k8s::build::names;
use toygres_k8s_fake::{FakeApiServer, Network, Proxy, Scenario, recordings};

use crate::{
    database_users::{succeeded, url as user_url},
    rotate_password::rotated,
    support::{Database, Home, Server, connect, eventually, psql, text},
};

const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A cluster, a metadata database, and a home for servers that use both.
pub struct Platform {
    pub cluster: FakeApiServer,
    pub database: Database,
    pub home: Home,
}

impl Platform {
    pub async fn new() -> Self {
        let platform = Self { cluster: FakeApiServer::start_real().await, database: Database::start(), home: Home::new() };
        std::fs::write(platform.kubeconfig(), platform.cluster.kubeconfig(false)).unwrap();
        platform
    }

    /// Moves the servers that start from now on behind a proxy.
    async fn behind_proxy(&self) -> Proxy {
        let proxy = self.cluster.proxy().await;
        std::fs::write(self.kubeconfig(), self.cluster.kubeconfig_at(&proxy.url(), false)).unwrap();
        proxy
    }

    fn kubeconfig(&self) -> PathBuf {
        self.home.path().join("kubeconfig")
    }

    fn env(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TOYGRES_RUNTIME", "kubernetes".to_owned()),
            ("DATABASE_URL", self.database.url()),
            ("TOYGRES_SECRET_KEY", KEY.to_owned()),
            ("TOYGRES_ENGINE_LOCK_SECONDS", "5".to_owned()),
            ("KUBECONFIG", self.kubeconfig().to_str().unwrap().to_owned()),
        ]
    }

    pub async fn start(&self) -> Server {
        self.start_with(&[]).await
    }

    pub async fn start_with(&self, more: &[(&str, &str)]) -> Server {
        let env = self.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect();
        self.home.start_with(&env).await
    }

    /// The error of a server that does not start.
    async fn refusal(&self, more: &[(&str, &str)]) -> String {
        let mut command = self.home.command(&["serve", "--listen", "127.0.0.1:0"]);
        let output = command.envs(self.env()).envs(more.iter().copied()).output().await.unwrap();
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

async fn cancel(server: &Server, operation: &str) {
    let mutation = "mutation($id: ID!) { cancelOperation(input: { id: $id }) { userErrors { message } } }";
    let payload = server.query(mutation, json!({ "id": operation })).await;
    assert_eq!(payload["cancelOperation"]["userErrors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_comes_lives_and_goes() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let payload = server.create(json!({ "name": "orders", "username": "shop", "database": "goods", "password": "p@ss'w\"ord $1" })).await;
    let id = text(&payload["instance"]["id"]);
    let running = server.until_healthy(&id).await;
    // This server is outside of the cluster, so the endpoint is the Service's address and not its name.
    let service = platform.cluster.object("services", "orders").unwrap();
    assert_eq!(running["endpoint"], json!({ "host": service["spec"]["clusterIP"], "port": 5432 }));
    let url = text(&running["connectionString"]);
    assert_eq!(psql(&url, "CREATE TABLE t (a int); INSERT INTO t VALUES (42); TABLE t").await.as_deref(), Ok("42"));

    // A killed pod is detected immediately, and its replacement has the same volume.
    let mut live = server.subscribe("subscription($id: ID!) { instance(id: $id) { health reason { code } } }", json!({ "id": id })).await;
    live.next().await.unwrap();
    let pod = names::pod(id.parse().unwrap());
    platform.cluster.cluster(|cluster| {
        cluster.update("pods", &pod, |pod| pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into());
    });
    let down = live.next().await.unwrap()["data"]["instance"].clone();
    assert_eq!(down["health"], "UNHEALTHY", "{down}");
    let mut up = live.next().await.unwrap()["data"]["instance"].clone();
    while up["health"] != "HEALTHY" {
        up = live.next().await.unwrap()["data"]["instance"].clone();
    }
    assert_eq!(up["reason"], Value::Null);
    assert_eq!(psql(&url, "TABLE t").await.as_deref(), Ok("42"));

    // Another password changes nothing in the cluster, where that of the owner is nowhere.
    let object = |resource| platform.cluster.object(resource, &names::object(id.parse().unwrap())).unwrap();
    let deployed = || (object("secrets")["data"]["password"].clone(), object("statefulsets")["spec"].clone());
    let before = deployed();
    let rotation = rotated(&server, json!({ "id": id, "password": "an0ther p@ssword" })).await;
    assert_eq!(rotation["status"], "SUCCEEDED", "{rotation:#}");
    let rotated = text(&server.instance(&id).await["connectionString"]);
    assert_eq!(psql(&rotated, "TABLE t").await.as_deref(), Ok("42"));
    assert!(psql(&url, "TABLE t").await.is_err());
    let user = json!({ "instanceId": id, "name": "reports", "access": "READ_ONLY", "password": "reads-a-lot" });
    succeeded(&server, "createDatabaseUser", user).await;
    succeeded(&server, "createDatabase", json!({ "instanceId": id, "name": "archive" })).await;
    assert_eq!(psql(&user_url(&rotated, "reports", "reads-a-lot", "goods"), "TABLE t").await.as_deref(), Ok("42"));
    assert!(psql(&user_url(&rotated, "reports", "reads-a-lot", "goods"), "DELETE FROM t").await.is_err());
    succeeded(&server, "dropDatabaseUser", json!({ "instanceId": id, "name": "reports" })).await;
    succeeded(&server, "dropDatabase", json!({ "instanceId": id, "name": "archive" })).await;
    assert!(deployed() == before, "the cluster knows nothing of it");

    server.delete(&id).await;
    server.until_deleted(&id).await;
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks");
    server.stop().await;
}

/// Connection tracking lets the kept connection of health checks outlive the Service, and an address that is dead would take the whole
/// time-out of a check.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_node_is_unhealthy_at_once_and_its_return_is_seen() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let health_check = json!({ "intervalSeconds": 3600, "timeoutSeconds": 60 });
    let payload = server.create(json!({ "name": "orders", "healthCheck": health_check })).await;
    let id = text(&payload["instance"]["id"]);
    server.until_healthy(&id).await;
    let becomes = async |health: &str, reason: Value| {
        let changed = Instant::now();
        server.until(&id, health, |now| now["health"] == health && now["reason"]["code"] == reason).await;
        assert!(changed.elapsed() < Duration::from_secs(20), "{health} after {:?}", changed.elapsed());
        println!("{health} after {:?}", changed.elapsed());
    };
    // A deleted Service is put back, and the check that follows goes through the new one.
    platform.cluster.cluster(|cluster| cluster.remove("services", "orders"));
    eventually("the Service is put back", async || platform.cluster.object("services", "orders").is_some()).await;
    becomes("HEALTHY", Value::Null).await;

    let pod = names::pod(id.parse().unwrap());
    let ready = platform.cluster.object("pods", &pod).unwrap()["status"].take();
    let unreachable = recordings::items("node-unreachable.json", "Pod").remove(0)["status"].take();
    platform.cluster.cluster(|cluster| {
        cluster.network_lost = true;
        cluster.update("pods", &pod, |pod| pod["status"] = unreachable);
    });
    // The check that followed the repair may have failed for another reason.
    becomes("UNHEALTHY", json!("RUNTIME_UNAVAILABLE")).await;
    platform.cluster.cluster(|cluster| {
        cluster.network_lost = false;
        cluster.update("pods", &pod, |pod| pod["status"] = ready);
    });
    becomes("HEALTHY", Value::Null).await;
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
}

/// Somebody deletes and edits, and asks for a repair at once. The control plane may have been faster.
#[tokio::test(flavor = "multi_thread")]
async fn a_repair_on_request_puts_everything_back() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await.unwrap();
    let object = names::object(id.parse().unwrap());
    let secret = || {
        let mut data = platform.cluster.object("secrets", &object).unwrap()["data"].clone();
        // The certificate is renewed when the address of the instance is known.
        data.as_object_mut().unwrap().remove("server.pem").expect("there is a certificate");
        data
    };
    let former_secret = secret();
    type Change = fn(&FakeApiServer, &str);
    let changes: [(Change, &str); 4] = [
        (|server, object| server.cluster(|cluster| cluster.remove("statefulsets", object)), "the StatefulSet # was deleted"),
        (|server, _| server.cluster(|cluster| cluster.remove("services", "orders")), "the Service orders was deleted"),
        (
            |server, object| edit(server, "secrets", object, |secret| secret["data"]["password"] = json!("eA==")),
            "the Secret # was edited (data.password)",
        ),
        (
            |server, object| edit(server, "statefulsets", object, |set| set["spec"]["replicas"] = json!(0)),
            "the StatefulSet # was edited (spec.replicas)",
        ),
    ];
    for (change, said) in changes {
        let said = said.replace('#', &object);
        change(&platform.cluster, &object);
        let done = repaired(&server, &id).await;
        assert_eq!(done["status"], "SUCCEEDED", "{said}: {done:#}");
        let message = format!("Put back: {said}");
        assert!(repairs(&server, &id).await.contains(&message), "{said}: {:?}", repairs(&server, &id).await);
        assert!(platform.cluster.object("services", "orders").is_some(), "{said}");
        assert_eq!(platform.cluster.object("statefulsets", &object).unwrap()["spec"]["replicas"], 1, "{said}");
        assert!(secret() == former_secret, "{said}");
        // From outside of the cluster the address is that of the Service, and another Service has another one.
        let url = text(&server.instance(&id).await["connectionString"]);
        assert_eq!(psql(&url, "TABLE t").await.as_deref(), Ok("42"), "{said}: it is ready with its data");
        server.until_healthy(&id).await;
    }
    let done = repaired(&server, &id).await;
    assert_eq!(done["steps"][0]["findings"], json!(["nothing differs from what was deployed"]), "{done:#}");

    // Suspended, it is put back to 0 replicas without being asked, and has its data when it is resumed.
    let request = |verb: &str| format!("mutation($id: ID!) {{ {verb}Instance(input: {{ id: $id }}) {{ userErrors {{ message }} }} }}");
    server.query(&request("suspend"), json!({ "id": id })).await;
    server.until(&id, "suspended", |now| now["state"] == "SUSPENDED").await;
    let replicas = || platform.cluster.object("statefulsets", &object).unwrap()["spec"]["replicas"].clone();
    let is_stopped = || replicas() == 0 && platform.cluster.object("pods", &names::pod(id.parse().unwrap())).is_none();
    assert!(is_stopped());
    let before = repairs(&server, &id).await.len();
    edit(&platform.cluster, "statefulsets", &object, |set| set["spec"]["replicas"] = json!(1));
    eventually("it is stopped again", async || is_stopped()).await;
    eventually("that is an event", async || repairs(&server, &id).await.len() > before).await;
    let now = server.instance(&id).await;
    assert_eq!((&now["state"], &now["health"], &now["reason"]["code"]), (&json!("SUSPENDED"), &json!("UNKNOWN"), &json!("SUSPENDED")));
    server.query(&request("resume"), json!({ "id": id })).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!((psql(&url, "TABLE t").await.as_deref(), replicas()), (Ok("42"), json!(1)));

    platform.cluster.cluster(|cluster| {
        cluster.delete_claim(&names::claim(id.parse().unwrap()));
        cluster.end(&names::pod(id.parse().unwrap()));
    });
    server.until(&id, "without its data", |now| now["reason"]["code"] == "DATA_LOST").await;
    let failed = repaired(&server, &id).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("FAILED"), &json!("DATA_LOST")), "{failed:#}");
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;
}

/// Edits an object, as somebody else than the control plane.
pub fn edit(server: &FakeApiServer, resource: &str, name: &str, change: impl FnOnce(&mut Value)) {
    server.cluster(|cluster| cluster.edit(resource, name, change).expect("it exists"));
}

/// Repairs an instance, and returns the operation when it has finished.
async fn repaired(server: &Server, id: &str) -> Value {
    let mutation = "mutation($id: ID!) { repairInstance(input: { id: $id }) { operation { id } userErrors { message } } }";
    let accepted = server.query(mutation, json!({ "id": id })).await["repairInstance"].clone();
    assert_eq!(accepted["userErrors"], json!([]));
    let document = "subscription($id: ID!) { operation(id: $id) { status error { code message } steps { name findings } } }";
    let mut live = server.subscribe(document, json!({ "id": accepted["operation"]["id"] })).await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
    }
    last
}

/// What was put back, as the event log of an instance says.
pub async fn repairs(server: &Server, id: &str) -> Vec<String> {
    let query = "query($id: ID!) { instance(id: $id) { events(first: 500) { nodes { type reason { message } } } } }";
    let events = server.query(query, json!({ "id": id })).await["instance"]["events"]["nodes"].clone();
    let repairs = events.as_array().unwrap().iter().filter(|event| event["type"] == "INSTANCE_REPAIRED");
    repairs.map(|event| text(&event["reason"]["message"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_fails_with_its_reason_and_leaves_nothing() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    platform.cluster.set_scenario(Scenario::Volume);
    let id = server.create_ok("doomed").await;
    let failed = server.until(&id, "failed", |now| now["state"] == "FAILED").await;
    assert_eq!(failed["reason"]["code"], "VOLUME_NOT_BOUND", "{failed:#}");
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks");
    let whole = server.instance(&id).await;
    assert_eq!(whole["operations"]["nodes"][0]["error"]["code"], "VOLUME_NOT_BOUND", "{whole:#}");
    server.delete(&id).await;
    server.until_deleted(&id).await;

    // What the internet reaches requires TLS, unless the opposite is said.
    let public = json!({ "type": "LOAD_BALANCER" });
    let inputs = [json!({}), json!({ "exposure": public }), json!({ "exposure": public, "requireTls": false })];
    let mutation = "mutation($input: CreateInstanceInput!) { createInstance(input: $input) { instance { id requireTls } userErrors { message } } }";
    for (mut input, required) in inputs.into_iter().zip([false, true, false]) {
        input["name"] = json!("reachable");
        let payload = server.query(mutation, json!({ "input": input })).await["createInstance"].clone();
        assert_eq!((&payload["userErrors"], &payload["instance"]["requireTls"]), (&json!([]), &json!(required)), "{input}");
        let id = text(&payload["instance"]["id"]);
        server.delete(&id).await;
        server.until_deleted(&id).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_says_for_what_and_can_be_cancelled_or_deleted() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    for (scenario, code) in [
        (Scenario::Unschedulable, "UNSCHEDULABLE"),
        // An unavailable registry may be available later.
        (Scenario::Image, "IMAGE_PULL_FAILED"),
        (Scenario::Quota, "QUOTA_EXCEEDED"),
        (Scenario::Crash, "CRASH_LOOP"),
        (Scenario::OutOfMemory, "OUT_OF_MEMORY"),
    ] {
        platform.cluster.set_scenario(scenario);
        let payload = server.create(json!({ "name": "waiting" })).await;
        let (id, operation) = (text(&payload["instance"]["id"]), text(&payload["operation"]["id"]));
        let waiting = server.until(&id, "waiting", |now| now["reason"]["code"] == code).await;
        assert_eq!(waiting["state"], "CREATING", "{waiting:#}");
        if scenario == Scenario::Unschedulable {
            cancel(&server, &operation).await;
            let failed = server.until(&id, "failed", |now| now["state"] == "FAILED").await;
            assert_eq!(failed["reason"]["code"], "CANCELLED", "{failed:#}");
            assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks");
        }
        server.delete(&id).await;
        server.until_deleted(&id).await;
        assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_at_work_finishes_it_afterwards() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("survivor").await;
    server.kill().await;
    let server = platform.start().await;
    server.until_healthy(&id).await;
    server.delete(&id).await;
    server.kill().await;
    let server = platform.start().await;
    server.until_deleted(&id).await;
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn volumes_are_kept_when_asked() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("keeper").await;
    server.until_healthy(&id).await;
    let mutation = "mutation($id: ID!) { deleteInstance(input: { id: $id, keepVolumes: true }) { userErrors { message } } }";
    server.query(mutation, json!({ "id": id })).await;
    server.until_deleted(&id).await;
    let claim = format!("persistentvolumeclaims/{}", names::claim(id.parse().unwrap()));
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::from([claim]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told_at_the_start() {
    let platform = Platform::new().await;
    let said = platform.refusal(&[("TOYGRES_STORAGE_CLASS", "No Class")]).await;
    assert!(said.contains("TOYGRES_STORAGE_CLASS is 'No Class', which is not a DNS name."), "{said}");
    let said = platform.refusal(&[("TOYGRES_TOLERATIONS", "often")]).await;
    assert!(said.contains("TOYGRES_TOLERATIONS (--tolerations) 'often' must be a JSON list of tolerations"), "{said}");
    let said = platform.refusal(&[("TOYGRES_KUBE_CONTEXT", "mars")]).await;
    assert!(said.contains("has no context 'mars', only: fake."), "{said}");
    platform.cluster.deny("delete", "persistentvolumeclaims");
    let said = platform.refusal(&[]).await;
    assert!(said.contains("Missing in its Role: delete persistentvolumeclaims."), "{said}");
}

/// Fakes of what finding a cluster by its name requires: the `az` of a developer, and Azure Resource Manager.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_aks_is_found_by_its_name() {
    let platform = Platform::new().await;
    let kubeconfig = json!({ "kubeconfigs": [{ "name": "clusterUser", "value": BASE64_STANDARD.encode(platform.cluster.kubeconfig(false)) }] });
    let path = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/pg/listClusterUserCredential";
    let answer = move |headers: axum::http::HeaderMap| async move {
        let known = headers.get("authorization").is_some_and(|value| value == "Bearer token-of-az");
        (axum::http::StatusCode::from_u16(if known { 200 } else { 401 }).unwrap(), axum::Json(kubeconfig))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let manager = format!("http://{}", listener.local_addr().unwrap());
    let resource_manager = tokio::spawn(async move { axum::serve(listener, axum::Router::new().route(path, axum::routing::post(answer))).await });

    let bin = platform.home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let az = bin.join("az");
    std::fs::write(&az, "#!/bin/sh\necho '{\"accessToken\": \"token-of-az\", \"expiresOn\": \"2099-01-01 00:00:00.000000\", \"expires_on\": 4070908800, \"tokenType\": \"Bearer\"}'\n").unwrap();
    std::fs::set_permissions(&az, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let search = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let azure = [
        ("PATH", search.as_str()),
        ("KUBECONFIG", "/nonexistent"),
        // Disables managed identities, whose endpoint this machine must not use.
        ("AZURE_TOKEN_CREDENTIALS", "dev"),
        ("AZURE_RESOURCE_MANAGER_URL", &manager),
        ("AKS_CLUSTER_NAME", "pg"),
        ("AKS_RESOURCE_GROUP", "rg"),
        ("AZURE_SUBSCRIPTION_ID", "sub"),
    ];
    let server = platform.start_with(&azure).await;
    let id = server.create_ok("cloudy").await;
    server.until_healthy(&id).await;
    server.delete(&id).await;
    server.until_deleted(&id).await;
    server.stop().await;

    let said = platform.refusal(&[&azure[..], &[("AKS_CLUSTER_NAME", "other")]].concat()).await;
    assert!(said.contains("there is no such cluster"), "{said}");
    std::fs::write(&az, "#!/bin/sh\necho \"Please run 'az login' to setup account.\" >&2\nexit 1\n").unwrap();
    let said = platform.refusal(&azure).await;
    assert!(said.contains("Azure issues no token to this process: developer tools:") && said.contains("az login"), "{said}");
    resource_manager.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_answer_is_visible_and_what_needs_it_waits() {
    let platform = Platform::new().await;
    let proxy = platform.behind_proxy().await;
    let server = platform.start().await;
    let health = async || server.get("/health").await.json::<Value>().await.unwrap();
    assert_eq!(health().await["checks"]["runtime"], "up");
    let idle = server.create_ok("idle").await;
    server.until_healthy(&idle).await;

    proxy.set(Network::Closed);
    let id = server.create_ok("waiting").await;
    let waiting = server.until(&id, "waiting", |now| now["reason"]["code"] == "RUNTIME_UNAVAILABLE").await;
    assert_eq!(waiting["state"], "CREATING", "{waiting:#}");
    eventually("the health shows it", async || health().await["checks"]["runtime"] == "down").await;
    let shown = health().await;
    assert_eq!((&shown["status"], &shown["runtime"]["reason"]["code"]), (&json!("up"), &json!("RUNTIME_UNAVAILABLE")), "{shown:#}");
    for path in ["/readyz", "/health"] {
        assert_eq!(server.get(path).await.status(), reqwest::StatusCode::OK, "{path}: it still serves its clients");
    }
    let query = "{ controlPlane { health { ready runtime { reachable unreachableSince reason { code } } } } }";
    let seen = server.query(query, json!({})).await["controlPlane"]["health"].clone();
    assert_eq!((&seen["ready"], &seen["runtime"]["reachable"]), (&json!(true), &json!(false)), "{seen:#}");
    assert_eq!(seen["runtime"]["reason"]["code"], "RUNTIME_UNAVAILABLE");
    assert!(seen["runtime"]["unreachableSince"].is_string(), "{seen:#}");
    let is_reported = async |value: &str| {
        let metrics = server.get("/metrics").await.text().await.unwrap();
        metrics.lines().any(|line| line == format!("toygres_runtime_reachable {value}"))
    };
    assert!(is_reported("0").await);

    // One that has just started has not loaded its roles yet.
    for resource in ["networkpolicies", "secrets"] {
        platform.cluster.refuse("patch", resource, recordings::read("error-403-starting.json"), 1);
    }
    proxy.set(Network::Up);
    server.until_healthy(&id).await;
    eventually("the health shows that it is back", async || health().await["checks"]["runtime"] == "up").await;
    assert!(is_reported("1").await);
    let seen = server.query(query, json!({})).await["controlPlane"]["health"]["runtime"].clone();
    assert_eq!(seen, json!({ "reachable": true, "unreachableSince": null, "reason": null }));
    assert_eq!(server.instance(&idle).await["health"], "HEALTHY", "its check needs no cluster");

    let log = server.log();
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!((lines("the host of the instances does not answer"), lines("the host of the instances answers again, after")), (1, 1), "{log}");
    let noise: Vec<_> = log.lines().filter(|line| line.contains("ERROR") || line.contains("metadata database is not available")).collect();
    assert!(noise.is_empty(), "{noise:#?}");
    assert!(lines("a watch of the cluster") == 0, "{log}");
    server.stop().await;
}

/// A deletion has no deadline: a run that takes too long is followed by the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_goes_on_until_what_holds_it_is_gone() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("held").await;
    server.until_healthy(&id).await;
    let claim = names::claim(id.parse().unwrap());
    platform.cluster.cluster(|cluster| cluster.hold("persistentvolumeclaims", &claim));
    let deletion = text(&server.delete(&id).await["operation"]["id"]);
    let held =
        server.until(&id, "held", |now| now["reason"]["code"] == "REMOVAL_INCOMPLETE" && text(&now["reason"]["message"]).contains(&claim)).await;
    assert_eq!(held["state"], "DELETING");
    let taken = server.create(json!({ "name": "held" })).await;
    assert_eq!(taken["userErrors"][0]["code"], "NAME_TAKEN", "{taken:#}");
    let message = text(&taken["userErrors"][0]["message"]);
    assert!(message.contains(&deletion) && message.contains(&claim), "it says what the name waits for: {message}");

    let metadata = connect(&platform.database.url()).await;
    let ago = "- interval '1 hour'";
    let shift = format!("UPDATE toygres.operations SET created_at = created_at {ago}, dispatched_at = dispatched_at {ago} WHERE id = '{deletion}'");
    metadata.batch_execute(&shift).await.unwrap();
    let run = format!("SELECT run FROM toygres.operations WHERE id = '{deletion}' AND status = 'running'");
    eventually("the next run", async || metadata.query_opt(&run, &[]).await.unwrap().is_some_and(|row| row.get::<_, i32>(0) == 2)).await;
    let still = server.instance(&id).await;
    assert_eq!((&still["state"], &still["reason"]["code"]), (&json!("DELETING"), &json!("REMOVAL_INCOMPLETE")), "{still:#}");
    let is_running = |operation: &Value| operation["id"] == json!(deletion) && operation["status"] == "RUNNING";
    assert!(still["operations"]["nodes"].as_array().unwrap().iter().any(is_running), "{still:#}");

    platform.cluster.cluster(|cluster| cluster.release("persistentvolumeclaims", &claim));
    server.until_deleted(&id).await;
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks");
    let again = server.create_ok("held").await;
    server.until_healthy(&again).await;
    server.stop().await;
}

/// As during a drain: the pod ends, its successor cannot be scheduled, and only then the end of the first is heard of, because the API
/// server is slow.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_death_does_not_replace_the_present_reason() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("drained").await;
    server.until_healthy(&id).await;
    let pod = names::pod(id.parse().unwrap());
    platform.cluster.set_scenario(Scenario::Unschedulable);
    platform.cluster.cluster(|cluster| {
        cluster.set_metadata_held = true;
        cluster.update("pods", &pod, |pod| pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into());
    });
    server.until(&id, "unschedulable", |now| now["health"] == "UNHEALTHY" && now["reason"]["code"] == "UNSCHEDULABLE").await;
    // The nudges of pods are in order: what is heard of the next pod comes after the death.
    platform.cluster.set_scenario(Scenario::Running);
    platform.cluster.cluster(|cluster| {
        cluster.set_metadata_held = false;
        cluster.remove("pods", &pod);
    });
    server.until_healthy(&id).await;
    let query = "query($id: ID!) { instance(id: $id) { events(first: 100) { nodes { reason { code } } } } }";
    let events = server.query(query, json!({ "id": id })).await["instance"]["events"]["nodes"].clone();
    let codes: Vec<_> = events.as_array().unwrap().iter().filter_map(|event| event["reason"]["code"].as_str()).collect();
    let unschedulable = codes.iter().position(|code| *code == "UNSCHEDULABLE").unwrap();
    assert!(!codes[unschedulable..].contains(&"PROCESS_EXITED"), "{codes:?}");
    server.stop().await;
}
