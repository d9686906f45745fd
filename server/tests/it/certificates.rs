//! The certificates of instances, as clients verify them: with the process runtime, and with a cluster whose pods are real servers.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};
use toygres_k8s::build::names;

use crate::{
    kubernetes::Platform,
    support::{Home, Server, connect, eventually, psql, text},
};

/// A client that verifies what an instance presents.
struct Client {
    url: String,
    /// What it trusts.
    trusted: PathBuf,
}

impl Client {
    /// One that has fetched what to trust just now.
    async fn new(server: &Server, directory: &Path, name: &str, instance: &Value) -> Self {
        let trusted = directory.join(format!("{name}.pem"));
        let response = reqwest::get(server.url("/ca.pem")).await.unwrap();
        assert_eq!(response.status(), 200, "no token is needed");
        std::fs::write(&trusted, response.text().await.unwrap()).unwrap();
        Self { url: text(&instance["connectionString"]), trusted }
    }

    fn psql(&self) -> Command {
        let mut command = Command::new("psql");
        command.args([&self.url, "-XAtqw"]).env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", &self.trusted);
        command
    }

    /// Whether a new session can verify the server.
    async fn trusts(&self) -> Result<(), String> {
        let output = self.psql().args(["-c", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"]).output().await.unwrap();
        if String::from_utf8_lossy(&output.stdout) == "t\n" { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}

/// A session that stays open.
struct Session {
    _child: Child,
    input: ChildStdin,
    output: tokio::io::Lines<BufReader<ChildStdout>>,
}

impl Session {
    fn open(client: &Client) -> Self {
        let mut child = client.psql().stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
        Self { _child: child, input, output }
    }

    async fn ask(&mut self, sql: &str) -> String {
        self.input.write_all(format!("{sql};\n").as_bytes()).await.unwrap();
        self.output.next_line().await.unwrap().unwrap()
    }
}

async fn certificate(server: &Server, id: &str) -> Value {
    let query = "query($id: ID!) { instance(id: $id) { certificate { fingerprint notAfter names renewing } } }";
    server.query(query, json!({ "id": id })).await["instance"]["certificate"].clone()
}

/// The certificate of an instance once it is presented, other than this one.
async fn presented(server: &Server, id: &str, other_than: &Value) -> Value {
    let holds = |now: &Value| !now.is_null() && now["renewing"] == false && now["fingerprint"] != other_than["fingerprint"];
    eventually("a new certificate is presented", async || holds(&certificate(server, id).await)).await;
    certificate(server, id).await
}

async fn rotate(server: &Server, now: bool) -> Value {
    let mutation = "mutation($now: Boolean) { rotateCertificateAuthority(input: { now: $now }) { caCertificates { fingerprint status } userErrors { code message } } }";
    server.query(mutation, json!({ "now": now })).await["rotateCertificateAuthority"].clone()
}

async fn statuses(server: &Server) -> Vec<String> {
    let data = server.query("{ controlPlane { caCertificates { status } } }", json!({})).await;
    data["controlPlane"]["caCertificates"].as_array().unwrap().iter().map(|authority| text(&authority["status"])).collect()
}

/// Renewals and rotations of an instance that is running, at a server whose overlap is 0.
async fn renewals_interrupt_nothing(server: &Server, database: &str, directory: &Path, id: &str) {
    let first = presented(server, id, &Value::Null).await;
    let metadata = connect(database).await;
    // A round begins at once, which would within half a minute.
    metadata.batch_execute("NOTIFY toygres_authorities").await.unwrap();
    let instance = server.instance(id).await;
    let host = instance["endpoint"]["host"].clone();
    let covered = async || certificate(server, id).await["names"].as_array().is_some_and(|names| names.contains(&host));
    eventually("the address of the endpoint is in the certificate", covered).await;
    presented(server, id, &Value::Null).await;
    let client = Client::new(server, directory, "first", &instance).await;
    assert_eq!(client.trusts().await, Ok(()));
    let mut session = Session::open(&client);
    let backend = session.ask("SELECT pg_backend_pid()").await;

    // Two thirds of its life are over.
    let before = certificate(server, id).await;
    let age = "UPDATE toygres.instance_certificates SET not_before = now() - interval '80 days', not_after = now() + interval '10 days'";
    metadata.batch_execute(age).await.unwrap();
    metadata.batch_execute("NOTIFY toygres_authorities").await.unwrap();
    let renewed = presented(server, id, &before).await;
    assert_ne!(renewed["fingerprint"], first["fingerprint"]);
    assert_eq!(session.ask("SELECT pg_backend_pid()").await, backend, "the session stays");
    assert_eq!(client.trusts().await, Ok(()), "a new one verifies the new certificate");

    // Another authority issues at once; whoever has not fetched it cannot verify what comes next.
    let rotated = rotate(server, true).await;
    assert_eq!(rotated["userErrors"], json!([]), "{rotated:#}");
    presented(server, id, &renewed).await;
    assert_eq!(session.ask("SELECT pg_backend_pid()").await, backend, "the session stays");
    let why = client.trusts().await.unwrap_err();
    assert!(why.contains("certificate verify failed"), "{why}");
    let later = Client::new(server, directory, "later", &instance).await;
    assert_eq!(later.trusts().await, Ok(()));
    let health = server.instance(id).await["health"].clone();
    assert_eq!(health, "HEALTHY", "the control plane verifies it too");
}

/// A name that leads to the instance and is not in its certificate.
async fn wrong_hosts_are_refused(server: &Server, directory: &Path, id: &str) {
    let instance = server.instance(id).await;
    let host = instance["endpoint"]["host"].as_str().unwrap();
    let Client { url, trusted } = Client::new(server, directory, "wrong-host", &instance).await;
    let wrong = Client { url: url.replace(host, "db.example.com"), trusted };
    let output = wrong.psql().env("PGHOSTADDR", host).args(["-c", "SELECT 1"]).output().await.unwrap();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(why.contains("does not match host name \"db.example.com\""), "{why}");
}

/// Somebody replaces the file that a local server reads, and has it read.
async fn a_replaced_certificate_is_put_right(server: &Server, home: &Home, id: &str) {
    let before = presented(server, id, &Value::Null).await;
    let directory = home.path().join("data/instances").join(id);
    let file = directory.join("server.pem");
    let own = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, impostor()).unwrap();
    let pid = std::fs::read_to_string(directory.join("data/postmaster.pid")).unwrap().lines().next().unwrap().to_owned();
    Command::new("kill").args(["-HUP", &pid]).status().await.unwrap();
    eventually("its own certificate is back", async || std::fs::read_to_string(&file).is_ok_and(|now| now == own)).await;
    let client = Client::new(server, home.path(), "put-right", &server.instance(id).await).await;
    eventually("clients verify it", async || client.trusts().await.is_ok()).await;
    assert_eq!(certificate(server, id).await["fingerprint"], before["fingerprint"], "no other one was needed");
    // A server that has to start with it would not.
    std::fs::write(&file, "no certificate").unwrap();
    eventually("its own certificate is back", async || std::fs::read_to_string(&file).is_ok_and(|now| now == own)).await;
}

/// A certificate that no Secret has, and of which nothing tells the control plane until it logs in anew.
async fn a_replaced_certificate_in_a_pod_is_put_right(platform: &Platform, server: &Server, id: &str) {
    let before = presented(server, id, &Value::Null).await;
    let instance = server.instance(id).await;
    let client = Client::new(server, platform.home.path(), "pod", &instance).await;
    assert_eq!(client.trusts().await, Ok(()));
    let (object, pod, claim) = (id.parse().map(names::object).unwrap(), id.parse().map(names::pod).unwrap(), id.parse().map(names::claim).unwrap());
    platform.cluster.cluster(|cluster| {
        cluster.mounts_held = true;
        cluster.replace_certificate(&claim, &impostor());
    });
    // Who is the superuser has the server read it.
    let secret = platform.cluster.object("secrets", &object).unwrap();
    let password = String::from_utf8(BASE64_STANDARD.decode(text(&secret["data"]["password"])).unwrap()).unwrap();
    let superuser = format!("postgres://toygres:{password}@{}:5432/postgres", text(&instance["endpoint"]["host"]));
    assert_eq!(psql(&superuser, "SELECT pg_reload_conf()").await.as_deref(), Ok("t"));
    eventually("clients refuse it", async || client.trusts().await.is_err()).await;

    platform.cluster.cluster(|cluster| {
        cluster.mounts_held = false;
        // A change of the pod is followed by a login.
        cluster.update("pods", &pod, |pod| pod["metadata"]["annotations"] = json!({ "example.com/changed": "yes" }));
    });
    eventually("clients verify it again", async || client.trusts().await.is_ok()).await;
    server.until_healthy(id).await;
    assert_eq!(certificate(server, id).await["fingerprint"], before["fingerprint"], "no other one was needed");
}

/// A certificate of another authority, with its key.
fn impostor() -> Vec<u8> {
    let (now, lifetime) = (chrono::Utc::now(), chrono::TimeDelta::days(1));
    let other = toygres_certificates::Authority::generate("impostor", now, now + lifetime).unwrap();
    let issued = other.issue(&["localhost".to_owned()], now, now + lifetime).unwrap().certificate;
    format!("{}{}", issued.chain, issued.key.expose()).into_bytes()
}

/// Changes of `requireTls` while a session without TLS is open.
async fn whether_tls_is_required_can_be_changed(server: &Server, id: &str) {
    let update = async |require_tls: bool| {
        let mutation = "mutation($input: UpdateInstanceInput!) {
            updateInstance(input: $input) { instance { requireTls connectionString } userErrors { code field message } } }";
        let payload = server.query(mutation, json!({ "input": { "id": id, "requireTls": require_tls } })).await["updateInstance"].clone();
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        assert_eq!(payload["instance"]["requireTls"], json!(require_tls));
        text(&payload["instance"]["connectionString"])
    };
    let plain = |url: &str| {
        let mut command = Command::new("psql");
        command.args([url, "-XAtqw"]).env("PGSSLMODE", "disable");
        command
    };
    let url = text(&server.instance(id).await["connectionString"]);
    let connects = async || plain(&url).args(["-c", "SELECT 1"]).output().await.unwrap().status.success();
    eventually("clients without TLS connect", async || connects().await).await;
    let mut child = plain(&url).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    let mut session = Session { _child: child, input, output };
    let backend = session.ask("SELECT pg_backend_pid()").await;

    let strict = update(true).await;
    assert_eq!(strict, format!("{url}?sslmode=require"));
    eventually("clients without TLS are refused", async || !connects().await).await;
    eventually("which is known", async || certificate(server, id).await["renewing"] == false).await;
    assert_eq!(session.ask("SELECT pg_backend_pid()").await, backend, "the session stays");
    let output = Command::new("psql").args([&strict, "-XAtqwc", "SELECT 1"]).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n", "{}", String::from_utf8_lossy(&output.stderr));

    assert_eq!(update(false).await, url);
    eventually("clients without TLS connect again", async || connects().await).await;
    assert_eq!(session.ask("SELECT pg_backend_pid()").await, backend, "the session stays");
    let events = server.query("query($id: ID!) { instance(id: $id) { events(last: 50) { nodes { type } } } }", json!({ "id": id })).await;
    assert!(!events.to_string().contains("REPAIRED"), "{events:#}");
}

/// A certificate that is not renewed in time, as one whose server cannot be told.
async fn the_expiry_of_a_certificate_is_a_notice(server: &Server, database: &str, id: &str) {
    let metadata = connect(database).await;
    let expires_in = async |days: u32| {
        let update = format!("UPDATE toygres.instance_certificates SET presented_not_after = now() + interval '{days} days'");
        metadata.batch_execute(&update).await.unwrap();
        metadata.batch_execute("NOTIFY toygres_authorities").await.unwrap();
    };
    let notices = async || server.query("query($id: ID!) { instance(id: $id) { notices { code message } } }", json!({ "id": id })).await;
    expires_in(5).await;
    eventually("the notice", async || notices().await["instance"]["notices"][0]["code"] == "CERTIFICATE_EXPIRING").await;
    expires_in(80).await;
    eventually("no notice", async || notices().await["instance"]["notices"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_instance_keeps_its_sessions_when_its_certificate_changes() {
    let home = Home::new();
    let server = home.start_with(&[("TOYGRES_CA_OVERLAP_HOURS", "0")]).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let database = std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap();
    renewals_interrupt_nothing(&server, database.trim(), home.path(), &id).await;
    eventually("the former authority is not published any more", async || statuses(&server).await == ["ISSUING"]).await;
    whether_tls_is_required_can_be_changed(&server, &id).await;
    the_expiry_of_a_certificate_is_a_notice(&server, database.trim(), &id).await;
    a_replaced_certificate_is_put_right(&server, &home, &id).await;
    let mut command = home.command(&["instances", "connect", "orders", "--", "-XAtc", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"]);
    let output = command.env("TOYGRES_URL", server.url("")).env("XDG_CACHE_HOME", home.path()).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "t\n", "{}", String::from_utf8_lossy(&output.stderr));
    let kept = std::fs::read_dir(home.path().join("toygres")).unwrap().count();
    assert_eq!(kept, 1, "it has used the authorities");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_keeps_its_sessions_when_its_certificate_changes() {
    let platform = Platform::new().await;
    let server = platform.start_with(&[("TOYGRES_CA_OVERLAP_HOURS", "0")]).await;
    for version in ["15", "18"] {
        let payload = server.create(json!({ "name": format!("orders-{version}"), "postgresVersion": version })).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        let id = text(&payload["instance"]["id"]);
        let url = text(&server.until_healthy(&id).await["connectionString"]);
        let output = Command::new("psql").args([&url, "-XAtqwc", "SHOW server_version_num"]).output().await.unwrap();
        let major = String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().unwrap() / 10_000;
        let expected = toygres_store::testing::PodServer::version(version.parse().unwrap());
        assert_eq!(major, u32::from(expected), "scripts/install-test-postgres installs the versions that this machine lacks");
        renewals_interrupt_nothing(&server, &platform.database.url(), platform.home.path(), &id).await;
        wrong_hosts_are_refused(&server, platform.home.path(), &id).await;
        a_replaced_certificate_in_a_pod_is_put_right(&platform, &server, &id).await;
        whether_tls_is_required_can_be_changed(&server, &id).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_authority_is_published_before_it_issues() {
    let home = Home::new();
    let server = home.start().await;
    eventually("there is an authority", async || statuses(&server).await == ["ISSUING"]).await;
    let run = async |arguments: &[&str]| home.command(arguments).env("TOYGRES_URL", server.url("")).output().await.unwrap();
    let rotated = run(&["ca", "rotate"]).await;
    assert!(rotated.status.success(), "{rotated:?}");
    assert_eq!(statuses(&server).await, ["ISSUING", "UPCOMING"]);
    let again = rotate(&server, false).await;
    assert_eq!(again["userErrors"][0]["code"], "CONFLICT", "{again:#}");
    let again = run(&["ca", "rotate"]).await;
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("is published already"), "{again:?}");
    let bundle = server.get("/ca.pem").await.text().await.unwrap();
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(run(&["ca", "rotate", "--now"]).await.status.success(), "it need not wait");
    eventually("nothing needs the former one", async || statuses(&server).await == ["ISSUING"]).await;
    let bundle = server.get("/ca.pem").await.text().await.unwrap();
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 1);
    assert_eq!(String::from_utf8(run(&["ca", "show", "--pem"]).await.stdout).unwrap(), bundle);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_without_tls_are_refused_where_it_is_required() {
    let home = Home::new();
    let server = home.start().await;
    let payload = server.create(json!({ "name": "strict", "requireTls": true })).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    assert!(url.ends_with("?sslmode=require"), "{url}");
    let run = async |url: &str| Command::new("psql").args([url, "-XAtqwc", "SELECT 1"]).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&run(&url).await.stdout), "1\n");
    let refused = run(&url.replace("sslmode=require", "sslmode=disable")).await;
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("no pg_hba.conf entry for host") && why.contains("no encryption"), "{why}");
    server.stop().await;
}

/// The files of an operator.
struct OperatorFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl OperatorFiles {
    fn new(home: &Home) -> Self {
        Self { certificate: home.path().join("ca.crt"), key: home.path().join("ca.key") }
    }

    fn authority(name: &str) -> toygres_certificates::Authority {
        let now = chrono::Utc::now();
        toygres_certificates::Authority::generate(name, now - chrono::TimeDelta::hours(1), now + chrono::TimeDelta::days(100)).unwrap()
    }

    fn hold(&self, authority: &toygres_certificates::Authority) {
        std::fs::write(&self.key, authority.key().unwrap().expose()).unwrap();
        std::fs::write(&self.certificate, authority.certificate().unwrap()).unwrap();
    }

    /// The same key with another certificate, as cert-manager renews an authority.
    async fn renew(&self) {
        let renewed = self.certificate.with_extension("renewed");
        let mut command = Command::new("openssl");
        command.args(["x509", "-days", "200", "-in"]).arg(&self.certificate).arg("-signkey").arg(&self.key).arg("-out").arg(&renewed);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::rename(renewed, &self.certificate).unwrap();
    }

    fn settings(&self) -> [(&str, &str); 2] {
        [("TOYGRES_CA_CERT", self.certificate.to_str().unwrap()), ("TOYGRES_CA_KEY", self.key.to_str().unwrap())]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_of_the_operator_issues() {
    let (home, own) = (Home::new(), OperatorFiles::authority("operator"));
    let files = OperatorFiles::new(&home);
    files.hold(&own);
    let server = home.start_with(&files.settings()).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let client = Client::new(&server, home.path(), "trusted", &server.instance(&id).await).await;
    assert_eq!(std::fs::read_to_string(&client.trusted).unwrap(), own.certificate().unwrap());
    assert_eq!(client.trusts().await, Ok(()));
    let refused = rotate(&server, false).await;
    assert_eq!(refused["userErrors"][0]["code"], "CONFLICT", "{refused:#}");
    server.stop().await;

    std::fs::write(&files.key, "no key").unwrap();
    let output = home.command(&["serve"]).envs(files.settings()).output().await.unwrap();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && why.contains("TOYGRES_CA_CERT: ") && why.contains("private key"), "{why}");
}

/// As cert-manager does, with the overlap of a week: the key of the authority that issues is gone at once.
#[tokio::test(flavor = "multi_thread")]
async fn creations_go_on_when_the_files_of_an_authority_are_replaced() {
    let home = Home::new();
    let (files, first, second) = (OperatorFiles::new(&home), OperatorFiles::authority("operator"), OperatorFiles::authority("operator"));
    files.hold(&first);
    let server = home.start_with(&files.settings()).await;
    let database = std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap();
    let metadata = connect(database.trim()).await;
    let look = async || metadata.batch_execute("NOTIFY toygres_authorities").await.unwrap();
    let orders = server.create_ok("orders").await;
    server.until_healthy(&orders).await;
    let of_first = presented(&server, &orders, &Value::Null).await;

    // The same key: clients that trust what is published trust it.
    files.renew().await;
    let renewed = std::fs::read_to_string(&files.certificate).unwrap();
    look().await;
    let bundle = async || server.get("/ca.pem").await.text().await.unwrap();
    eventually("the renewed certificate is published", async || bundle().await == renewed).await;
    assert_eq!(statuses(&server).await, ["ISSUING"]);
    let client = Client::new(&server, home.path(), "renewed", &server.instance(&orders).await).await;
    assert_eq!(client.trusts().await, Ok(()));

    // Another key: it issues for a new instance at once, and for the other one when clients have had time to trust it.
    files.hold(&second);
    look().await;
    eventually("the next authority is published", async || statuses(&server).await == ["ISSUING", "UPCOMING"]).await;
    let invoices = server.create_ok("invoices").await;
    server.until_healthy(&invoices).await;
    for (name, id) in [("orders", &orders), ("invoices", &invoices)] {
        assert_eq!(Client::new(&server, home.path(), name, &server.instance(id).await).await.trusts().await, Ok(()), "{name}");
    }
    assert!(client.trusts().await.is_ok(), "who trusts only the former authority verifies the instances of before");
    assert_eq!(presented(&server, &orders, &Value::Null).await["fingerprint"], of_first["fingerprint"]);

    // It issues at once. Files that somebody puts back bring the former one to nobody.
    let rotated = rotate(&server, true).await;
    assert_eq!(rotated["userErrors"], json!([]), "{rotated:#}");
    eventually("the former authority is not published any more", async || statuses(&server).await == ["ISSUING"]).await;
    assert_eq!(bundle().await, second.certificate().unwrap());
    files.hold(&first);
    let refused = rotate(&server, false).await;
    assert_eq!(refused["userErrors"][0]["code"], "CONFLICT", "{refused:#}");
    assert_eq!(bundle().await, second.certificate().unwrap());

    // It comes back if the operator says so.
    assert_eq!(rotate(&server, true).await["userErrors"], json!([]));
    eventually("the first authority issues again", async || bundle().await == first.certificate().unwrap()).await;
    server.stop().await;
}

/// Without `now`, former files take effect like new ones.
#[tokio::test(flavor = "multi_thread")]
async fn former_files_of_an_authority_can_be_put_back() {
    let home = Home::new();
    let (files, first, second) = (OperatorFiles::new(&home), OperatorFiles::authority("first"), OperatorFiles::authority("second"));
    files.hold(&first);
    let server = home.start_with(&files.settings()).await;
    let database = std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap();
    let metadata = connect(database.trim()).await;
    let look = async || metadata.batch_execute("NOTIFY toygres_authorities").await.unwrap();
    let orders = server.create_ok("orders").await;
    server.until_healthy(&orders).await;
    presented(&server, &orders, &Value::Null).await;
    files.hold(&second);
    look().await;
    eventually("the next authority is published", async || statuses(&server).await == ["ISSUING", "UPCOMING"]).await;
    // The overlap is over, and nobody has moved to it yet.
    files.hold(&first);
    metadata.batch_execute("UPDATE toygres.certificate_authorities SET issues_from = least(issues_from, now())").await.unwrap();
    eventually("the former one is the next", async || statuses(&server).await == ["ISSUING", "UPCOMING"]).await;
    let authorities = server.query("{ controlPlane { caCertificates { pem } } }", json!({})).await["controlPlane"]["caCertificates"].clone();
    assert_eq!(authorities[1]["pem"], json!(first.certificate().unwrap()));
    let invoices = server.create_ok("invoices").await;
    server.until_healthy(&invoices).await;
    server.stop().await;
}
