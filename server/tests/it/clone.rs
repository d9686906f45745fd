//! Cloning an instance on one machine, without backups: while it is written to, while it is suspended, and while it is stopped, resumed or
//! removed in the middle.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    backups::{finish, poll},
    cli::commands::json as json_of,
    database_users::{done, succeeded},
    restore::{replaced, with_user},
    support::{Home, Server, connect, psql, text},
};

const CLONE: &str = "mutation($input: CloneInstanceInput!) { cloneInstance(input: $input) {
    instance { id name state postgresVersion storageGb memoryMb username database } operation { id kind restoration { sourceId method clones } }
    userErrors { code field message } } }";
const RESTORATION: &str = "query($id: ID!) { operation(id: $id) { restoration { sourceId method } error { code message } } }";

pub async fn clone(server: &Server, input: Value) -> Value {
    server.query(CLONE, json!({ "input": input })).await["cloneInstance"].clone()
}

/// Clones without waiting; returns the id of the new instance and that of the operation.
async fn accepted(server: &Server, source: &str, name: &str) -> (String, String) {
    let answer = clone(server, json!({ "sourceId": source, "name": name })).await;
    assert_eq!((&answer["userErrors"], &answer["operation"]["kind"]), (&json!([]), &json!("RESTORE")), "{answer:#}");
    assert_eq!(answer["operation"]["restoration"], json!({ "sourceId": source, "method": null, "clones": true }), "{answer:#}");
    (text(&answer["instance"]["id"]), text(&answer["operation"]["id"]))
}

async fn refused(server: &Server, input: Value) -> Value {
    let answer = clone(server, input).await;
    assert_eq!(answer["operation"], Value::Null, "{answer:#}");
    answer["userErrors"][0].clone()
}

/// Waits until a clone has succeeded; returns its URL.
async fn url_of(server: &Server, (id, operation): &(String, String)) -> String {
    finish(server, operation, "SUCCEEDED").await;
    text(&server.until_healthy(id).await["connectionString"])
}

async fn method(server: &Server, operation: &str) -> Value {
    server.query(RESTORATION, json!({ "id": operation })).await["operation"]["restoration"]["method"].clone()
}

async fn operate(server: &Server, mutation: &str, id: &str) -> String {
    let document = format!("mutation($id: ID!) {{ {mutation}(input: {{ id: $id }}) {{ operation {{ id }} userErrors {{ message }} }} }}");
    let answer = server.query(&document, json!({ "id": id })).await[mutation].clone();
    assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    text(&answer["operation"]["id"])
}

/// What a consistent copy has: every row up to the last one, and a total that was changed with each of them.
const CONSISTENT: &str = "SELECT max(n) = count(*) AND sum(n) = (SELECT sum FROM total) FROM rows";
const COUNT: &str = "SELECT count(*) FROM rows";

/// Commits one row after the other, each with the total; returns the number of rows.
async fn write(url: String, stop: Arc<AtomicBool>) -> i64 {
    let client = connect(&url).await;
    loop {
        let last = client.query_one("WITH row AS (INSERT INTO rows SELECT max(n) + 1 FROM rows RETURNING n), changed AS (UPDATE total SET sum = sum + n FROM row) SELECT n FROM row", &[]);
        let last = last.await.expect("the source goes on");
        if stop.load(Ordering::Relaxed) {
            return last.get(0);
        }
    }
}

async fn count(url: &str) -> i64 {
    psql(url, COUNT).await.unwrap().parse().unwrap()
}

async fn fill(url: &str) {
    psql(url, "CREATE TABLE rows AS SELECT n::bigint FROM generate_series(1, 1000) AS n").await.unwrap();
    psql(url, "CREATE TABLE total AS SELECT sum(n)::bigint AS sum FROM rows").await.unwrap();
    psql(url, "CREATE TABLE large AS SELECT n, md5(n::text) AS text FROM generate_series(1, 200000) AS n").await.unwrap();
}

