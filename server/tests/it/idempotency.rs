//! A repeated idempotency key is answered with the first answer, whatever has become of the instance and of the server since.

use serde_json::{Value, json};
use toygres_domain::secret::SecretKeys;
use toygres_store::Store;

use crate::{
    backups::ON,
    support::{Database, Home, Server, connect, text},
    upgrade::versions,
};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Sends a mutation.
async fn request(server: &Server, mutation: &str, key: &str, input: &Value) -> Value {
    let mut input = input.clone();
    input["idempotencyKey"] = key.into();
    let type_name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document =
        format!("mutation($input: {type_name}!) {{ {mutation}(input: $input) {{ operation {{ id }} userErrors {{ code field message }} }} }}");
    server.query(&document, json!({ "input": input })).await[mutation].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_not_refused_when_it_is_repeated() {
    let (from, to, bins) = versions();
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    // No server carries anything out: operations are accepted, and stay as they are.
    let env = [ON, ("DATABASE_URL", url.as_str()), ("TOYGRES_SECRET_KEY", KEY), ("TOYGRES_ROLE", "api")];
    let server = home.start_with(&[&env[..], &[("TOYGRES_PG_BIN", bins.as_str())]].concat()).await;
    let (client, store) = (connect(&url).await, Store::open(&url, 1, SecretKeys::parse(KEY).unwrap()).unwrap());
    let mut ids = Vec::new();
    for name in ["cloned", "restored", "backed-up", "checked", "tuned", "removed"] {
        let payload = server.create(json!({ "name": name, "postgresVersion": from, "memoryMb": 1024 })).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        let id = text(&payload["instance"]["id"]);
        store.credentials_to_create(id.parse().unwrap()).await.unwrap();
        ids.push(id);
    }
    let runs = "UPDATE toygres.operations SET status = 'succeeded', finished_at = now();
        UPDATE toygres.instances SET state = 'running';
        INSERT INTO toygres.archives (id, instance_id, followed, coverage)
            SELECT gen_random_uuid(), id, true, '{ \"intervals\": [{ \"from\": \"2026-01-01T00:00:00Z\", \"to\": \"2026-01-02T00:00:00Z\",
                \"from_lsn\": \"0/1000000\", \"to_lsn\": \"0/2000000\" }], \"gaps\": [] }' FROM toygres.instances";
    client.batch_execute(runs).await.unwrap();
    let requests = [
        ("createInstance", json!({ "name": "new", "postgresVersion": to })),
        ("cloneInstance", json!({ "sourceId": ids[0], "name": "copy" })),
        ("restoreInstance", json!({ "sourceId": ids[1], "name": "back" })),
        ("createBackup", json!({ "instanceId": ids[2] })),
        ("upgradeInstance", json!({ "id": ids[3], "version": to, "checkOnly": true })),
        ("setParameters", json!({ "id": ids[4], "parameters": [{ "name": "work_mem", "value": "200MB" }] })),
        ("deleteInstance", json!({ "id": ids[5], "finalBackup": true })),
    ];
    let mut first = Vec::new();
    for (mutation, input) in &requests {
        let answer = request(&server, mutation, mutation, input).await;
        assert_eq!(answer["userErrors"], json!([]), "{mutation}");
        first.push(answer);
    }
    server.stop().await;
    // Now every one of them would be refused.
    let since = format!(
        "UPDATE toygres.instances SET state = 'updating' WHERE name = 'cloned';
         DELETE FROM toygres.archives WHERE instance_id = '{}';
         UPDATE toygres.instances SET backups_enabled = false;
         UPDATE toygres.instances SET postgres_version = {to} WHERE name = 'checked';
         UPDATE toygres.instances SET memory_mb = 256 WHERE name = 'tuned'",
        ids[1]
    );
    client.batch_execute(&since).await.unwrap();
    let server = home.start_with(&env).await;
    for ((mutation, input), first) in requests.iter().zip(&first) {
        let other = request(&server, mutation, "another", input).await;
        assert!(other["operation"].is_null() && other["userErrors"] != json!([]), "{mutation} with another key: {other:#}");
        assert_eq!(&request(&server, mutation, mutation, input).await, first, "{mutation}");
    }
    let mut other = requests[6].1.clone();
    other["finalBackup"] = false.into();
    assert_eq!(request(&server, "deleteInstance", "deleteInstance", &other).await["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
    server.stop().await;
}
