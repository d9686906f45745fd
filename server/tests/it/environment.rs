//! The environment of the caller, and the `.env` of whatever directory it calls from, are for other programs.

use serde_json::json;

use crate::support::{Database, Home, TIMEOUT, psql};

/// None of these is a value with which PostgreSQL works.
const FOREIGN: [(&str, &str); 12] = [
    ("PGSSLMODE", "require"),
    ("PGSSLROOTCERT", "/nowhere"),
    ("PGOPTIONS", "-c no_such_setting=1"),
    ("PGSERVICE", "none"),
    ("PGAPPNAME", "x"),
    ("PGTZ", "Nowhere/None"),
    ("PGDATESTYLE", "none"),
    ("PGCLIENTENCODING", "none"),
    ("PGHOST", "/nowhere"),
    ("PGPORT", "1"),
    ("PGUSER", "nobody"),
    ("PGDATA", "/nowhere"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_variables_of_libpq_change_nothing() {
    let home = Home::new();
    let server = home.start_with(&FOREIGN).await;
    let id = server.create_ok("orders").await;
    server.until_healthy(&id).await;
    let mut connect = home.command(&["instances", "connect", "orders", "--", "-XAtc", "SELECT 41 + 1"]);
    let output = connect.envs(FOREIGN).env("TOYGRES_URL", format!("http://{}", server.address)).output().await.unwrap();
    assert_eq!((String::from_utf8_lossy(&output.stdout).as_ref(), String::from_utf8_lossy(&output.stderr).as_ref()), ("42\n", ""));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_another_project_matters_to_no_command_but_serve() {
    let home = Home::new();
    let project = home.path().join("project");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(home.path().join(".env"), "APP_NAME=My App\n").unwrap();
    let run = async |arguments: &[&str], directory| home.command(arguments).current_dir(directory).output().await.unwrap();
    for arguments in [&["--version"][..], &["schema"], &["context", "list"], &["completion", "bash"]] {
        let output = run(arguments, home.path()).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
    let serve = ["serve", "--listen", &Home::free_address()];
    let refused = run(&serve, home.path()).await;
    let sentence = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && sentence.contains(&format!("{}, line 1 (APP_NAME)", home.path().join(".env").display())), "{sentence}");

    // That of a directory above is another's.
    let mut child = home.command(&serve);
    let mut child = child.current_dir(&project).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().unwrap()));
    let line = tokio::time::timeout(TIMEOUT, lines.next_line()).await.unwrap().unwrap();
    assert!(line.as_ref().is_some_and(|line| line.contains("ready")), "{line:?}");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().unwrap().try_into().unwrap()), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(child.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_somebody_else_needs_an_explicit_yes() {
    let (home, database) = (Home::new(), Database::start());
    let url = database.url();
    psql(&url, "CREATE TABLE customers (id int)").await.unwrap();
    std::fs::write(home.path().join(".env"), format!("DATABASE_URL={url}\n")).unwrap();
    for arguments in [&["serve", "--listen", &Home::free_address()][..], &["migrate"], &["token", "create", "--local", "--name", "x"]] {
        let ended = tokio::time::timeout(TIMEOUT, home.command(arguments).output()).await;
        let output = ended.unwrap_or_else(|_| panic!("{arguments:?} is not refused")).unwrap();
        let sentence = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && sentence.contains("TOYGRES_SHARE_DATABASE"), "{arguments:?}: {sentence}");
        assert!(sentence.contains("public.customers"), "{sentence}");
    }
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)'";
    assert_eq!(psql(&url, schemas).await.unwrap(), "0", "nothing was created");

    // Once it holds our schema, the question is answered.
    let shared = home.command(&["migrate", "--share-database"]).output().await.unwrap();
    assert!(shared.status.success(), "{shared:?}");
    let server = home.start().await;
    assert_eq!(server.query("{ instances(first: 1) { totalCount } }", json!({})).await["instances"]["totalCount"], 0);
    server.stop().await;
}
