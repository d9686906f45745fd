//! The data directory, the account and the installations that a control plane finds.

use std::os::unix::fs::PermissionsExt;

use nix::unistd::geteuid;
use toygres_domain::instance::PostgresVersion;
use toygres_process::{Account, Binaries, DataDir};

use crate::home::Home;

#[test]
fn one_control_plane_is_the_host() {
    let home = Home::new();
    let first = home.data.try_host().unwrap().expect("nobody is");
    assert_eq!(home.data.host_pid(), Some(std::process::id()));
    assert!(home.data.try_host().unwrap().is_none());
    drop(first);
    assert!(home.data.try_host().unwrap().is_some());
}

#[test]
fn a_directory_that_postgres_cannot_enter_is_explained() {
    if !geteuid().is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let error = DataDir::open(&closed.path().join("data"), &Account::resolve("postgres").unwrap()).unwrap_err().to_string();
    assert!(error.contains("TOYGRES_DATA_DIR") && error.contains(closed.path().to_str().unwrap()), "{error}");
    assert_eq!(std::fs::read_dir(closed.path()).unwrap().count(), 0, "nothing is left behind");
    std::fs::create_dir(closed.path().join("data")).unwrap();
    DataDir::open(&closed.path().join("data"), &Account::resolve("postgres").unwrap()).unwrap_err();
    assert_eq!(std::fs::read_dir(closed.path().join("data")).unwrap().count(), 0, "nor in a directory that exists");
    std::os::unix::fs::chown(closed.path().join("data"), Some(1), None).unwrap();
    let error = DataDir::open(&closed.path().join("data"), &Account::resolve("postgres").unwrap()).unwrap_err().to_string();
    assert!(error.contains("belongs to another user") && error.contains("TOYGRES_DATA_DIR"), "{error}");
    assert!(Account::resolve("nobody-has-this-name").unwrap_err().to_string().contains("TOYGRES_PG_USER"));
    assert!(Account::resolve("root").is_err());
}

#[test]
fn installed_versions_are_found() {
    let binaries = Binaries::find(None).unwrap();
    assert!(binaries.versions().iter().all(|version| *version >= PostgresVersion(9)), "{:?}", binaries.versions());
}
