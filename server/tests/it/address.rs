//! Another name and exposure of an instance that runs, with clients connected to it.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use toygres_k8s::build::names;

use crate::{
    cli::commands::{json as json_of, run},
    kubernetes::{Platform, repairs},
    support::{Home, Server, eventually, psql, text},
};

/// A session of psql that stays open.
struct Session {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Session {
    fn open(url: &str) -> Self {
        let mut command = Command::new("psql");
        let mut child = command.args([url, "-XAtqw"]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        Self { _child: child, input, output }
    }

    async fn ask(&mut self, query: &str) -> String {
        self.input.write_all(format!("{query};\n").as_bytes()).await.unwrap();
        self.output.next_line().await.unwrap().expect("the session is open")
    }
}

async fn update(server: &Server, input: Value) -> Value {
    let mutation = "mutation($input: UpdateInstanceInput!) { updateInstance(input: $input) {
        instance { name revision requireTls endpoint { host } notices { code message } } userErrors { code field message } } }";
    server.query(mutation, json!({ "input": input })).await["updateInstance"].clone()
}

async fn updated(server: &Server, input: Value) -> Value {
    let payload = update(server, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    payload["instance"].clone()
}

async fn refused(server: &Server, input: Value) -> (String, String, String) {
    let payload = update(server, input).await;
    let error = &payload["userErrors"][0];
    (text(&error["code"]), text(&error["field"][0]), text(&error["message"]))
}

async fn address(server: &Server, id: &str) -> Value {
    let query = "query($id: ID!) { instance(id: $id) { name health requireTls exposure { type } endpoint { host port } connectionString
        notices { code message } certificate { renewing } } }";
    server.query(query, json!({ "id": id })).await["instance"].clone()
}

