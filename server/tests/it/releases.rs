//! Upgrades of Toygres itself: the metadata database of an earlier release, with its work in flight.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::{
    cli::initdb_gate::InitdbGate,
    support::{Database, Home, TIMEOUT, connect, dump, eventually, pg_bin, psql, text},
};

/// Of the servers that wrote the dumps.
const KEY: &str = "dG95Z3JlcyB0ZXN0IGtleTogMzIgYnl0ZXMgbG9uZyE=";

/// `0012.sql` and so on: the metadata database of a release that was killed at its work, named after its newest migration. They are never
/// written again; [`a_dump_of_this_release`] writes that of this one.
fn dumps() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/releases");
    let mut dumps: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    dumps.sort();
    dumps
}

/// The server of the release in whose database one instance runs into its creation, one waits for its creation, and one was deleted.
#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_an_earlier_release_goes_on() {
    for path in dumps() {
        let (home, database) = (Home::new(), Database::start());
        let url = database.url();
        assert!(database.as_owner(pg_bin().join("psql").to_str().unwrap(), &[&url, "-Xqv", "ON_ERROR_STOP=1", "-f", path.to_str().unwrap()]));
        // The dump knows which data directory has its instances.
        let host = psql(&url, "SELECT id FROM toygres.runtime_host").await.unwrap();
        let data = home.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("id"), host.strip_prefix("process/").unwrap()).unwrap();
        let before = psql(&url, "SELECT max(version) FROM toygres._sqlx_migrations").await.unwrap();

        let server = home.start_with(&[("DATABASE_URL", &url), ("TOYGRES_SECRET_KEY", KEY)]).await;
        let all = server.query("{ instances(orderBy: {field: NAME, direction: ASC}) { nodes { id name } } }", json!({})).await;
        let nodes = all["instances"]["nodes"].as_array().unwrap().clone();
        let names: Vec<_> = nodes.iter().map(|instance| text(&instance["name"])).collect();
        assert_eq!(names, ["creating", "waiting"], "{}", path.display());
        for instance in &nodes {
            let id = text(&instance["id"]);
            server.until_healthy(&id).await;
            let read = server.query("query ($id: ID!) { instance(id: $id) { connectionString } }", json!({ "id": id })).await;
            assert_eq!(psql(&text(&read["instance"]["connectionString"]), "SELECT 42").await.as_deref(), Ok("42"), "its password is opened");
            server.delete(&id).await;
            server.until_deleted(&id).await;
        }
        let after = psql(&url, "SELECT max(version) FROM toygres._sqlx_migrations").await.unwrap();
        assert!(before.parse::<i64>().unwrap() <= after.parse().unwrap(), "{before} {after}");
        server.stop().await;
    }
}

