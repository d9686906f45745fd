//! Disaster recovery: everything but the store of backups is lost.

use serde_json::{Value, json};

use crate::{
    backups::{ON, finish, until_protected, until_recoverable},
    cli::commands::{json as json_of, run},
    support::{Home, psql, text},
};

#[tokio::test(flavor = "multi_thread")]
async fn instances_come_back_from_the_store_alone() {
    let outside = tempfile::tempdir().unwrap();
    let store = outside.path().join("store");
    let env = [ON, ("TOYGRES_BACKUP_STORE", store.to_str().unwrap())];
    let lost = Home::new();
    let server = lost.start_with(&env).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    until_protected(&server, &id).await;
    let update = "mutation($id: ID!) { updateInstance(input: { id: $id, labels: [{ key: \"team\", value: \"shop\" }] }) { userErrors { message } } }";
    assert_eq!(server.query(update, json!({ "id": id })).await["updateInstance"]["userErrors"], json!([]));
    // What changes is recorded with the next base backup.
    let create = "mutation($id: ID!) { createBackup(input: { instanceId: $id }) { operation { id } } }";
    let operation = text(&server.query(create, json!({ "id": id })).await["createBackup"]["operation"]["id"]);
    finish(&server, &operation, "SUCCEEDED").await;
    psql(&url, "INSERT INTO rows VALUES (1001)").await.unwrap();
    until_recoverable(&server, &id, &url).await;
    let archive = std::fs::read_dir(store.join(&id)).unwrap().next().unwrap().unwrap().path();
    crate::backups::poll("the labels are recorded", async || {
        let records = std::fs::read_dir(archive.join("instance")).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
        records.collect::<Vec<_>>().iter().any(|record| record.contains("\"team\": \"shop\"")).then_some(())
    })
    .await;
    server.stop().await;
    drop(lost);

    let home = Home::new();
    let server = home.start_with(&env).await;
    let found = json_of(&home, &server, &["recover", "--restore"]).await;
    assert_eq!((&found["instances"][0]["id"], &found["instances"][0]["name"]), (&json!(id), &json!("orders")), "{found:#}");
    assert!(found["instances"][0]["recovery"]["to"].is_string(), "{found:#}");
    let copy = text(&found["operations"][0]["instance"]["id"]);
    let url = text(&server.until_healthy(&copy).await["connectionString"]);
    assert_eq!(psql(&url, "SELECT count(*) FROM rows").await.as_deref(), Ok("1001"));
    let query = "query($id: ID!) { instance(id: $id) { name labels { key value } backups { nodes { status locked } } state } }";
    let labels = server.query(query, json!({ "id": copy })).await["instance"]["labels"].clone();
    assert_eq!(labels, json!([{ "key": "team", "value": "shop" }]));
    let source = server.query(query, json!({ "id": id })).await["instance"].clone();
    assert_eq!(source["state"], "DELETED", "{source:#}");
    let locked: Vec<&Value> = source["backups"]["nodes"].as_array().unwrap().iter().map(|backup| &backup["locked"]).collect();
    assert_eq!(locked, [&json!(true), &json!(false)], "the newest one is kept: {source:#}");

    // Again, there is nothing to do.
    let again = json_of(&home, &server, &["recover"]).await;
    assert_eq!((&again["instances"], &again["operations"]), (&json!([]), &json!([])));

    // An archive that cannot be read hinders no other, and each is named.
    let copy = || {
        let (instance, copied) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::now_v7().to_string());
        let to = store.join(&instance).join(copied);
        std::fs::create_dir_all(&to).unwrap();
        for part in ["archive.json", "instance"] {
            assert!(std::process::Command::new("cp").arg("-r").arg(archive.join(part)).arg(&to).status().unwrap().success());
        }
        (instance, to)
    };
    let ((intact, _), damaged) = (copy(), [copy(), copy()]);
    for (_, directory) in &damaged {
        std::fs::write(directory.join("archive.json"), "{").unwrap();
    }
    let refused = run(&home, &server, &["recover", "-o", "json"]).await;
    assert!(refused.code != 0 && damaged.iter().all(|(id, _)| refused.err.contains(id)), "{}", refused.err);
    let found: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!(found["instances"].as_array().unwrap().iter().map(|found| &found["id"]).collect::<Vec<_>>(), [&json!(intact)], "{found:#}");
    let import = "mutation { importBackups(input: {}) { instances { id } userErrors { code field message } } }";
    let refused = server.query(import, json!({})).await["importBackups"].clone();
    assert_eq!((&refused["instances"], refused["userErrors"].as_array().unwrap().len()), (&json!([]), 2), "{refused:#}");
    assert!(text(&refused["userErrors"][0]["message"]).contains("archive.json is damaged"), "{refused:#}");
    server.kill().await;
}
