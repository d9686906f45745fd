//! Upgrades on local processes: what the contract of every runtime cannot reach.

use std::time::{Duration, Instant};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use toygres_domain::{
    OperationId,
    data::Data,
    instance::PostgresVersion,
    operation::OperationKind,
    runtime::{Deployment, Progress, Runtime as _},
    upgrade::Upgrade,
};
use toygres_postgres::contract::{self, NoHooks, Subject};

use crate::home::{Home, TIMEOUT};

/// The version of this machine, and the one to upgrade to.
fn versions(home: &Home) -> (PostgresVersion, PostgresVersion) {
    let own =
        home.binaries.versions().into_iter().find(|version| home.binaries.of(*version).unwrap().bin.join("pg_upgrade").is_file() && version.0 < 18);
    (own.expect("this machine has a complete PostgreSQL before 18"), PostgresVersion(18))
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_keep_the_contract() {
    let home = Home::with_upgrades();
    let host = home.host();
    let deployment = |name: &str| home.deployment(name);
    let (from, to) = versions(&home);
    let subject = Subject { runtime: &host.runtime, deployment: &deployment, hooks: &NoHooks, timeout: 4 * TIMEOUT };
    contract::check_upgrades(subject, from, to).await;
    host.stop().await;
    assert_eq!(home.names_in("instances"), Vec::<String>::new(), "nothing is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_lacks_programs_is_named() {
    let home = Home::with_every_version();
    let host = home.host();
    let why = host.runtime.upgrades(PostgresVersion(15), PostgresVersion(17)).unwrap_err();
    assert!(why.contains("PostgreSQL 17") && why.contains("pg_upgrade, pg_dump") && why.contains("TOYGRES_PG_BIN"), "{why}");
    host.stop().await;
}

/// Whatever is killed in the middle, the upgrade is completed: it begins anew without its programs, and they go on without a control plane.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_survives_the_death_of_its_programs_and_of_the_host() {
    let home = Home::with_upgrades();
    let (from, to) = versions(&home);
    let mut host = home.host();
    let mut former = home.deployment("killed");
    former.spec.postgres_version = from;
    let endpoint = host.deploy(&former).await;
    home.query(&former, &endpoint, "CREATE TABLE kept AS SELECT n, md5(n::text) AS word FROM generate_series(1, 1000) AS n");
    let checksum = "SELECT count(*) || ' ' || md5(string_agg(word, '' ORDER BY n)) FROM kept";
    let before = home.query(&former, &endpoint, checksum);
    former.data = Data::Existing(host.runtime.volume(former.id).await.unwrap());
    let mut new = Deployment { closed: true, ..former.clone() };
    new.spec.postgres_version = to;
    let operation = OperationId::new(OperationKind::Upgrade, former.id, 2);
    let upgrade = Upgrade { operation, from, to, check_only: false, timeout: Duration::from_secs(60) };

    let log = home.instance(former.id).join("upgrade.log");
    let transfers = || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("transfers"));
    let (mut programs, mut anew, mut crashed) = (false, false, false);
    let deadline = Instant::now() + 4 * TIMEOUT;
    loop {
        match host.runtime.upgrade(&new, &upgrade).await {
            Ok(Progress::Done) => break,
            Ok(Progress::InProgress(_)) => {}
            Err(error) => {
                assert!(error.retryable && programs && !anew, "it begins anew once: {error:?}");
                anew = true;
            }
        }
        assert!(Instant::now() < deadline, "not upgraded in time");
        if !programs && transfers() {
            programs = kill_all("pg_upgrade", &home.instance(former.id).display().to_string());
        } else if anew && !crashed && transfers() {
            host.crash().await;
            host = home.host();
            crashed = true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(anew && crashed, "both were in time");
    let endpoint = host.deploy(&new).await;
    assert_eq!(home.query(&former, &endpoint, checksum), before);
    while let Progress::InProgress(_) = host.runtime.remove(former.id, false).await.unwrap() {}
    host.stop().await;
}

/// What an earlier upgrade has left was confirmed, so neither the data nor its server is given up for it.
#[tokio::test(flavor = "multi_thread")]
async fn data_from_before_an_earlier_upgrade_is_never_put_back() {
    let home = Home::with_upgrades();
    let (from, to) = versions(&home);
    let host = home.host();
    let mut deployment = home.deployment("twice");
    deployment.spec.postgres_version = from;
    let endpoint = host.deploy(&deployment).await;
    home.query(&deployment, &endpoint, "CREATE TABLE kept AS SELECT 7 AS n");
    deployment.data = Data::Existing(host.runtime.volume(deployment.id).await.unwrap());
    let mut new = Deployment { closed: true, ..deployment.clone() };
    new.spec.postgres_version = to;
    let former = home.instance(deployment.id).join("former");
    let leave = || {
        std::fs::create_dir(&former).unwrap();
        std::fs::write(former.join("PG_VERSION"), "14\n").unwrap();
    };
    let check = |number| {
        let operation = OperationId::new(OperationKind::Upgrade, deployment.id, number);
        Upgrade { operation, from, to, check_only: true, timeout: Duration::from_secs(60) }
    };

    // It was refused before anything began.
    leave();
    while let Progress::InProgress(_) = host.runtime.revert_upgrade(&deployment, &check(2)).await.unwrap() {}
    let endpoint = host.ready(deployment.id).await;
    assert_eq!(home.query(&deployment, &endpoint, "SELECT n FROM kept"), "7");
    assert!(!former.exists(), "the deployment removes it");

    leave();
    let deadline = Instant::now() + 4 * TIMEOUT;
    while let Progress::InProgress(_) = host.runtime.upgrade(&new, &check(3)).await.unwrap() {
        assert!(Instant::now() < deadline, "not checked in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!former.exists(), "the next upgrade removes it");
    let endpoint = host.ready(deployment.id).await;
    assert_eq!(home.query(&deployment, &endpoint, "SELECT n FROM kept"), "7");
    while let Progress::InProgress(_) = host.runtime.remove(deployment.id, false).await.unwrap() {}
    host.stop().await;
}

/// Kills every process of this program with the text in its arguments. Returns whether there was one.
fn kill_all(program: &str, text: &str) -> bool {
    let mut found = false;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let is_it = line.split(' ').next().is_some_and(|name| name.ends_with(program));
        if let (true, Some(pid)) = (is_it && line.contains(text), entry.file_name().to_str().and_then(|name| name.parse().ok())) {
            found |= kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok();
        }
    }
    found
}
