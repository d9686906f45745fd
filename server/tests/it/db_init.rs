//! `scripts/db-init.sh`, with an administrator who is no superuser, as managed services have them.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Database, pg_bin, psql};

/// Passwords with everything that a shell, psql, SQL and URLs give a meaning to.
const PASSWORDS: [&str; 2] = [r"a'b\c", "x y%é$1"];
/// The administrator is trusted; the roles that the script makes need their passwords.
const RULES: &str = "host all postgres,administrator 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// A copy of the scripts whose last step, the migrations, is run by the server that is built already.
fn scripts(place: &Path) -> PathBuf {
    let scripts = place.join("scripts");
    fs::create_dir(&scripts).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    for name in ["db-init.sh", "lib.sh"] {
        fs::copy(source.join(name), scripts.join(name)).unwrap();
    }
    let migrate = scripts.join("db-migrate.sh");
    fs::write(&migrate, format!("#!/bin/sh\nexec {} migrate\n", env!("CARGO_BIN_EXE_toygres"))).unwrap();
    fs::set_permissions(migrate, fs::Permissions::from_mode(0o755)).unwrap();
    scripts.join("db-init.sh")
}

async fn roles_are_made(programs: PathBuf) {
    let database = Database::start_of(programs.clone());
    psql(&database.url(), "CREATE ROLE administrator LOGIN CREATEROLE").await.unwrap();
    psql(&database.url(), "CREATE DATABASE toygres OWNER administrator").await.unwrap();
    fs::write(database.file("pg_hba.conf"), RULES).unwrap();
    assert_eq!(psql(&database.url(), "SELECT pg_reload_conf()").await.unwrap(), "t");
    let place = tempfile::tempdir().unwrap();
    let script = scripts(place.path());
    for run in ["first", "second"] {
        let mut command = Command::new("bash");
        command.arg(&script).env("ADMIN_DATABASE_URL", format!("postgres://administrator@127.0.0.1:{}/toygres", database.port()));
        command.env("TOYGRES_DB_PASSWORD", PASSWORDS[0]).env("TOYGRES_ENGINE_DB_PASSWORD", PASSWORDS[1]).env("TOYGRES_PG_BIN", pg_bin());
        let output = command.output().unwrap();
        assert!(output.status.success(), "the {run} run with {}: {output:?}", programs.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_who_is_no_superuser_prepares_a_database() {
    let installed = std::env::var("TOYGRES_TEST_POSTGRES").expect("TOYGRES_TEST_POSTGRES is set: run scripts/install-test-postgres");
    // The rules for members of roles changed in PostgreSQL 16.
    roles_are_made(pg_bin()).await;
    roles_are_made(Path::new(&installed).join("17/bin")).await;
}
