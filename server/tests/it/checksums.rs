//! A checksum over a table before and after each operation on an instance, on a local process. What happens when one fails, or the control
//! plane is killed meanwhile, is in the tests of each.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use toygres_domain::operation::OperationKind;

use crate::{
    backups::{ON, finish, until_protected},
    support::{Home, Server, psql, text},
    upgrade::versions,
};

/// Fills a table, of which [`CHECKSUM`] tells whether it is the same.
const FILL: &str = "CREATE TABLE t AS SELECT i, md5(i::text) AS word FROM generate_series(1, 20000) AS i; CREATE INDEX ON t (word)";
const CHECKSUM: &str = "SELECT count(*) || ' ' || md5(string_agg(word, '' ORDER BY i)) FROM t";

/// Requests an operation, and waits for its success. Returns its kind; `None` for what is none.
async fn done(server: &Server, mutation: &str, input: &Value) -> Option<String> {
    let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let operation = if mutation == "updateInstance" { "" } else { "operation { id kind }" };
    let document =
        format!("mutation($input: {name}!) {{ {mutation}(input: $input) {{ {operation} instance {{ id }} userErrors {{ field message }} }} }}");
    let payload = server.query(&document, json!({ "input": input })).await[mutation].clone();
    assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
    let operation = payload.get("operation")?;
    finish(server, &text(&operation["id"]), "SUCCEEDED").await;
    Some(text(&operation["kind"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_operation_changes_the_data() {
    let home = Home::new();
    let (from, to, bins) = versions();
    let server = home.start_with(&[ON, ("TOYGRES_PG_BIN", bins.as_str()), ("TOYGRES_HEALTH_INTERVAL_SECONDS", "1")]).await;
    let payload = server.create(json!({ "name": "orders", "postgresVersion": from })).await;
    let id = text(&payload["instance"]["id"]);
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, FILL).await.unwrap();
    let sum = psql(&url, CHECKSUM).await.unwrap();
    until_protected(&server, &id).await;

    let table = [
        ("restartInstance", json!({ "id": id })),
        ("repairInstance", json!({ "id": id })),
        ("suspendInstance", json!({ "id": id })),
        ("resumeInstance", json!({ "id": id })),
        ("resizeInstance", json!({ "id": id, "cpuMillis": 1000, "memoryMb": 1024, "storageGb": 20 })),
        ("setParameters", json!({ "id": id, "parameters": [{ "name": "max_connections", "value": "50" }], "allowRestart": true })),
        ("rotatePassword", json!({ "id": id, "terminateSessions": true })),
        ("createDatabaseUser", json!({ "instanceId": id, "name": "writer", "access": "READ_WRITE" })),
        ("dropDatabaseUser", json!({ "instanceId": id, "name": "writer" })),
        ("createDatabase", json!({ "instanceId": id, "name": "archive" })),
        ("dropDatabase", json!({ "instanceId": id, "name": "archive" })),
        ("updateInstance", json!({ "id": id, "name": "invoices" })),
        ("createBackup", json!({ "instanceId": id })),
        ("upgradeInstance", json!({ "id": id, "version": to, "checkOnly": true })),
        ("upgradeInstance", json!({ "id": id, "version": to })),
    ];
    let mut kinds = BTreeSet::new();
    for (mutation, input) in table {
        if mutation == "upgradeInstance" {
            until_protected(&server, &id).await;
        }
        kinds.extend(done(&server, mutation, &input).await);
        if mutation == "suspendInstance" {
            continue;
        }
        let url = text(&server.until_healthy(&id).await["connectionString"]);
        assert_eq!(psql(&url, CHECKSUM).await.as_deref(), Ok(sum.as_str()), "after {mutation}: {input}");
    }
    // The others make an instance, with no data or that of another one, or delete it.
    let others = [OperationKind::Create, OperationKind::Restore, OperationKind::Delete];
    let expected = OperationKind::ALL.iter().filter(|kind| !others.contains(kind));
    assert_eq!(kinds, expected.map(|kind| kind.as_str().to_uppercase()).collect::<BTreeSet<_>>(), "each kind is in the table");
    server.stop().await;
}