/// Waits until the instance has no address but that of its row.
async fn settled(server: &Server, id: &str) -> Value {
    eventually("the address is changed", async || address(server, id).await["notices"] == json!([])).await;
    address(server, id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_instance_is_renamed_at_once() {
    let home = Home::new();
    let server = home.start().await;
    let (id, other) = (server.create_ok("orders").await, server.create_ok("other").await);
    let before = server.until_healthy(&id).await;
    server.until_healthy(&other).await;
    let mut session = Session::open(&text(&before["connectionString"]));
    let backend = session.ask("SELECT pg_backend_pid()").await;
    let mut live = server.subscribe("subscription($id: ID!) { instance(id: $id) { name } }", json!({ "id": id })).await;
    assert_eq!(live.next().await.unwrap()["data"]["instance"]["name"], "orders");

    let now = updated(&server, json!({ "id": id, "name": "invoices" })).await;
    assert_eq!((&now["name"], &now["notices"], &now["endpoint"]["host"]), (&json!("invoices"), &json!([]), &before["endpoint"]["host"]));
    while live.next().await.unwrap()["data"]["instance"]["name"] != "invoices" {}
    assert_eq!(session.ask("SELECT pg_backend_pid()").await, backend);
    assert_eq!(address(&server, &id).await["connectionString"], before["connectionString"], "its address is a port");

    let (code, field, message) = refused(&server, json!({ "id": id, "name": "other" })).await;
    assert_eq!((code.as_str(), field.as_str()), ("NAME_TAKEN", "name"), "{message}");
    let (code, field, _) = refused(&server, json!({ "id": id, "name": "Not A Name" })).await;
    assert_eq!((code.as_str(), field.as_str()), ("INVALID", "name"));
    let (code, field, message) = refused(&server, json!({ "id": id, "exposure": { "type": "LOAD_BALANCER" } })).await;
    assert_eq!((code.as_str(), field.as_str()), ("INVALID", "exposure"), "{message}");
    let (code, ..) = refused(&server, json!({ "id": id, "name": "orders", "revision": "1" })).await;
    assert_eq!(code, "REVISION_MISMATCH");
    let unchanged = updated(&server, json!({ "id": id, "name": "invoices", "exposure": { "type": "CLUSTER" } })).await;
    assert_eq!(unchanged["revision"], address_revision(&server, &id).await, "the same is no change");

    // The former name is free at once; suspended too, and by the command line.
    let again = server.create_ok("orders").await;
    server.until_healthy(&again).await;
    server.query("mutation($id: ID!) { suspendInstance(input: { id: $id }) { userErrors { message } } }", json!({ "id": id })).await;
    server.until(&id, "suspended", |now| now["state"] == "SUSPENDED").await;
    let renamed = json_of(&home, &server, &["instances", "update", "invoices", "--rename", "bills"]).await;
    assert_eq!(renamed["name"], "bills");
    let refused = run(&home, &server, &["instances", "update", "bills", "--load-balancer"]).await;
    assert!(refused.code != 0 && refused.err.contains("--load-balancer: the runtime 'process' offers CLUSTER only"), "{refused:#?}");
    server.query("mutation($id: ID!) { resumeInstance(input: { id: $id }) { userErrors { message } } }", json!({ "id": id })).await;
    server.until_healthy(&id).await;
    server.stop().await;
}

async fn address_revision(server: &Server, id: &str) -> Value {
    server.query("query($id: ID!) { instance(id: $id) { revision } }", json!({ "id": id })).await["instance"]["revision"].clone()
}

/// psql with `sslmode=verify-full`, which checks `name` and connects to the endpoint.
async fn verified(server: &Server, platform: &Platform, endpoint: &Value, url: &str, name: &str) -> Result<String, String> {
    let authorities = platform.home.path().join("ca.pem");
    std::fs::write(&authorities, server.get("/ca.pem").await.text().await.unwrap()).unwrap();
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = url.replace(&format!("@{}:", text(&endpoint["host"])), &format!("@{name}:"));
    let url = format!("{url}{separator}hostaddr={}&sslmode=verify-full&sslrootcert={}", text(&endpoint["host"]), authorities.display());
    let url = url.replace("sslmode=require&", "");
    psql(&url, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_in_a_cluster_is_renamed_while_clients_are_connected() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("orders").await;
    let before = server.until_healthy(&id).await;
    let url = text(&before["connectionString"]);
    psql(&url, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await.unwrap();
    let mut session = Session::open(&url);
    let backend = session.ask("SELECT pg_backend_pid()").await;
    let pod = || platform.cluster.object("pods", &names::pod(id.parse().unwrap())).unwrap()["metadata"]["uid"].clone();
    let (former_pod, repaired) = (pod(), repairs(&server, &id).await);

    // The former Service cannot be removed, and the server is killed while it waits for that.
    platform.cluster.cluster(|cluster| cluster.hold("services", "orders"));
    let accepted = updated(&server, json!({ "id": id, "name": "invoices" })).await;
    assert_eq!((&accepted["name"], &accepted["notices"][0]["code"]), (&json!("invoices"), &json!("ADDRESS_CHANGING")));
    assert_eq!(accepted["endpoint"], json!({ "host": before["endpoint"]["host"] }), "until the new address works");
    eventually("it has the new address", async || address(&server, &id).await["endpoint"] != before["endpoint"]).await;
    let service = platform.cluster.object("services", "invoices").unwrap();
    let now = address(&server, &id).await;
    assert_eq!(now["endpoint"], json!({ "host": service["spec"]["clusterIP"], "port": 5432 }));
    let new_url = text(&now["connectionString"]);
    assert_eq!(psql(&new_url, "TABLE t").await.as_deref(), Ok("42"));
    for name in ["orders", "invoices", "invoices.toygres-instances.svc.cluster.local"] {
        assert_eq!(verified(&server, &platform, &now["endpoint"], &new_url, name).await.as_deref(), Ok("t"), "{name}");
    }
    let taken = server.create(json!({ "name": "orders" })).await;
    assert_eq!(taken["userErrors"][0]["code"], "NAME_TAKEN", "{taken:#}");
    server.kill().await;
    platform.cluster.cluster(|cluster| cluster.release("services", "orders"));

    let server = platform.start().await;
    let now = settled(&server, &id).await;
    assert_eq!((&now["name"], &now["connectionString"]), (&json!("invoices"), &json!(new_url)));
    assert!(platform.cluster.object("services", "orders").is_none());
    assert_eq!(session.ask("SELECT pg_backend_pid()").await, backend, "its session stays");
    assert_eq!((pod(), repairs(&server, &id).await), (former_pod.clone(), repaired), "nothing was restarted, and nothing is drift");
    server.until_healthy(&id).await;
    eventually("its certificate has the former name no more", async || {
        verified(&server, &platform, &now["endpoint"], &new_url, "orders").await.is_err()
            && verified(&server, &platform, &now["endpoint"], &new_url, "invoices").await.is_ok()
    })
    .await;

    // Another instance takes the name, and the first one is renamed while it is suspended.
    let other = server.create_ok("orders").await;
    server.until_healthy(&other).await;
    server.query("mutation($id: ID!) { suspendInstance(input: { id: $id }) { userErrors { message } } }", json!({ "id": id })).await;
    server.until(&id, "suspended", |now| now["state"] == "SUSPENDED").await;
    updated(&server, json!({ "id": id, "name": "bills" })).await;
    let suspended = settled(&server, &id).await;
    assert!(platform.cluster.object("services", "bills").is_some() && platform.cluster.object("services", "invoices").is_none());
    server.query("mutation($id: ID!) { resumeInstance(input: { id: $id }) { userErrors { message } } }", json!({ "id": id })).await;
    let resumed = server.until_healthy(&id).await;
    assert_eq!(resumed["endpoint"], suspended["endpoint"]);
    let url = text(&resumed["connectionString"]);
    assert_eq!(psql(&url, "TABLE t").await.as_deref(), Ok("42"));
    assert_eq!(verified(&server, &platform, &resumed["endpoint"], &url, "bills").await.as_deref(), Ok("t"));
    for id in [id, other] {
        server.delete(&id).await;
        server.until_deleted(&id).await;
    }
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_gets_a_load_balancer_and_loses_it() {
    let platform = Platform::new().await;
    let server = platform.start().await;
    let id = server.create_ok("orders").await;
    let before = server.until_healthy(&id).await;
    let mut session = Session::open(&text(&before["connectionString"]));
    let backend = session.ask("SELECT pg_backend_pid()").await;
    let public = json!({ "type": "LOAD_BALANCER", "sourceRanges": ["198.51.100.0/24"], "dnsLabel": "shop" });
    let (code, field, _) = refused(&server, json!({ "id": id, "exposure": { "type": "LOAD_BALANCER", "sourceRanges": ["anywhere"] } })).await;
    assert_eq!((code.as_str(), field.as_str()), ("INVALID", "exposure"));

    let accepted = updated(&server, json!({ "id": id, "exposure": public })).await;
    assert_eq!(accepted["requireTls"], true, "what the internet reaches requires TLS");
    eventually("it has the address of its load balancer", async || address(&server, &id).await["endpoint"]["host"] == "203.0.113.10").await;
    let service = platform.cluster.object("services", "orders").unwrap();
    assert_eq!(service["spec"]["loadBalancerSourceRanges"], json!(["198.51.100.0/24"]));
    let connection = text(&address(&server, &id).await["connectionString"]);
    assert!(connection.contains("@203.0.113.10:5432/") && connection.ends_with("?sslmode=require"), "{connection}");

    let private = updated(&server, json!({ "id": id, "exposure": { "type": "CLUSTER" } })).await;
    assert_eq!(private["requireTls"], true, "what was required stays required");
    let now = settled(&server, &id).await;
    assert_eq!(now["endpoint"], before["endpoint"]);
    server.until_healthy(&id).await;
    assert_eq!(session.ask("SELECT pg_backend_pid()").await, backend, "the session of a client in the cluster stays");
    server.stop().await;
}
