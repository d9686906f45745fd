//! The embedded metadata database.

use std::{os::unix::fs::PermissionsExt, time::Instant};

use nix::sys::signal::Signal;
use toygres_process::Binaries;

use crate::home::Home;

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_database_survives_crashes_and_restarts() {
    let home = Home::new();
    let host = home.data.try_host().unwrap().unwrap();
    let begin = Instant::now();
    let first = home.embedded(&host).await;
    eprintln!("measured: first start of the metadata database {:?}", begin.elapsed());
    let url = first.url().to_owned();
    let file = home.data.join("metadata.url");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), url);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.query_url(&url, "CREATE TABLE t AS SELECT 7 AS n; SELECT current_user || current_database()"), "toygrestoygres");
    let password = url.split([':', '@']).nth(2).unwrap();
    assert!(!password.is_empty());

    // Killed, it is started again at the same address.
    let begin = Instant::now();
    home.signal_cluster("metadata", Signal::SIGKILL);
    home.until("the metadata database is back", || home.try_query_url(&url, "SELECT n FROM t").as_deref() == Some("7")).await;
    eprintln!("measured: metadata database back {:?} after kill -9", begin.elapsed());

    // When the control plane is killed, the next one adopts what runs.
    first.crash().await;
    let pid = home.cluster_pid("metadata").unwrap();
    let begin = Instant::now();
    let second = home.embedded(&host).await;
    eprintln!("measured: adoption {:?}", begin.elapsed());
    assert_eq!((second.url(), home.cluster_pid("metadata")), (url.as_str(), Some(pid)));
    second.stop().await;
    assert!(home.try_query_url(&url, "SELECT 1").is_none(), "stopped");

    let begin = Instant::now();
    let third = home.embedded(&host).await;
    eprintln!("measured: second start of the metadata database {:?}", begin.elapsed());
    assert_eq!(third.url(), url);
    assert_eq!(home.query_url(&url, "SELECT n FROM t"), "7");
    third.stop().await;

    // When the file with the password is lost, it gets another one.
    std::fs::remove_file(&file).unwrap();
    let fourth = home.embedded(&host).await;
    assert_ne!(fourth.url(), url);
    assert_eq!(home.query_url(fourth.url(), "SELECT n FROM t"), "7");
    fourth.stop().await;
}

/// The files of a new database are synced at last. One that exists must be safe at every moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_exists_gets_another_password_without_a_moment_at_risk() {
    let programs = tempfile::tempdir().unwrap();
    let readable = |path: &std::path::Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    readable(programs.path(), 0o755);
    let (real, calls) = (Binaries::find(None).unwrap().newest().bin, programs.path().join("calls"));
    std::fs::write(&calls, "").unwrap();
    readable(&calls, 0o666);
    for name in ["postgres", "initdb"] {
        let (program, real) = (programs.path().join(name), real.join(name));
        std::fs::write(&program, format!("#!/bin/sh\necho \"{name} $*\" >>{}\nexec {} \"$@\"\n", calls.display(), real.display())).unwrap();
        readable(&program, 0o755);
    }
    let singles = || {
        let calls = std::fs::read_to_string(&calls).unwrap();
        calls.lines().filter(|call| call.starts_with("postgres --single")).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut home = Home::new();
    home.binaries = Binaries::find(programs.path().to_str()).unwrap();
    let host = home.data.try_host().unwrap().unwrap();
    home.embedded(&host).await.stop().await;
    assert!(matches!(&singles()[..], [first] if first.contains("fsync=off")), "{:?}", singles());
    std::fs::remove_file(home.data.join("metadata.url")).unwrap();
    home.embedded(&host).await.stop().await;
    assert!(matches!(&singles()[..], [_, second] if !second.contains("fsync")), "{:?}", singles());
}
