//! Disaster recovery: everything but the store of backups is lost.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    backups::{ON, finish, poll, until_protected, until_recoverable},
    cli::commands::{json as json_of, run},
    support::{Home, Server, psql, text},
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
    // What is imported and not restored is named again.
    assert_eq!((ids(&refused["instances"]), refused["userErrors"].as_array().unwrap().len()), (vec![intact], 2), "{refused:#}");
    assert!(text(&refused["userErrors"][0]["message"]).contains("archive.json is damaged"), "{refused:#}");
    server.kill().await;
}

/// Writes a row to a new instance, and waits until it can be restored.
async fn archived(server: &Server, name: &str, row: &str) -> String {
    let id = server.create_ok(name).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    until_protected(server, &id).await;
    psql(&url, &format!("CREATE TABLE rows AS SELECT '{row}' AS n")).await.unwrap();
    until_recoverable(server, &id, &url).await;
    id
}

/// Deletes an instance, and waits until its archive says so. Returns where it does.
async fn deleted(server: &Server, store: &Path, id: &str) -> PathBuf {
    server.delete(id).await;
    server.until_deleted(id).await;
    let archive = std::fs::read_dir(store.join(id)).unwrap().next().unwrap().unwrap().path();
    poll("the deletion is recorded", async || {
        let mut records = std::fs::read_dir(archive.join("instance")).unwrap().map(|entry| entry.unwrap().path());
        records.find(|path| std::fs::read_to_string(path).is_ok_and(|record| record.contains("deleted_at")))
    })
    .await
}

fn ids(instances: &Value) -> Vec<String> {
    instances.as_array().unwrap().iter().map(|instance| text(&instance["id"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_comes_back_and_what_was_deleted_does_not() {
    let outside = tempfile::tempdir().unwrap();
    let store = outside.path().join("store");
    let env = [ON, ("TOYGRES_BACKUP_STORE", store.to_str().unwrap())];
    let lost = Home::new();
    let server = lost.start_with(&env).await;
    let former = archived(&server, "orders", "former").await;
    let record = deleted(&server, &store, &former).await;
    let gone = archived(&server, "gone", "gone").await;
    deleted(&server, &store, &gone).await;
    let latest = archived(&server, "orders", "latest").await;
    server.stop().await;
    drop(lost);
    // As an archive of an earlier release, which does not say that its instance was deleted.
    let mut content: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    content.as_object_mut().unwrap().remove("deleted_at");
    std::fs::write(&record, content.to_string()).unwrap();

    // What is only looked at is found again.
    let home = Home::new();
    let server = home.start_with(&env).await;
    for _ in 0..2 {
        let found = json_of(&home, &server, &["recover"]).await;
        assert_eq!(ids(&found["instances"]), [gone.clone(), latest.clone(), former.clone()], "{found:#}");
    }
    let output = run(&home, &server, &["recover", "--restore", "-o", "json"]).await;
    let found: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(ids(&found["instances"]), [gone.clone(), latest.clone(), former.clone()], "{found:#}");
    assert_eq!(found["operations"].as_array().unwrap().len(), 1, "{found:#}");
    assert_eq!(found["operations"][0]["restoration"]["sourceId"], json!(latest), "{found:#}");
    let copy = text(&found["operations"][0]["instance"]["id"]);
    assert_eq!(output.code, 6, "{output:#?}");
    let [of_gone, of_former] = output.err.lines().collect::<Vec<_>>()[..] else { panic!("{}", output.err) };
    assert!(of_gone.contains(&gone) && of_gone.contains("had been deleted at") && of_gone.contains("`toygres instances restore`"), "{of_gone}");
    assert!(of_former.contains(&former) && of_former.contains("exists already"), "{of_former}");
    let url = text(&server.until_healthy(&copy).await["connectionString"]);
    assert_eq!(psql(&url, "SELECT n FROM rows").await.as_deref(), Ok("latest"));

    // What is restored is not found again; the rest still is.
    let again = run(&home, &server, &["recover"]).await;
    assert!(again.out.contains(&gone) && again.out.contains(&former) && !again.out.contains(&latest), "{}", again.out);
    // An import is not recorded as a deletion, and a deletion stays one.
    server.stop().await;
    let records = |id: &str| -> Vec<String> {
        let archive = std::fs::read_dir(store.join(id)).unwrap().next().unwrap().unwrap().path();
        std::fs::read_dir(archive.join("instance")).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    };
    assert!(records(&gone).iter().any(|record| record.contains("deleted_at")), "{:?}", records(&gone));
    assert!(!records(&latest).iter().any(|record| record.contains("deleted_at")), "{:?}", records(&latest));
}