/// The migration that partitions the tables is 0022.
#[tokio::test(flavor = "multi_thread")]
async fn samples_of_an_earlier_release_are_partitioned_with_their_numbers() {
    let (database, migrations) = (Database::start(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations"));
    let url = database.url();
    psql(&url, "CREATE SCHEMA toygres; ALTER ROLE CURRENT_USER SET search_path = toygres").await.unwrap();
    let mut files: Vec<_> = std::fs::read_dir(migrations).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let client = connect(&url).await;
    let apply = async |path: &Path| client.batch_execute(&std::fs::read_to_string(path).unwrap()).await.unwrap();
    let (former, partitions): (Vec<_>, Vec<_>) = files.iter().partition(|path| path.file_name().unwrap().to_str().unwrap() < "0022");
    for path in former {
        apply(path).await;
    }
    // One of a clock that was ahead, and one that was deleted since.
    let made = "INSERT INTO instances (id, name, state, postgres_version, storage_gb, cpu_millis, memory_mb, username, database_name, exposure,
                    health_interval_seconds, health_timeout_seconds)
                VALUES ('00000000-0000-0000-0000-000000000001', 'old', 'running', 17, 1, 100, 128, 'a', 'b', '\"cluster\"', 30, 5);
                INSERT INTO health_checks (instance_id, at, status, latency_us, logged_in)
                SELECT '00000000-0000-0000-0000-000000000001', now() - ago * interval '1 hour', 'healthy', ago, ago > 0
                FROM (VALUES (40), (20), (0), (-100), (1)) sample (ago);
                DELETE FROM health_checks WHERE id = 5;
                INSERT INTO instance_metrics SELECT instance_id, at, id, ARRAY[id] FROM health_checks";
    psql(&url, made).await.unwrap();
    let samples = "SELECT id, instance_id, at, status, latency_us, logged_in FROM health_checks ORDER BY id";
    let readings = "SELECT * FROM instance_metrics ORDER BY at";
    let before = (psql(&url, samples).await.unwrap(), psql(&url, readings).await.unwrap());
    for path in partitions {
        apply(path).await;
    }
    assert_eq!((psql(&url, samples).await.unwrap(), psql(&url, readings).await.unwrap()), before);
    for table in ["health_checks", "instance_metrics"] {
        let places = format!(
            "SELECT string_agg(name || ' ' || number, ', ' ORDER BY name)
             FROM (SELECT tableoid::regclass::text AS name, count(*) AS number FROM {table} GROUP BY 1) place"
        );
        assert_eq!(psql(&url, &places).await.unwrap(), format!("{table}_default 1, {table}_former 3"));
    }
    // A number of a sample is given once, and each sample wakes those who watch.
    let next = "LISTEN toygres_health; INSERT INTO health_checks (instance_id, status) SELECT id, 'healthy' FROM instances RETURNING id";
    let output = psql(&url, next).await.unwrap();
    assert!(output.starts_with('6') && output.contains("toygres_health"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused_in_one_sentence() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    let refused = async || {
        let arguments = ["serve", "--listen", &Home::free_address()];
        let mut command = home.command(&arguments);
        let output = tokio::time::timeout(TIMEOUT, command.env("DATABASE_URL", &url).env("TOYGRES_SECRET_KEY", KEY).output()).await;
        let output = output.expect("it does not wait for another schema").unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap().lines().last().unwrap_or_default().to_owned()
    };
    let migrated = home.command(&["migrate"]).env("DATABASE_URL", &url).output().await.unwrap();
    assert!(migrated.status.success(), "{migrated:?}");
    let remedy = "start that release or a newer one; docs/UPGRADING.md says how to go back";

    psql(&url, "INSERT INTO duroxide._duroxide_migrations (version, name) VALUES (9999, 'next')").await.unwrap();
    let sentence = refused().await;
    assert!(sentence.contains("a newer release has migrated the workflow engine's schema") && sentence.contains(remedy), "{sentence}");

    let next = "INSERT INTO toygres._sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'next', true, '', 0)";
    psql(&url, next).await.unwrap();
    let sentence = refused().await;
    assert!(sentence.starts_with("toygres: the metadata database cannot be used: a newer release has migrated it (to 9999; "), "{sentence}");
    assert!(sentence.ends_with(remedy), "{sentence}");
}

/// Run it by hand for a release: `cargo nextest run --run-ignored only -E 'test(a_dump_of_this_release)'`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it writes a file"]
async fn a_dump_of_this_release() {
    let (home, database) = (Home::new(), Database::start());
    let (url, gate) = (database.url(), InitdbGate::new(&home));
    let mut environment = vec![("DATABASE_URL", url.as_str()), ("TOYGRES_SECRET_KEY", KEY)];
    environment.extend(gate.environment());
    let server = home.start_with(&environment).await;
    let deleted = server.create_ok("deleted").await;
    server.until_healthy(&deleted).await;
    server.delete(&deleted).await;
    server.until_deleted(&deleted).await;
    gate.close();
    // The template would spare it the `initdb`.
    std::fs::remove_dir_all(home.path().join("data/templates")).unwrap();
    std::fs::create_dir(home.path().join("data/templates")).unwrap();
    let creating = server.create_ok("creating").await;
    let begun = async || server.instance(&creating).await["operations"]["nodes"][0]["status"] == "RUNNING";
    eventually("its creation has begun", begun).await;
    eventually("initdb waits", async || std::fs::read_dir(home.path().join("data/templates")).unwrap().count() > 0).await;
    server.kill().await;
    // A server that runs no workflow.
    environment.push(("TOYGRES_ROLE", "api"));
    let server = home.start_with(&environment).await;
    server.create_ok("waiting").await;
    server.kill().await;

    let newest = psql(&url, "SELECT max(version) FROM toygres._sqlx_migrations").await.unwrap();
    let path = format!("{}/tests/it/releases/{newest:0>4}.sql", env!("CARGO_MANIFEST_DIR"));
    let dumped = dump(&url).await;
    // Some releases of psql do not know `\\restrict`.
    let lines = dumped.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
    std::fs::write(path, lines.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}