async fn large(url: &str) -> String {
    psql(url, "SELECT count(*) || md5(string_agg(text, ',' ORDER BY n)) FROM large").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_cloned_while_it_is_written_to() {
    let home = Home::new();
    let mut server = home.start().await;
    assert_eq!(server.query("{ controlPlane { copiesInstances } }", json!({})).await["controlPlane"]["copiesInstances"], true);
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    fill(&url).await;
    let user =
        "mutation($id: ID!) { createDatabaseUser(input: { instanceId: $id, name: \"reader\", access: READ_ONLY, password: \"of-the-source\" }) {
        operation { id } userErrors { message } } }";
    let user = server.query(user, json!({ "id": id })).await["createDatabaseUser"].clone();
    finish(&server, &text(&user["operation"]["id"]), "SUCCEEDED").await;
    assert!(psql(&with_user(&url, "reader", "of-the-source"), "SELECT 1").await.is_ok());
    succeeded(&server, "createDatabaseUser", json!({ "instanceId": id, "name": "builder", "access": "OWNER" })).await;
    succeeded(&server, "createDatabase", json!({ "instanceId": id, "name": "shop", "owner": "builder" })).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(url.clone(), stop.clone()));
    poll("rows are written", async || (count(&url).await > 1000).then_some(())).await;

    let before = count(&url).await;
    let answer = clone(&server, json!({ "sourceId": id, "name": "copy", "memoryMb": 256, "idempotencyKey": "once" })).await;
    assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    let (copy, operation) = (text(&answer["instance"]["id"]), text(&answer["operation"]["id"]));
    let again = clone(&server, json!({ "sourceId": id, "name": "copy", "memoryMb": 256, "idempotencyKey": "once" })).await;
    assert_eq!(text(&again["operation"]["id"]), operation, "the same key is the same operation");
    let copy_url = url_of(&server, &(copy.clone(), operation.clone())).await;
    let (copied, now) = (count(&copy_url).await, count(&url).await);
    assert!(before <= copied && copied < now, "{before} rows when it was asked for, {copied} in the copy, {now} now");
    assert_eq!(psql(&copy_url, CONSISTENT).await.as_deref(), Ok("t"), "a prefix of what was committed");
    assert_eq!(large(&copy_url).await, large(&url).await);
    let method = method(&server, &operation).await;
    assert!(method == "COPY" || method == "REFLINK", "{method}");

    // The copy is an instance of its own, with a size of its own.
    assert!(psql(&replaced(&url, &copy_url), "SELECT 1").await.is_err(), "the password of the source's owner");
    assert!(psql(&with_user(&copy_url, "reader", "of-the-source"), "SELECT 1").await.is_err(), "the password of another role of the source");
    users_of_the_source_get_passwords(&server, &copy, &copy_url).await;
    assert_eq!(psql(&copy_url, "SHOW shared_buffers").await.as_deref(), Ok("64MB"));
    assert_eq!(psql(&copy_url, "INSERT INTO rows VALUES (0) RETURNING n").await.as_deref(), Ok("0"));
    // The source goes on as if nothing had happened.
    stop.store(true, Ordering::Relaxed);
    let rows = writer.await.unwrap();
    assert_eq!(count(&url).await, rows);
    assert_eq!(psql(&url, CONSISTENT).await.as_deref(), Ok("t"));
    for url in [&url, &copy_url] {
        assert_eq!(psql(url, "SELECT count(*) FROM pg_replication_slots").await.as_deref(), Ok("0"), "no slot is left");
    }
    let now = server.instance(&id).await;
    assert_eq!((&now["state"], &now["health"], now["operations"]["nodes"].as_array().unwrap().len()), (&json!("RUNNING"), &json!("HEALTHY"), 4));

    // The clone of a clone, by the command line.
    let answer = json_of(&home, &server, &["instances", "clone", "copy", "again", "--cpu-millis", "200", "--wait"]).await;
    assert_eq!((&answer["operation"]["status"], &answer["instance"]["cpuMillis"]), (&json!("SUCCEEDED"), &json!(200)), "{answer:#}");
    let again = text(&server.until_healthy(&text(&answer["instance"]["id"])).await["connectionString"]);
    assert_eq!(count(&again).await, copied + 1);

    let error = refused(&server, json!({ "sourceId": id, "name": "copy", "storageGb": 1 })).await;
    assert_eq!((&error["code"], &error["field"]), (&json!("OUT_OF_RANGE"), &json!(["storageGb"])), "{error:#}");
    let error = refused(&server, json!({ "sourceId": id, "name": "copy" })).await;
    assert_eq!((&error["code"], &error["field"]), (&json!("NAME_TAKEN"), &json!(["name"])), "{error:#}");
    let error = refused(&server, json!({ "sourceId": "01890a5d-ac96-774b-bcce-b302099a8057", "name": "other" })).await;
    assert_eq!((&error["code"], &error["field"]), (&json!("NOT_FOUND"), &json!(["sourceId"])), "{error:#}");
    server.crash().await;
}

