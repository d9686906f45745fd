//! Installations of PostgreSQL that are replaced while the server runs.

use std::{
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use nix::sys::signal::Signal;
use toygres_domain::instance::PostgresVersion;
use toygres_process::Binaries;

use crate::home::Home;

/// Programs in a directory of their own, as those of a minor version are.
fn install(directory: &Path) {
    let real = Binaries::find(None).unwrap().newest().bin;
    std::fs::create_dir_all(directory).unwrap();
    for name in ["postgres", "initdb"] {
        let program = directory.join(name);
        std::fs::write(&program, format!("#!/bin/sh\nexec {} \"$@\"\n", real.join(name).display())).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_of_the_package_does_not_keep_instances_from_starting() {
    let programs = tempfile::tempdir().unwrap();
    std::fs::set_permissions(programs.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let (old, new, link) = (programs.path().join("15.4/bin"), programs.path().join("15.5/bin"), programs.path().join("bin"));
    install(&old);
    symlink(&old, &link).unwrap();
    let mut home = Home::new();
    home.binaries = Binaries::find(link.to_str()).unwrap();
    assert_eq!(home.binaries.newest().bin, old.canonicalize().unwrap());
    let host = home.host();
    let before = home.deployment("before");
    host.deploy(&before).await;

    install(&new);
    std::fs::remove_file(&link).unwrap();
    symlink(&new, &link).unwrap();
    std::fs::remove_dir_all(old.parent().unwrap()).unwrap();
    let pid = home.pid(before.id);
    home.signal_instance(before.id, Signal::SIGKILL);
    home.until("the instance runs again", || home.pid(before.id).is_some_and(|now| Some(now) != pid)).await;
    host.ready(before.id).await;
    host.deploy(&home.deployment("after")).await;
    assert_eq!(home.binaries.newest().bin, new.canonicalize().unwrap());
    host.stop().await;
}

/// For an instance that was created when the version was on offer.
#[test]
fn a_version_that_is_not_on_offer_any_more_is_only_found() {
    let programs = tempfile::tempdir().unwrap();
    for (name, script) in [("postgres", "echo 'postgres (PostgreSQL) 14.20'"), ("initdb", "exit 1")] {
        let program = programs.path().join(name);
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let binaries = Binaries::find(programs.path().to_str()).unwrap();
    let ended = PostgresVersion(14);
    assert_eq!(binaries.of(ended).unwrap().bin, programs.path().canonicalize().unwrap());
    assert!(!binaries.versions().contains(&ended) && binaries.all().iter().all(|installation| installation.major != ended));
}
