//! Backups: an instance is protected without being asked, whatever happens to the control plane, its store and itself.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    cli::commands::json as json_of,
    kubernetes::Platform,
    parameters::set_and_wait,
    proxy::{Fault, Proxy},
    restore::{restore, rows},
    s3_server::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY},
    support::{Database, Home, Server, postmaster, psql, text},
};

pub(crate) const ON: (&str, &str) = ("TOYGRES_BACKUPS", "true");
const WATCH: &str = "subscription($id: ID!) { instanceBackups(id: $id) { state
    backupPolicy { enabled store durability protection reason { code message } }
    recovery { from to intervals { from to } gaps { reason } lastDurableAt lagSeconds archiving }
    backups { nodes { id status trigger bytes storedBytes path locked expiresAt finishedAt error { code message } } } } }";
pub(crate) const CREATE: &str = "mutation($id: ID!) { createBackup(input: { instanceId: $id, idempotencyKey: \"once\" }) {
    backup { id status } operation { id kind } userErrors { code field message } } }";
/// How long a promise of seconds may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Follows the backups of an instance until `there` returns true.
pub(crate) async fn until(server: &Server, id: &str, what: &str, there: impl Fn(&Value) -> bool) -> Value {
    until_asking(server, WATCH, id, what, there).await
}

/// The same, with the fields of another subscription.
pub(crate) async fn until_asking(server: &Server, watch: &str, id: &str, what: &str, there: impl Fn(&Value) -> bool) -> Value {
    let mut live = server.subscribe(watch, json!({ "id": id })).await;
    let deadline = Instant::now() + DEADLINE;
    let mut last = Value::Null;
    while let Ok(Some(item)) = tokio::time::timeout(deadline.saturating_duration_since(Instant::now()), live.next()).await {
        last = item["data"]["instanceBackups"].clone();
        if there(&last) {
            return last;
        }
    }
    panic!("{id} never was {what}; last: {last:#}\nthe log:\n{}", server.log());
}

pub(crate) async fn until_protected(server: &Server, id: &str) -> Value {
    until(server, id, "protected", |now| now["backupPolicy"]["protection"] == "PROTECTED" && now["recovery"]["to"].is_string()).await
}