/// A copy has the roles of its source without passwords. The API gives them one, if it is asked for the access that they have, and lists the
/// databases that belong to them.
async fn users_of_the_source_get_passwords(server: &Server, copy: &str, url: &str) {
    let (owned, shop) = (with_user(url, "builder", "of-the-copy"), with_user(url, "builder", "of-the-copy").replace("/app", "/shop"));
    let input = |name: &str, access: &str| json!({ "instanceId": copy, "name": name, "access": access, "password": "of-the-copy" });
    for (name, access, has) in [("reader", "READ_WRITE", "READ_ONLY to app"), ("builder", "READ_ONLY", "the databases that it owns")] {
        let (_, refused) = done(server, "createDatabaseUser", input(name, access)).await;
        assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!("FAILED"), &json!("QUERY_FAILED")), "{refused:#}");
        assert!(text(&refused["error"]["message"]).contains(has), "{refused:#}");
        assert!(psql(&with_user(url, name, "of-the-copy"), "SELECT 1").await.is_err());
    }
    succeeded(server, "createDatabaseUser", input("reader", "READ_ONLY")).await;
    succeeded(server, "createDatabaseUser", input("builder", "OWNER")).await;
    assert!(psql(&with_user(url, "reader", "of-the-source"), "SELECT 1").await.is_err());
    assert_eq!(psql(&with_user(url, "reader", "of-the-copy"), "SELECT count(*) > 0 FROM rows").await.as_deref(), Ok("t"));
    assert_eq!(psql(&owned, "SELECT current_user").await.as_deref(), Ok("builder"));
    psql(&shop, "CREATE TABLE kept AS SELECT 42 AS n").await.unwrap();

    let (_, refused) = done(server, "createDatabase", json!({ "instanceId": copy, "name": "shop" })).await;
    assert_eq!(refused["status"], "FAILED", "it does not belong to the owner of the instance: {refused:#}");
    succeeded(server, "createDatabase", json!({ "instanceId": copy, "name": "shop", "owner": "builder" })).await;
    assert_eq!(psql(&shop, "TABLE kept").await.as_deref(), Ok("42"), "it is left as it is");
    let lists =
        "query($id: ID!) { instance(id: $id) { databaseUsers(first: 10) { nodes { name access } } databases(first: 10) { nodes { name owner } } } }";
    let listed = server.query(lists, json!({ "id": copy })).await["instance"].clone();
    assert_eq!(listed["databaseUsers"]["nodes"][2], json!({ "name": "reader", "access": "READ_ONLY" }), "{listed:#}");
    assert_eq!(listed["databases"]["nodes"][1], json!({ "name": "shop", "owner": "builder" }), "{listed:#}");
    succeeded(server, "dropDatabaseUser", json!({ "instanceId": copy, "name": "reader" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_instance_is_cloned_and_other_states_are_refused() {
    let home = Home::new();
    let mut server = home.start().await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    fill(&url).await;
    let (rows, sum) = (count(&url).await, large(&url).await);
    let suspension = operate(&server, "suspendInstance", &id).await;
    let error = refused(&server, json!({ "sourceId": id, "name": "early" })).await;
    if error["code"] == "CONFLICT" {
        assert!(text(&error["message"]).contains("wait until the operation"), "{error:#}");
    }
    finish(&server, &suspension, "SUCCEEDED").await;
    let copy = url_of(&server, &accepted(&server, &id, "copy").await).await;
    assert_eq!((count(&copy).await, large(&copy).await), (rows, sum));
    assert_eq!(server.instance(&id).await["state"], "SUSPENDED", "the source stays as it is");

    // No room: the file has a size, and takes none. Where both share the blocks, none is needed.
    let file = home.path().join(format!("data/instances/{id}/data/base/1/huge"));
    std::fs::File::create(&file).unwrap().set_len(8 << 40).unwrap();
    let (unwanted, operation) = accepted(&server, &id, "huge").await;
    let ended = poll("the operation has ended", async || {
        let now = server
            .query("query($id: ID!) { operation(id: $id) { status error { code message } restoration { method } } }", json!({ "id": operation }))
            .await;
        now["operation"]["status"].as_str().filter(|status| *status != "RUNNING" && *status != "PENDING").map(|_| now["operation"].clone())
    });
    let ended = ended.await;
    if ended["restoration"]["method"] != "REFLINK" {
        let message = text(&ended["error"]["message"]);
        assert!(ended["error"]["code"] == "DISK_FULL" && message.contains("MB are missing"), "{ended:#}");
        assert!(left(&home, &unwanted).is_empty(), "{:?}", left(&home, &unwanted));
    }
    std::fs::remove_file(&file).unwrap();

    let resumption = operate(&server, "resumeInstance", &id).await;
    finish(&server, &resumption, "SUCCEEDED").await;
    server.delete(&id).await;
    server.until_deleted(&id).await;
    let error = refused(&server, json!({ "sourceId": id, "name": "late" })).await;
    assert!(error["code"] == "CONFLICT" && text(&error["message"]).contains("restore it from its archive"), "{error:#}");
    server.crash().await;
}

/// Where a clone is made.
fn staging(home: &Home, id: &str) -> PathBuf {
    home.path().join(format!("data/instances/.staging-{id}/data/base"))
}

fn left(home: &Home, id: &str) -> Vec<String> {
    let entries = std::fs::read_dir(home.path().join("data/instances")).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).filter(|name| name.contains(id)).collect()
}

/// Begins a clone that takes a moment, and waits until files are copied.
async fn begun(home: &Home, server: &Server, source: &str, name: &str) -> (String, String) {
    let copy = accepted(server, source, name).await;
    poll("files are copied", async || (staging(home, &copy.0).exists() || !left(home, &copy.0).is_empty()).then_some(())).await;
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_that_is_interrupted_is_whole_or_there_is_none() {
    let home = Home::new();
    let mut server = home.start().await;
    let id = server.create_ok("orders").await;
    let mut url = text(&server.until_healthy(&id).await["connectionString"]);
    fill(&url).await;
    let sum = large(&url).await;
    // It takes a moment to copy.
    let file = home.path().join(format!("data/instances/{id}/data/base/1/large"));
    std::fs::File::create(&file).unwrap().set_len(256 << 20).unwrap();
    let whole = async |server: &Server, copy: &(String, String), rows: i64| {
        let url = url_of(server, copy).await;
        assert_eq!((large(&url).await, psql(&url, CONSISTENT).await.as_deref()), (sum.clone(), Ok("t")), "{copy:?}");
        assert!(count(&url).await >= rows, "{copy:?}");
    };

    // The control plane is killed.
    let copy = begun(&home, &server, &id, "killed").await;
    server.crash().await;
    server = home.start().await;
    whole(&server, &copy, 1000).await;
    url = text(&server.until_healthy(&id).await["connectionString"]);
    assert_eq!(psql(&url, "SELECT count(*) FROM pg_replication_slots").await.as_deref(), Ok("0"));

    // The source is suspended, and resumed and written to: the copy is of before or of after.
    let copy = begun(&home, &server, &id, "suspended").await;
    let suspension = operate(&server, "suspendInstance", &id).await;
    finish(&server, &suspension, "SUCCEEDED").await;
    whole(&server, &copy, 1000).await;
    let copy = begun(&home, &server, &id, "resumed").await;
    let resumption = operate(&server, "resumeInstance", &id).await;
    finish(&server, &resumption, "SUCCEEDED").await;
    url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "INSERT INTO rows VALUES (1001); UPDATE total SET sum = sum + 1001").await.unwrap();
    whole(&server, &copy, 1000).await;

    // Its server dies, and is started again.
    let copy = begun(&home, &server, &id, "crashed").await;
    let postmaster = nix::unistd::Pid::from_raw(crate::support::postmaster(&home, &id));
    nix::sys::signal::kill(postmaster, nix::sys::signal::Signal::SIGKILL).unwrap();
    whole(&server, &copy, 1001).await;

    // Nobody wants it any more.
    let (cancelled, operation) = begun(&home, &server, &id, "cancelled").await;
    let cancel = "mutation($id: ID!) { cancelOperation(input: { id: $id }) { userErrors { message } } }";
    server.query(cancel, json!({ "id": operation })).await;
    finish(&server, &operation, "CANCELLED").await;
    assert!(left(&home, &cancelled).is_empty(), "{:?}", left(&home, &cancelled));

    // The source is deleted.
    server.until_healthy(&id).await;
    let (orphan, operation) = begun(&home, &server, &id, "orphan").await;
    server.delete(&id).await;
    server.until_deleted(&id).await;
    let ended = poll("the clone has ended", async || {
        let now = server.query("query($id: ID!) { operation(id: $id) { status error { code message } } }", json!({ "id": operation })).await;
        matches!(now["operation"]["status"].as_str(), Some("SUCCEEDED" | "FAILED")).then(|| now["operation"].clone())
    });
    let ended = ended.await;
    if ended["status"] == "SUCCEEDED" {
        whole(&server, &(orphan, operation), 1001).await;
    } else {
        assert!(ended["error"]["code"] == "NOT_RESTORABLE" && text(&ended["error"]["message"]).contains("archive"), "{ended:#}");
        assert!(left(&home, &orphan).is_empty(), "{:?}", left(&home, &orphan));
    }
    tokio::time::timeout(Duration::from_secs(60), server.crash()).await.unwrap();
}
