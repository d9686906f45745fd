//! Commands in a pipe, as in scripts.

use serde_json::{Value, json as value};

use super::{
    background::Background,
    commands::{command, json, run, succeed},
};
use crate::support::{Home, eventually, seq, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_from_creation_to_deletion() {
    let home = Home::new();
    let server = home.start().await;
    let none = run(&home, &server, &["instances", "list"]).await;
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.contains("toygres instances create"), "{none:?}");

    let made = run(&home, &server, &["instances", "create", "orders", "--label", "team=shop", "--storage-gb", "3", "--wait", "-o", "json"]).await;
    assert_eq!(made.code, 0, "{made:#?}");
    assert!(made.err.contains("orders: deploy PostgreSQL succeeded") && made.err.contains("create orders: succeeded"), "{made:#?}");
    let made: Value = serde_json::from_str(&made.out).unwrap();
    assert_eq!((&made["operation"]["status"], &made["instance"]["state"]), (&value!("SUCCEEDED"), &value!("RUNNING")));
    let id = text(&made["instance"]["id"]);
    let operation = text(&made["operation"]["id"]);

    let table = succeed(&home, &server, &["instances", "list"]).await;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("NAME    STATE ") && lines[1].starts_with("orders  running "), "{table}");
    let list = json(&home, &server, &["instances", "list", "--state", "running", "--label", "team=shop"]).await;
    assert_eq!((list.as_array().unwrap().len(), &list[0]["labels"][0]["key"]), (1, &value!("team")));
    assert_eq!(json(&home, &server, &["instances", "list", "--state", "failed,deleting"]).await, value!([]));
    let yaml = succeed(&home, &server, &["instances", "get", &id, "-o", "yaml"]).await;
    assert!(yaml.contains("\nname: orders\n") && yaml.contains("storageGb: 3\n") && !yaml.contains("postgresql://"), "{yaml}");
    let page = succeed(&home, &server, &["instances", "get", "orders"]).await;
    let has = |name: &str, value: &str| page.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(value)));
    assert!(has("Labels ", "team=shop") && has("Available ", "") && has("Last operation: ", "create orders: succeeded"), "{page}");

    let url = succeed(&home, &server, &["instances", "get", "orders", "--connection-string"]).await;
    let password = url.split([':', '@']).nth(2).unwrap().to_owned();
    assert!(url.starts_with("postgresql://app:") && !page.contains(&password) && !made.to_string().contains(&password));
    let answer = succeed(&home, &server, &["instances", "connect", "orders", "--", "-XAtc", "SELECT current_user, 41 + 1"]).await;
    assert_eq!(answer, "app|42\n");
    let mut open = Background::start(command(&home, &server, &["instances", "connect", "orders", "--", "-Xc", "SELECT pg_sleep(60)"]));
    let arguments = format!("/proc/{}/cmdline", open.child.id().unwrap());
    eventually("psql has replaced toygres", async || std::fs::read_to_string(&arguments).unwrap().contains("psql")).await;
    assert!(!std::fs::read_to_string(&arguments).unwrap().contains(&password), "other users can read arguments");
    open.child.kill().await.unwrap();

    let changed = json(&home, &server, &["instances", "update", "orders", "--label", "tier=1", "--unlabel", "team", "--protect"]).await;
    assert_eq!((&changed["labels"], &changed["deletionProtected"]), (&value!([{ "key": "tier", "value": "1" }]), &value!(true)));
    assert_eq!(run(&home, &server, &["instances", "delete", "orders", "--yes"]).await.code, 6);
    succeed(&home, &server, &["instances", "update", "orders", "--unprotect"]).await;

    let operations = json(&home, &server, &["operations", "list", "--instance", "orders", "--kind", "create"]).await;
    assert_eq!((operations.as_array().unwrap().len(), text(&operations[0]["id"])), (1, operation.clone()));
    assert_eq!(json(&home, &server, &["operations", "get", "orders"]).await["id"], value!(operation));
    let lines = succeed(&home, &server, &["operations", "watch", &operation]).await;
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!((&last["id"], &last["status"]), (&value!(operation), &value!("SUCCEEDED")));
    assert_eq!(run(&home, &server, &["operations", "cancel", &operation]).await.code, 6, "it has finished");

    let mut watch = Background::start(command(&home, &server, &["instances", "watch", "orders"]));
    assert_eq!(watch.line().await["state"], "RUNNING");
    let gone = json(&home, &server, &["instances", "delete", "orders", "--yes", "--wait"]).await;
    assert_eq!(gone["instance"]["state"], "DELETED");
    while watch.line().await["state"] != "DELETED" {}
    assert_eq!(watch.code().await, 0);

    let schema = succeed(&home, &server, &["schema"]).await;
    assert_eq!(schema, std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql")).unwrap());
    for shell in ["bash", "zsh", "fish"] {
        assert!(succeed(&home, &server, &["completion", shell]).await.contains("instances"));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_restarted_and_resized() {
    let home = Home::new();
    let server = home.start().await;
    succeed(&home, &server, &["instances", "create", "orders", "--wait"]).await;
    let mut watch = Background::start(command(&home, &server, &["instances", "watch", "orders"]));
    assert_eq!(watch.line().await["state"], "RUNNING");

    let restart = ["instances", "restart", "orders", "--timeout", "30", "--idempotency-key", "first", "--wait", "-o", "json"];
    let restarted = run(&home, &server, &restart).await;
    assert_eq!(restarted.code, 0, "{restarted:#?}");
    assert!(restarted.err.contains("orders: restart PostgreSQL succeeded") && restarted.err.contains("restart orders: succeeded"), "{restarted:#?}");
    let result: Value = serde_json::from_str(&restarted.out).unwrap();
    assert_eq!((&result["operation"]["kind"], &result["operation"]["status"]), (&value!("RESTART"), &value!("SUCCEEDED")));
    assert_eq!((&result["operation"]["canCancel"], &result["instance"]["state"]), (&value!(false), &value!("RUNNING")));
    while watch.line().await["state"] != "UPDATING" {}
    while watch.line().await["state"] != "RUNNING" {}

    // The same key returns the same operation. With other input, it is an error.
    let repeated = json(&home, &server, &restart[..restart.len() - 2]).await;
    assert_eq!(repeated["operation"]["id"], result["operation"]["id"]);
    let other_input = run(&home, &server, &["instances", "restart", "orders", "--timeout", "31", "--idempotency-key", "first"]).await;
    assert_eq!(other_input.code, 6, "{other_input:#?}");
    assert!(other_input.err.contains("--idempotency-key: "), "{other_input:#?}");

    let resized = json(&home, &server, &["instances", "resize", "orders", "--cpu", "700", "--memory", "640", "--storage", "12", "--wait"]).await;
    assert_eq!((&resized["operation"]["kind"], &resized["operation"]["status"]), (&value!("RESIZE"), &value!("SUCCEEDED")));
    let size = json(&home, &server, &["instances", "get", "orders"]).await;
    assert_eq!((&size["cpuMillis"], &size["memoryMb"], &size["storageGb"]), (&value!(700), &value!(640), &value!(12)));

    let restarts = json(&home, &server, &["operations", "list", "--instance", "orders", "--kind", "restart"]).await;
    assert_eq!(restarts.as_array().unwrap().len(), 1);
    assert_eq!(succeed(&home, &server, &["instances", "connect", "orders", "--", "-XAtc", "SELECT 41 + 1"]).await, "42\n");
    let available = json(&home, &server, &["instances", "get", "orders"]).await["availableOperations"].clone();
    assert!(available.as_array().unwrap().contains(&value!("RESTART")), "{available}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_resumes_after_a_restart_of_the_server() {
    let home = Home::new();
    let server = home.start().await;
    let address = server.address.clone();
    let mut watch = Background::start(command(&home, &server, &["instances", "watch"]));
    assert_eq!(watch.line().await["type"], "SNAPSHOT_COMPLETE");
    succeed(&home, &server, &["instances", "create", "first", "--wait"]).await;
    let mut cursor = String::from("0-0");
    while watch.line().await["instance"]["health"] != "HEALTHY" {}

    server.stop().await;
    watch.until("connection lost").await;
    let mut server = home.spawn_at(&address, &[]).await;
    server.ready().await;
    watch.until("reconnected").await;
    succeed(&home, &server, &["instances", "create", "second", "--wait"]).await;
    loop {
        let line = watch.line().await;
        // No event is repeated, and there is no second snapshot.
        assert_eq!(line["type"], "UPSERTED", "{line:#}");
        let next = text(&line["cursor"]);
        assert!(seq(&next) > seq(&cursor), "{line:#}");
        cursor = next;
        if line["instance"]["name"] == "second" && line["instance"]["state"] == "RUNNING" {
            break;
        }
    }

    // A later run resumes from a cursor.
    let mut later = Background::start(command(&home, &server, &["instances", "watch", "--after", &cursor]));
    succeed(&home, &server, &["instances", "delete", "first", "--yes", "--wait"]).await;
    loop {
        let line = later.line().await;
        assert!(seq(&text(&line["cursor"])) > seq(&cursor), "{line:#}");
        if line["type"] == "REMOVED" {
            break;
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_is_not_an_error() {
    let home = Home::new();
    let server = home.start().await;
    let mut watch = Background::start(command(&home, &server, &["instances", "watch"]));
    watch.line().await;
    drop(std::mem::replace(&mut watch.out, Background::start(command(&home, &server, &["schema"])).out));
    succeed(&home, &server, &["instances", "create", "more"]).await;
    assert_eq!(watch.code().await, 0);
    assert_eq!(watch.err.next_line().await.unwrap(), None, "nothing is printed");
    server.stop().await;
}