/// The time of the server of an instance.
pub(crate) async fn time(url: &str) -> DateTime<Utc> {
    let text = psql(url, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')").await.unwrap();
    text.parse().unwrap()
}

fn at(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

/// Waits until what was committed before now can be restored.
pub(crate) async fn until_recoverable(server: &Server, id: &str, url: &str) -> Value {
    let committed = time(url).await;
    until(server, id, "recoverable", |now| now["recovery"]["to"].is_string() && at(&now["recovery"]["to"]) >= committed).await
}

/// Polls until there is an answer.
pub(crate) async fn poll<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn store(home: &Home) -> PathBuf {
    home.path().join("data-backups")
}

pub(crate) async fn finish(server: &Server, operation: &str, status: &str) -> Value {
    let query = "query($id: ID!) { operation(id: $id) { status error { code message } steps { name status } } }";
    poll(&format!("{operation} is {status}"), async || {
        let now = server.query(query, json!({ "id": operation })).await["operation"].clone();
        let has_ended = matches!(now["status"].as_str(), Some("SUCCEEDED" | "FAILED" | "CANCELLED"));
        assert!(now["status"] == status || !has_ended, "{operation} is not {status}: {now:#}");
        (now["status"] == status).then_some(now)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_protected_without_being_asked() {
    let home = Home::new();
    let mut server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    let now = until_protected(&server, &id).await;
    assert_eq!((&now["backupPolicy"]["durability"], &now["backupPolicy"]["enabled"]), (&json!("SAME_MACHINE"), &json!(true)));
    assert_eq!(now["backupPolicy"]["store"], format!("directory {}", store(&home).display()), "beside the data directory");
    let first = now["backups"]["nodes"][0].clone();
    assert_eq!((&first["status"], &first["trigger"]), (&json!("AVAILABLE"), &json!("SCHEDULE")), "{now:#}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(store(&home)).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700, "nobody else reads it");
    let role = psql(&url, "SELECT rolreplication AND NOT rolsuper FROM pg_roles WHERE rolname = 'toygres_replication'").await;
    assert_eq!(role.as_deref(), Ok("t"));

    // A base backup on request, which the newest one is then.
    let created = server.query(CREATE, json!({ "id": id })).await["createBackup"].clone();
    assert_eq!((&created["userErrors"], &created["operation"]["kind"]), (&json!([]), &json!("CREATE_BACKUP")), "{created:#}");
    let again = server.query(CREATE, json!({ "id": id })).await["createBackup"].clone();
    assert_eq!(again["backup"]["id"], created["backup"]["id"], "the same key is the same backup");
    finish(&server, &text(&created["operation"]["id"]), "SUCCEEDED").await;
    let backup = text(&created["backup"]["id"]);
    let by_id = server.query("query($id: ID!) { node(id: $id) { ... on Backup { status instance { name } } } }", json!({ "id": backup })).await;
    assert_eq!(by_id["node"], json!({ "status": "AVAILABLE", "instance": { "name": "orders" } }));

    // What is kept, and what is deleted.
    let delete = "mutation($id: ID!) { deleteBackup(input: { id: $id }) { backup { status } userErrors { code message } } }";
    let refused = server.query(delete, json!({ "id": backup })).await["deleteBackup"]["userErrors"][0].clone();
    assert!(refused["code"] == "CONFLICT" && text(&refused["message"]).contains("newest"), "{refused}");
    let update = "mutation($id: ID!, $locked: Boolean) { updateBackup(input: { id: $id, locked: $locked }) {
        backup { locked expiresAt keptFor } userErrors { code message } } }";
    let locked = server.query(update, json!({ "id": first["id"], "locked": true })).await["updateBackup"]["backup"].clone();
    assert_eq!(locked, json!({ "locked": true, "expiresAt": null, "keptFor": "LOCKED" }));
    let refused = server.query(delete, json!({ "id": first["id"] })).await["deleteBackup"]["userErrors"][0].clone();
    assert!(text(&refused["message"]).contains("unlock it"), "{refused}");
    // It is old now, and the next one is too new for the points of the last days.
    let metadata = std::fs::read_to_string(home.path().join("data/metadata.url")).unwrap();
    let older = "UPDATE toygres.backups SET finished_at = finished_at - interval '40 days' WHERE id = ";
    psql(metadata.trim(), &format!("{older} '{}'", text(&first["id"]).trim_start_matches("backup-"))).await.unwrap();
    let unlocked = server.query(update, json!({ "id": first["id"], "locked": false })).await["updateBackup"]["backup"].clone();
    assert_eq!(unlocked["keptFor"], "RESTORE_POINTS", "{unlocked:#}");
    let files = store(&home).join(text(&first["path"]));
    assert!(files.join("backup.json").exists(), "{}", files.display());
    assert_eq!(server.query(delete, json!({ "id": first["id"] })).await["deleteBackup"]["backup"]["status"], "DELETING");
    until(&server, &id, "without the first backup", |now| now["backups"]["nodes"].as_array().is_some_and(|all| all.len() == 1)).await;
    assert!(!files.join("backup.json").exists());

    // Neither a planned restart nor the death of the control plane makes a gap.
    until_recoverable(&server, &id, &url).await;
    let restart = "mutation($id: ID!) { restartInstance(input: { id: $id }) { operation { id } } }";
    let operation = text(&server.query(restart, json!({ "id": id })).await["restartInstance"]["operation"]["id"]);
    finish(&server, &operation, "SUCCEEDED").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "INSERT INTO rows VALUES (1001)").await.unwrap();
    until_recoverable(&server, &id, &url).await;
    server.crash().await;
    let mut server = home.start_with(&[ON]).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "INSERT INTO rows VALUES (1002)").await.unwrap();
    let now = until_recoverable(&server, &id, &url).await;
    assert_eq!((now["recovery"]["gaps"].as_array().unwrap().len(), now["recovery"]["intervals"].as_array().unwrap().len()), (0, 1), "{now:#}");

    // The command line has all of it, and a stranger restores it with the documentation alone.
    let listed = json_of(&home, &server, &["backups", "list", "orders"]).await;
    assert_eq!((&listed["backupPolicy"]["protection"], &listed["backups"][0]["id"]), (&json!("PROTECTED"), &json!(backup)), "{listed:#}");
    let password = url.split(':').nth(2).unwrap().split('@').next().unwrap().to_owned();
    restore_by_hand(&home, &listed["backups"][0], &password).await;

    // A deleted instance keeps its backups for the days that were asked for.
    server.delete(&id).await;
    server.until_deleted(&id).await;
    let listed = json_of(&home, &server, &["backups", "list", &id]).await;
    assert_eq!((&listed["backupPolicy"]["protection"], listed["backups"].as_array().unwrap().len()), (&json!("STOPPED"), 1), "{listed:#}");
    server.crash().await;
}

/// Follows `docs/BACKUPS.md`, as it is written, to the end of the archive.
async fn restore_by_hand(home: &Home, backup: &Value, password: &str) {
    let documentation = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/BACKUPS.md")).unwrap();
    let section = documentation.split("## Restore by hand").nth(1).unwrap();
    let script = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let path = text(&backup["path"]);
    let (archive, id) = path.split_once("/base/").unwrap();
    let data = home.path().join("restored");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut script = script.replace("/var/lib/toygres-backups/<instance>/<archive> ", &format!("{} ", store(home).join(archive).display()));
    script = script.replace("<backup> ", &format!("{id} ")).replace("/var/lib/postgresql/restored", &data.display().to_string());
    script = script.replace("5499", &port.to_string());
    script = script.lines().filter(|line| !line.starts_with("recovery_target_time")).collect::<Vec<_>>().join("\n");
    if !nix::unistd::geteuid().is_root() {
        script = script.replace("chown -R postgres \"$data\"", "").replace("runuser -u postgres -- ", "");
    }
    let bin = std::env::var("TOYGRES_PG_BIN").unwrap_or_default();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    // The last line is the server, which does not end by itself.
    let script = script.replace("runuser -u postgres -- postgres", "exec runuser -u postgres -- postgres");
    let log = std::fs::File::create(home.path().join("restored.log")).unwrap();
    let mut child =
        Command::new("sh").args(["-euc", &script]).env("PATH", path).current_dir(home.path()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let url = format!("postgresql://app:{password}@127.0.0.1:{port}/app");
    poll("the recovery ends", async || psql(&url, "SELECT pg_is_in_recovery()").await.ok().filter(|answer| answer == "f")).await;
    let count = psql(&url, "SELECT count(*) FROM rows").await.unwrap();
    let pid = std::fs::read_to_string(data.join("postmaster.pid")).unwrap().lines().next().unwrap().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGQUIT).unwrap();
    child.wait().unwrap();
    assert_eq!(count, "1002", "{}", std::fs::read_to_string(home.path().join("restored.log")).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_is_told_and_loses_nothing() {
    let home = Home::new();
    let server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    until_protected(&server, &id).await;
    // The archive is away, as a disk that is not mounted.
    let (archive, away) = (store(&home).join(&id), home.path().join("away"));
    std::fs::rename(&archive, &away).unwrap();
    std::fs::write(&archive, "not a directory").unwrap();
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 10000) AS n").await.unwrap();
    let failing = until(&server, &id, "failing", |now| now["backupPolicy"]["protection"] == "FAILING").await;
    assert_eq!(failing["backupPolicy"]["reason"]["code"], "STORE_UNAVAILABLE", "{failing:#}");
    assert!(psql(&url, "SELECT count(*) FROM rows").await.is_ok(), "the instance does not wait for the store");
    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&away, &archive).unwrap();
    let now = until_recoverable(&server, &id, &url).await;
    assert_eq!((&now["backupPolicy"]["protection"], now["recovery"]["gaps"].as_array().unwrap().len()), (&json!("PROTECTED"), 0), "{now:#}");

    // Away for longer than its server keeps WAL for it, there is a gap, and a backup follows by itself.
    let settings = home.path().join("data/instances").join(&id).join("data/postgresql.auto.conf");
    std::fs::write(&settings, "max_slot_wal_keep_size = '32MB'\n").unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(postmaster(&home, &id)), nix::sys::signal::Signal::SIGHUP).unwrap();
    std::fs::rename(&archive, &away).unwrap();
    std::fs::write(&archive, "not a directory").unwrap();
    psql(&url, "CREATE TABLE filler AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 60000) AS n").await.unwrap();
    poll("the slot is lost", async || {
        psql(&url, "CHECKPOINT").await.unwrap();
        psql(&url, "SELECT wal_status FROM pg_replication_slots").await.ok().filter(|status| status == "lost")
    })
    .await;
    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&away, &archive).unwrap();
    let gap = until(&server, &id, "covered again", |now| now["recovery"]["intervals"].as_array().is_some_and(|all| all.len() == 2)).await;
    assert_eq!(gap["recovery"]["gaps"], json!([{ "reason": "SLOT_LOST" }]), "{gap:#}");

    // Turned off, its server keeps no WAL for it; turned on again, there is a gap, and a backup follows by itself.
    let update =
        "mutation($id: ID!, $enabled: Boolean) { updateInstance(input: { id: $id, backups: { enabled: $enabled } }) { userErrors { message } } }";
    server.query(update, json!({ "id": id, "enabled": false })).await;
    until(&server, &id, "off", |now| now["backupPolicy"]["protection"] == "OFF" && now["recovery"]["archiving"] == false).await;
    poll("the slot is dropped", async || psql(&url, "SELECT count(*) FROM pg_replication_slots").await.ok().filter(|count| count == "0")).await;
    let refused = server.query(CREATE, json!({ "id": id })).await["createBackup"]["userErrors"][0].clone();
    assert!(text(&refused["message"]).contains("turned off"), "{refused}");
    // More than a segment, and a checkpoint after which the server needs none of it.
    psql(&url, "CREATE TABLE more AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 60000) AS n").await.unwrap();
    psql(&url, "CHECKPOINT").await.unwrap();
    server.query(update, json!({ "id": id, "enabled": true })).await;
    let gap = until(&server, &id, "covered again", |now| now["recovery"]["intervals"].as_array().is_some_and(|all| all.len() == 3)).await;
    assert_eq!(gap["recovery"]["gaps"], json!([{ "reason": "SLOT_LOST" }, { "reason": "SLOT_DROPPED" }]), "{gap:#}");

    // Without days, the backups of a deleted instance go at once, unless one is locked.
    let locked = gap["backups"]["nodes"][0]["id"].clone();
    let lock = "mutation($id: ID!, $locked: Boolean) { updateBackup(input: { id: $id, locked: $locked }) { userErrors { message } } }";
    assert_eq!(server.query(lock, json!({ "id": locked, "locked": true })).await["updateBackup"]["userErrors"], json!([]));
    let delete = "mutation($id: ID!) { deleteInstance(input: { id: $id, backupRetentionDays: 0 }) { userErrors { message } } }";
    assert_eq!(server.query(delete, json!({ "id": id })).await["deleteInstance"]["userErrors"], json!([]));
    server.until_deleted(&id).await;
    let kept = until(&server, &id, "without the others", |now| now["backups"]["nodes"].as_array().is_some_and(|all| all.len() == 1)).await;
    assert_eq!((&kept["backups"]["nodes"][0]["id"], &kept["backups"]["nodes"][0]["status"]), (&locked, &json!("AVAILABLE")), "{kept:#}");
    server.query(lock, json!({ "id": locked, "locked": false })).await;
    let delete = "mutation($id: ID!) { deleteBackup(input: { id: $id }) { userErrors { message } } }";
    assert_eq!(server.query(delete, json!({ "id": locked })).await["deleteBackup"]["userErrors"], json!([]));
    until(&server, &id, "forgotten", |now| now["recovery"].is_null() && now["backups"]["nodes"] == json!([])).await;
    assert!(!archive.exists(), "nothing is left in the store");
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_by_name_and_loses_nothing() {
    let (home, s3) = (Home::new(), S3Server::start().await);
    let proxy = Proxy::start(s3.endpoint()).await;
    let store = format!("s3://{BUCKET}?endpoint={}", proxy.endpoint());
    let env = |secret: &'static str| {
        let login = [("TOYGRES_BACKUP_S3_ACCESS_KEY_ID", ACCESS_KEY), ("TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY", secret)];
        [ON, ("TOYGRES_BACKUP_STORE", store.as_str()), login[0], login[1]]
    };
    let refused = json!({
        "code": "STORE_REFUSED",
        "message": format!(
            "S3 bucket {BUCKET} at {}: it denies access (403 Forbidden, SignatureDoesNotMatch); check TOYGRES_BACKUP_S3_ACCESS_KEY_ID and \
             TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY",
            proxy.endpoint()
        ),
    });
    let is_failing = |now: &Value| now["backupPolicy"]["protection"] == "FAILING";
    let mut server = home.start_with(&env("do not show")).await;
    let message = text(&refused["message"]);
    poll("the log says so before anything is backed up", async || server.log().contains(&message).then_some(())).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    let failing = until(&server, &id, "failing", is_failing).await;
    assert_eq!(failing["backupPolicy"]["reason"], refused, "{failing:#}");
    assert!(!server.log().contains("do not show"), "{}", server.log());

    server.crash().await;
    let mut server = home.start_with(&env(SECRET_KEY)).await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    until_protected(&server, &id).await;
    // A store that is away for a moment, and one that is slow.
    proxy.fail_always(Fault::Away);
    psql(&url, "INSERT INTO rows VALUES (1001)").await.unwrap();
    let failing = until(&server, &id, "failing", is_failing).await;
    assert_eq!(failing["backupPolicy"]["reason"]["code"], "STORE_UNAVAILABLE", "{failing:#}");
    proxy.fail_always(Fault::Slow(Duration::from_millis(200)));
    let expected = rows(&url).await;
    let now = until_recoverable(&server, &id, &url).await;
    assert_eq!((&now["recovery"]["gaps"], &now["backupPolicy"]["protection"]), (&json!([]), &json!("PROTECTED")), "{now:#}");
    proxy.recover();

    // A restoration says the same, and what was archived is restored once the secret is right again.
    server.crash().await;
    let mut server = home.start_with(&env("do not show")).await;
    let answer = restore(&server, json!({ "sourceId": id, "name": "copy" })).await;
    assert_eq!(answer["userErrors"], json!([]), "{answer:#}");
    let failed = finish(&server, &text(&answer["operation"]["id"]), "FAILED").await;
    assert_eq!(failed["error"], refused, "{failed:#}");
    server.crash().await;
    let server = home.start_with(&env(SECRET_KEY)).await;
    let answer = restore(&server, json!({ "sourceId": id, "name": "copy-again" })).await;
    finish(&server, &text(&answer["operation"]["id"]), "SUCCEEDED").await;
    let copy = text(&server.until_healthy(&text(&answer["instance"]["id"])).await["connectionString"]);
    assert_eq!(rows(&copy).await, expected);
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_store_every_instance_says_so() {
    let home = Home::new();
    let server = home.start_with(&[ON, ("TOYGRES_BACKUP_STORE", "none")]).await;
    assert!(server.log().contains("there is no store for backups"), "{}", server.log());
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let now = until(&server, &id, "not configured", |_| true).await;
    assert_eq!((&now["backupPolicy"]["protection"], &now["recovery"]), (&json!("NOT_CONFIGURED"), &Value::Null), "{now:#}");
    let refused = server.query(CREATE, json!({ "id": id })).await["createBackup"]["userErrors"][0].clone();
    assert!(refused["code"] == "CONFLICT" && text(&refused["message"]).contains("TOYGRES_BACKUP_STORE"), "{refused}");
    let update = "mutation($id: ID!) { updateInstance(input: { id: $id, backups: { enabled: true } }) { userErrors { field message } } }";
    let refused = server.query(update, json!({ "id": id })).await["updateInstance"]["userErrors"][0].clone();
    assert_eq!(refused["field"], json!(["backups", "enabled"]), "{refused}");
    server.kill().await;
}

/// Two servers share a metadata database and a data directory. The one that owns the archive is killed.
#[tokio::test(flavor = "multi_thread")]
async fn another_worker_takes_over_from_a_dead_one() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    let env = [ON, ("DATABASE_URL", url.as_str())];
    let mut first = home.start_with(&env).await;
    let id = first.create_ok("orders").await;
    let instance = text(&first.until_healthy(&id).await["connectionString"]);
    until_protected(&first, &id).await;
    let owner = psql(&url, "SELECT worker_id FROM toygres.archives").await.unwrap();
    first.crash().await;
    let second = home.start_with(&env).await;
    let instance_now = text(&second.until_healthy(&id).await["connectionString"]);
    assert_eq!(instance_now, instance);
    psql(&instance, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    let now = until_recoverable(&second, &id, &instance).await;
    assert_eq!(now["recovery"]["gaps"], json!([]), "{now:#}");
    assert_ne!(psql(&url, "SELECT worker_id FROM toygres.archives").await.unwrap(), owner);
    second.kill().await;
}

/// Its server has the rules for logins of the release before, which refuse replication.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_the_release_before_is_protected_without_a_restart() {
    let home = Home::new();
    let server = home.start().await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    let pid = postmaster(&home, &id);
    let rules = home.path().join("data/instances").join(&id).join("pg_hba.conf");
    let now = std::fs::read_to_string(&rules).unwrap();
    let before = now.lines().filter(|line| !line.contains("toygres_replication") && !line.contains("SHA-256")).collect::<Vec<_>>().join("\n") + "\n";
    assert!(before.lines().count() + 2 == now.lines().count(), "{now}");
    std::fs::write(&rules, before).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGHUP).unwrap();
    let update = "mutation($id: ID!) { updateInstance(input: { id: $id, backups: { enabled: true, retentionDays: 30 } }) {
        instance { backupPolicy { enabled retentionDays intervalHours } } userErrors { message } } }";
    let updated = server.query(update, json!({ "id": id })).await["updateInstance"]["instance"]["backupPolicy"].clone();
    assert_eq!(updated, json!({ "enabled": true, "retentionDays": 30, "intervalHours": 24 }));
    until_protected(&server, &id).await;
    assert!(std::fs::read_to_string(&rules).unwrap().contains("host replication toygres_replication"), "the rule is there again");
    assert_eq!(postmaster(&home, &id), pid, "without a restart");
    until_recoverable(&server, &id, &url).await;
    server.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_on_kubernetes_is_protected_too() {
    let platform = Platform::new().await;
    let directory = platform.home.path().join("store");
    let server = platform.start_with(&[ON, ("TOYGRES_BACKUP_STORE", directory.to_str().unwrap())]).await;
    let id = server.create_ok("orders").await;
    let url = text(&server.until_healthy(&id).await["connectionString"]);
    psql(&url, "CREATE TABLE rows AS SELECT n FROM generate_series(1, 1000) AS n").await.unwrap();
    until_protected(&server, &id).await;
    until_recoverable(&server, &id, &url).await;
    // It stops following for a suspension, and goes on after it.
    for (mutation, state) in [("suspendInstance", "SUSPENDED"), ("resumeInstance", "RUNNING")] {
        let document = format!("mutation($id: ID!) {{ {mutation}(input: {{ id: $id }}) {{ userErrors {{ message }} }} }}");
        assert_eq!(server.query(&document, json!({ "id": id })).await[mutation]["userErrors"], json!([]));
        server.until(&id, state, |now| now["state"] == state).await;
    }
    server.until_healthy(&id).await;
    psql(&url, "INSERT INTO rows VALUES (1001)").await.unwrap();
    let now = until_recoverable(&server, &id, &url).await;
    assert_eq!((&now["recovery"]["gaps"], &now["backupPolicy"]["protection"]), (&json!([]), &json!("PROTECTED")), "{now:#}");
    server.delete(&id).await;
    server.until_deleted(&id).await;
    assert_eq!(platform.cluster.object_names(), std::collections::BTreeSet::new(), "nothing leaks in the cluster");
    assert!(directory.join(&id).exists(), "the backups are kept");
    server.stop().await;
}

/// Each stops the archiving for as long as it works on the instance. A base backup in progress waits for its WAL.
#[tokio::test(flavor = "multi_thread")]
async fn quick_operations_do_not_fail_a_base_backup() {
    let home = Home::new();
    let server = home.start_with(&[ON]).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let statuses = async || {
        let listed = "query($id: ID!) { instance(id: $id) { backups { nodes { status error { message } } } } }";
        server.query(listed, json!({ "id": id })).await["instance"]["backups"]["nodes"].as_array().unwrap().clone()
    };
    for megabytes in 5..25 {
        let done = set_and_wait(&server, &id, &[("work_mem", Some(&format!("{megabytes}MB")))], false).await;
        assert_eq!(done["status"], "SUCCEEDED", "{done:#}");
        if statuses().await.iter().any(|backup| backup["status"] == "AVAILABLE") {
            break;
        }
    }
    let now = until(&server, &id, "backed up", |now| now["backups"]["nodes"][0]["status"] == "AVAILABLE").await;
    assert!(statuses().await.iter().all(|backup| backup["error"].is_null()), "{now:#}\n{}", server.log());
    assert!(!server.log().contains("a base backup failed"), "{}", server.log());
    server.kill().await;
}
