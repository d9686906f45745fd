//! Users and databases of an instance, through the API and the command line.

use serde_json::{Value, json};

use crate::{
    cli::commands::{json as command_json, run, succeed},
    support::{Home, Server, connect, psql, text},
};

async fn mutate(server: &Server, mutation: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let password = if mutation == "createDatabaseUser" { "password" } else { "" };
    let document = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {password} operation {{ id kind status }} userErrors {{ code field message }} }} }}"
    );
    server.query(&document, json!({ "input": input })).await[mutation].clone()
}

/// Requests an operation, which must be accepted; returns the payload and the operation when it has finished.
pub async fn done(server: &Server, mutation: &str, input: Value) -> (Value, Value) {
    let payload = mutate(server, mutation, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
    let document = "subscription($id: ID!) { operation(id: $id) { status error { code message } steps { name status findings } } }";
    let mut live = server.subscribe(document, json!({ "id": payload["operation"]["id"] })).await;
    let mut last = Value::Null;
    while let Some(item) = live.next().await {
        last = item["data"]["operation"].clone();
    }
    (payload, last)
}

pub async fn succeeded(server: &Server, mutation: &str, input: Value) -> Value {
    let (payload, operation) = done(server, mutation, input).await;
    assert_eq!(operation["status"], "SUCCEEDED", "{mutation}: {operation:#}");
    payload
}

/// The URL of another user or database.
pub fn url(of: &str, user: &str, password: &str, database: &str) -> String {
    let (_, rest) = of.split_once('@').unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    format!("postgresql://{user}:{password}@{address}/{database}")
}

const LISTS: &str = "databaseUsers(first: 10) { nodes { id name access database } } databases(first: 10) { nodes { id name owner } }";

#[tokio::test(flavor = "multi_thread")]
async fn users_and_databases_come_and_go() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("orders").await;
    let own = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&own, "CREATE TABLE t (a int); INSERT INTO t VALUES (42)").await.unwrap();
    let mut live = server.subscribe(&format!("subscription($id: ID!) {{ instance(id: $id) {{ {LISTS} }} }}"), json!({ "id": id })).await;
    let first = live.next().await.unwrap()["data"]["instance"].clone();
    let owner = json!({ "id": format!("database-user-{id}-app"), "name": "app", "access": "OWNER", "database": "app" });
    assert_eq!(first["databaseUsers"]["nodes"], json!([owner]));
    assert_eq!(first["databases"]["nodes"], json!([{ "id": format!("database-{id}-app"), "name": "app", "owner": "app" }]));

    // A user who reads: the password is in the first answer only.
    let input = json!({ "instanceId": id, "name": "reports", "access": "READ_ONLY", "idempotencyKey": "once" });
    let created = succeeded(&server, "createDatabaseUser", input.clone()).await;
    let reports = url(&own, "reports", &text(&created["password"]), "app");
    assert_eq!(psql(&reports, "TABLE t").await.as_deref(), Ok("42"));
    assert!(psql(&reports, "DELETE FROM t").await.unwrap_err().contains("permission denied"));
    let again = mutate(&server, "createDatabaseUser", input).await;
    assert_eq!((&again["operation"]["id"], &again["password"]), (&created["operation"]["id"], &Value::Null), "{again:#}");

    // A user who reads and writes rows, also of tables that are made later.
    let input = json!({ "instanceId": id, "name": "app_web", "access": "READ_WRITE", "password": "reads-and-writes" });
    succeeded(&server, "createDatabaseUser", input).await;
    let web = url(&own, "app_web", "reads-and-writes", "app");
    psql(&own, "CREATE TABLE later (n serial, a int)").await.unwrap();
    assert_eq!(psql(&web, "INSERT INTO later (a) VALUES (7) RETURNING n").await.as_deref(), Ok("1"));
    assert_eq!(psql(&web, "UPDATE t SET a = 43 RETURNING a").await.as_deref(), Ok("43"));
    assert!(psql(&web, "DROP TABLE later").await.unwrap_err().contains("must be owner"));
    assert!(psql(&web, "CREATE TABLE public.mine (a int)").await.unwrap_err().contains("permission denied"));

    // A user with a database of their own.
    let builder = json!({ "instanceId": id, "name": "builder", "access": "OWNER", "password": "built-by-hand" });
    assert_eq!(succeeded(&server, "createDatabaseUser", builder).await["password"], "built-by-hand");
    succeeded(&server, "createDatabase", json!({ "instanceId": id, "name": "shop", "owner": "builder" })).await;
    let shop = url(&own, "builder", "built-by-hand", "shop");
    psql(&shop, "CREATE TABLE goods (a int); INSERT INTO goods VALUES (7)").await.unwrap();

    // Subscribers are told.
    let listed = loop {
        let now = live.next().await.unwrap()["data"]["instance"].clone();
        if now["databases"]["nodes"].as_array().unwrap().len() == 2 {
            break now;
        }
    };
    let names: Vec<_> = listed["databaseUsers"]["nodes"].as_array().unwrap().iter().map(|user| text(&user["name"])).collect();
    assert_eq!(names, ["app", "app_web", "builder", "reports"]);
    assert_eq!(listed["databases"]["nodes"][1]["owner"], "builder");
    let node =
        server.query("query($id: ID!) { node(id: $id) { id ... on Database { name owner } } }", json!({ "id": format!("database-{id}-shop") })).await;
    assert_eq!(node["node"], json!({ "id": format!("database-{id}-shop"), "name": "shop", "owner": "builder" }));

    // What is refused.
    for (mutation, input, code, field) in [
        ("createDatabaseUser", json!({ "name": "reports", "access": "READ_ONLY" }), "CONFLICT", "name"),
        ("createDatabaseUser", json!({ "name": "toygres_x", "access": "READ_ONLY" }), "INVALID", "name"),
        ("createDatabaseUser", json!({ "name": "other", "access": "READ_ONLY", "password": "short" }), "INVALID", "password"),
        ("createDatabaseUser", json!({ "name": "other", "access": "READ_ONLY", "database": "postgres" }), "INVALID", "database"),
        ("dropDatabaseUser", json!({ "name": "app" }), "CONFLICT", "name"),
        ("dropDatabaseUser", json!({ "name": "nobody" }), "NOT_FOUND", "name"),
        ("dropDatabaseUser", json!({ "name": "builder", "reassignTo": "builder" }), "INVALID", "reassignTo"),
        ("createDatabase", json!({ "name": "shop" }), "CONFLICT", "name"),
        ("createDatabase", json!({ "name": "toygres" }), "INVALID", "name"),
        ("createDatabase", json!({ "name": "other", "owner": "nobody" }), "INVALID", "owner"),
        ("dropDatabase", json!({ "name": "app" }), "CONFLICT", "name"),
        ("dropDatabase", json!({ "name": "nothing" }), "NOT_FOUND", "name"),
    ] {
        let mut whole = input.clone();
        whole["instanceId"] = json!(id);
        let answer = mutate(&server, mutation, whole).await;
        assert_eq!((&answer["operation"], &answer["userErrors"][0]["code"]), (&Value::Null, &json!(code)), "{mutation} {input}: {answer:#}");
        assert_eq!(answer["userErrors"][0]["field"], json!([field]), "{mutation} {input}: {answer:#}");
    }
    // What was made by SQL is left alone.
    psql(&own, "CREATE DATABASE by_sql").await.unwrap();
    let (_, failed) = done(&server, "createDatabase", json!({ "instanceId": id, "name": "by_sql" })).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("FAILED"), &json!("QUERY_FAILED")), "{failed:#}");
    assert_eq!(psql(&url(&own, "app", own.split([':', '@']).nth(2).unwrap(), "by_sql"), "SELECT 1").await.as_deref(), Ok("1"));

    // What a dropped user owned belongs to the owner.
    let (_, dropped) = done(&server, "dropDatabaseUser", json!({ "instanceId": id, "name": "builder" })).await;
    assert_eq!(dropped["status"], "SUCCEEDED", "{dropped:#}");
    assert!(text(&dropped["steps"][1]["findings"][0]).starts_with("reassigned to app in "), "{dropped:#}");
    assert!(psql(&shop, "SELECT 1").await.is_err());
    let shop = own.strip_suffix("/app").unwrap().to_owned() + "/shop";
    assert_eq!(psql(&shop, "TABLE goods").await.as_deref(), Ok("7"));

    // Sessions refuse that a database is dropped, unless they are ended.
    let session = connect(&shop).await;
    let (_, refused) = done(&server, "dropDatabase", json!({ "instanceId": id, "name": "shop" })).await;
    assert_eq!(refused["status"], "FAILED", "{refused:#}");
    assert!(text(&refused["error"]["message"]).contains("force"), "{refused:#}");
    succeeded(&server, "dropDatabase", json!({ "instanceId": id, "name": "shop", "force": true })).await;
    assert!(session.simple_query("SELECT 1").await.is_err());
    for name in ["reports", "app_web"] {
        succeeded(&server, "dropDatabaseUser", json!({ "instanceId": id, "name": name })).await;
    }
    let last = server.query(&format!("query($id: ID!) {{ instance(id: $id) {{ {LISTS} health }} }}"), json!({ "id": id })).await;
    assert_eq!(last["instance"]["databaseUsers"]["nodes"], json!([owner]));
    assert_eq!(last["instance"]["health"], "HEALTHY");

    // The command line.
    let shown = succeed(&home, &server, &["users", "create", "orders", "cli_user", "--access", "owner", "--wait"]).await;
    assert!(shown.contains("The password of cli_user is ") && shown.contains("it is not shown again"), "{shown}");
    succeed(&home, &server, &["databases", "create", "orders", "cli_db", "--owner", "cli_user", "--wait"]).await;
    let databases = command_json(&home, &server, &["databases", "list", "orders"]).await;
    assert_eq!(databases[1]["owner"], "cli_user", "{databases:#}");
    let password = shown.split(" is ").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(psql(&url(&own, "cli_user", password, "cli_db"), "SELECT 1").await.as_deref(), Ok("1"));
    succeed(&home, &server, &["users", "drop", "orders", "cli_user", "--yes", "--wait"]).await;
    let dropped = run(&home, &server, &["databases", "drop", "orders", "cli_db", "--force", "--yes", "--wait"]).await;
    assert!(dropped.code == 0 && dropped.err.contains("drop database cli_db of orders: succeeded"), "{dropped:?}");
    let described = succeed(&home, &server, &["operations", "get", "orders"]).await;
    assert!(described.starts_with("drop a database of orders: succeeded"), "{described}");
    let users = succeed(&home, &server, &["users", "list", "orders"]).await;
    assert!(users.contains("app") && users.contains("owner") && !users.contains("cli_user"), "{users}");
    let refused = run(&home, &server, &["users", "drop", "orders", "app", "--yes"]).await;
    assert!(refused.code != 0 && refused.err.contains("created with"), "{refused:?}");

    server.delete(&id).await;
    server.until_deleted(&id).await;
    let gone = server.query(&format!("query($id: ID!) {{ instance(id: $id) {{ {LISTS} }} }}"), json!({ "id": id })).await;
    assert_eq!((&gone["instance"]["databaseUsers"]["nodes"], &gone["instance"]["databases"]["nodes"]), (&json!([]), &json!([])));
    server.stop().await;
}
