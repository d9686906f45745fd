//! `toygres demo`: what a newcomer sees, and that nothing is left of it.

use serde_json::{Value, json};

use super::commands::{command, finish, run, succeed};
use crate::support::{Home, Server, eventually, text};

const INSTANCES: &str = "{ instances { nodes { id name health labels { key value } } } }";

async fn names(server: &Server) -> Vec<String> {
    let all = server.query(INSTANCES, json!({})).await["instances"]["nodes"].clone();
    let mut names: Vec<_> = all.as_array().unwrap().iter().map(|instance| text(&instance["name"])).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_sees_a_load_a_clone_and_a_death() {
    let home = Home::new();
    let server = home.start().await;
    server.create_ok("orders").await;
    let demo = run(&home, &server, &["demo"]).await;
    assert_eq!((demo.code, demo.err.as_str()), (0, ""), "{}", demo.out);
    let at = |what: &str| demo.out.find(what).unwrap_or_else(|| panic!("{what} is missing: {}", demo.out));
    assert_eq!(at(&format!("Watch it live: http://{}/\n", server.address)), 0);
    assert!(
        at("demo-metrics: PostgreSQL ") < at("2. Load: 5000 rows")
            && at("demo-shop-copy: PostgreSQL ") < at("4. Kill the server of demo-blog (process ")
    );
    assert!(at("demo-blog: unhealthy after ") < at("demo-blog: healthy again after "));
    assert!(at("`toygres demo --clean` removes it all.") > at("toygres instances watch --label demo=true"));
    let all = ["demo-blog", "demo-metrics", "demo-shop", "demo-shop-copy"];
    assert_eq!(names(&server).await, [&all[..], &["orders"]].concat());
    let instances = server.query(INSTANCES, json!({})).await["instances"]["nodes"].clone();
    let of_demo = |instance: &&Value| instance["labels"] == json!([{ "key": "demo", "value": "true" }]);
    assert_eq!(instances.as_array().unwrap().iter().filter(of_demo).count(), all.len());
    let count = |name: &'static str| async {
        let counted = succeed(&home, &server, &["instances", "connect", name, "--", "-XAtc", "SELECT count(*) FROM purchase"]).await;
        counted.trim().parse::<u32>().unwrap()
    };
    assert!(count("demo-shop-copy").await >= 5_000 && count("demo-shop").await > 5_000);

    // It can be repeated, and is removed entirely, but for what is not of it.
    let again = run(&home, &server, &["demo"]).await;
    assert_eq!((again.code, again.err.as_str()), (0, ""), "{}", again.out);
    assert!(again.out.contains("demo-shop is there already."), "{}", again.out);
    let cleaned = succeed(&home, &server, &["demo", "--clean"]).await;
    assert_eq!(cleaned.lines().count(), all.len(), "{cleaned}");
    assert_eq!(names(&server).await, ["orders"]);
    assert_eq!(succeed(&home, &server, &["demo", "--clean"]).await, "There is nothing of the demo on this server.\n");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_an_interrupted_demo_is_removed() {
    let home = Home::new();
    let server = home.start().await;
    let mut demo = command(&home, &server, &["demo"]).spawn().unwrap();
    eventually("the demo creates", async || names(&server).await.len() == 3).await;
    demo.kill().await.unwrap();
    let cleaned = succeed(&home, &server, &["demo", "--clean"]).await;
    assert_eq!((cleaned.lines().count(), names(&server).await.len()), (3, 0), "{cleaned}");

    // The instance of somebody else is not touched.
    server.create_ok("demo-shop").await;
    let refused = run(&home, &server, &["demo"]).await;
    assert!(refused.code == 6 && refused.err.contains("demo-shop that is not of the demo"), "{refused:?}");
    assert_eq!(names(&server).await, ["demo-shop"]);
    succeed(&home, &server, &["demo", "--clean"]).await;
    assert_eq!(names(&server).await, ["demo-shop"]);
    server.stop().await;
}

/// The numbers of its processes mean others here.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_of_a_container_is_restarted_instead() {
    let home = Home::new();
    let server = home.start_as_pid_one().await;
    let demo = run(&home, &server, &["demo"]).await;
    assert_eq!((demo.code, demo.err.as_str()), (0, ""), "{}", demo.out);
    assert!(demo.out.contains("4. Restart demo-blog: its server is not on this machine"), "{}", demo.out);
    server.kill().await;

    let mut nobody = home.command(&["demo"]);
    nobody.env("TOYGRES_URL", "http://127.0.0.1:1");
    let nobody = finish(nobody).await;
    assert!(nobody.code == 3 && nobody.err.contains("Start a server with `toygres serve`"), "{nobody:?}");
}
