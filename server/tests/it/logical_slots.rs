//! Upgrades of an instance with a logical replication slot, which only the operator can make: no role of an owner may replicate.

use serde_json::{Value, json};
use toygres_domain::{
    roles::{Credentials, SUPERUSER},
    secret::SecretKeys,
};
use toygres_store::Store;

use crate::{
    backups::finish,
    cli::commands::run,
    support::{Database, Home, Server, psql, text},
    upgrade::{accepted, operation, step, version, versions},
};

const KEY: &str = "dG95Z3JlcyB0ZXN0IGtleTogMzIgYnl0ZXMgbG9uZyE=";
const SLOTS: &str = "SELECT coalesce(string_agg(slot_name, ','), '') FROM pg_replication_slots WHERE slot_type = 'logical'";

/// The URL of the superuser, whose password only the metadata database has.
async fn superuser(database: &Database, server: &Server, id: &str) -> String {
    let store = Store::open(&database.url(), 1, SecretKeys::parse(KEY).unwrap()).unwrap();
    let Credentials { owner: _, platform } = store.credentials(id.parse().unwrap()).await.unwrap();
    let port = server.until_healthy(id).await["endpoint"]["port"].clone();
    format!("postgres://{SUPERUSER}:{}@127.0.0.1:{port}/app", platform.unwrap().superuser.expose())
}

/// Why an upgrade failed.
async fn refusal(server: &Server, id: &str, input: Value) -> String {
    let upgrade = accepted(server, input).await;
    finish(server, &upgrade, "FAILED").await;
    let failed = operation(server, &upgrade).await;
    assert_eq!(failed["error"]["code"], "NOT_UPGRADABLE", "{failed:#}");
    assert_eq!((&step(&failed, "CHECK_UPGRADE")["status"], &step(&failed, "UPGRADE_POSTGRES")["status"]), (&json!("FAILED"), &json!("SKIPPED")));
    server.until_healthy(id).await;
    text(&failed["error"]["message"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_stops_the_upgrade_by_its_name_until_it_may_be_lost() {
    let (home, database) = (Home::new(), Database::start());
    let (from, to, bins) = versions();
    let (metadata, bin) = (database.url(), bins.as_str());
    let env = [("DATABASE_URL", metadata.as_str()), ("TOYGRES_SECRET_KEY", KEY), ("TOYGRES_PG_BIN", bin), ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")];
    let server = home.start_with(&env).await;
    let payload = server.create(json!({ "name": "orders", "postgresVersion": from, "username": "app", "database": "app" })).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE t AS SELECT i, md5(i::text) AS word FROM generate_series(1, 20000) AS i").await.unwrap();
    let checksum = "SELECT count(*) || ' ' || md5(string_agg(word, '' ORDER BY i)) FROM t";
    let sum = psql(&url, checksum).await.unwrap();

    // What the owner cannot do.
    let set = "mutation($input: SetParametersInput!) { setParameters(input: $input) { userErrors { code field message } } }";
    let level = json!({ "id": id, "parameters": [{ "name": "wal_level", "value": "logical" }] });
    let refused = server.query(set, json!({ "input": level })).await["setParameters"]["userErrors"][0].clone();
    assert!(refused["code"] == "INVALID" && text(&refused["message"]).contains("backups depend on it"), "{refused:#}");
    let make = "SELECT pg_create_logical_replication_slot('of_debezium', 'pgoutput')";
    let refused = psql(&url, make).await.unwrap_err();
    assert!(refused.contains("replication"), "{refused}");

    // What the operator can.
    psql(&superuser(&database, &server, &id).await, "ALTER SYSTEM SET wal_level = logical").await.unwrap();
    let restart = "mutation($id: ID!) { restartInstance(input: { id: $id }) { operation { id } userErrors { message } } }";
    let restart = server.query(restart, json!({ "id": id })).await["restartInstance"].clone();
    finish(&server, &text(&restart["operation"]["id"]), "SUCCEEDED").await;
    psql(&superuser(&database, &server, &id).await, make).await.unwrap();

    for input in [json!({ "id": id, "version": to, "checkOnly": true }), json!({ "id": id, "version": to })] {
        let why = refusal(&server, &id, input).await;
        assert!(why.contains("of_debezium") && why.contains("dropLogicalSlots"), "{why}");
    }
    let refused = run(&home, &server, &["instances", "upgrade", "orders", "--to", &to, "--check-only", "--wait"]).await;
    assert!(refused.code != 0 && refused.err.contains("of_debezium"), "{refused:?}");
    assert_eq!(psql(&superuser(&database, &server, &id).await, SLOTS).await.as_deref(), Ok("of_debezium"), "it is still there");

    // The check says what would be lost, and the upgrade loses it.
    for check_only in [true, false] {
        let input = json!({ "id": id, "version": to, "checkOnly": check_only, "dropLogicalSlots": true });
        let upgrade = accepted(&server, input).await;
        finish(&server, &upgrade, "SUCCEEDED").await;
        let findings = step(&operation(&server, &upgrade).await, "CHECK_UPGRADE")["findings"].to_string();
        assert!(findings.contains("these logical replication slots are lost: of_debezium"), "{findings}");
        let (expected, slots) = if check_only { (&from, "of_debezium") } else { (&to, "") };
        let url = text(&server.until_healthy(&id).await["connectionString"]);
        assert_eq!((&version(&url).await, psql(&url, checksum).await.as_ref()), (expected, Ok(&sum)));
        assert_eq!(psql(&superuser(&database, &server, &id).await, SLOTS).await.as_deref(), Ok(slots));
    }
    server.stop().await;
}
