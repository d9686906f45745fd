//! A restored cluster is recovered without a server, and is independent of its source before anybody can connect to it.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use toygres_backup::{FileOwner, RecoverySettings, Target};
use toygres_domain::{
    name::SqlName,
    restoration::{RECOVERY_SETTINGS, finishing_statements},
    secret::Secret,
};

use crate::{
    archived::Archived,
    cluster::{Cluster, owner, program},
};

#[tokio::test(flavor = "multi_thread")]
async fn no_password_and_no_subscription_of_the_source_works() {
    let mut archived = Archived::create("max_prepared_transactions = 5").await;
    let source = &archived.cluster;
    source.execute("CREATE ROLE toygres SUPERUSER LOGIN PASSWORD 'old'");
    source.execute("CREATE ROLE app LOGIN PASSWORD 'old'; CREATE ROLE \"a \"\"strange\"\" one\" LOGIN PASSWORD 'old'; CREATE ROLE nobody");
    archived.back_up().await;
    let source = &archived.cluster;
    // In another database than the one that the statements run in.
    source.execute("CREATE DATABASE other");
    source.execute("CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p WITH (connect = false, slot_name = 'feed')");
    source.execute("ALTER SUBSCRIPTION feed ENABLE");
    source.execute("BEGIN; INSERT INTO rows VALUES (1); PREPARE TRANSACTION 'half'");
    source.execute("ALTER SYSTEM SET max_connections = 155");
    source.stop("fast");
    archived.failed().await;
    archived.cluster.start();
    archived.follow();
    archived.insert(2);
    archived.caught_up().await;

    let (copy, report) = archived.restore(Target::Latest).await.unwrap();
    assert!(report.wal_start < report.wal_end && report.settings.standby.max_connections == 155, "{report:?}");
    let [owner_password, superuser_password] = ["of-the-owner", "of-the-superuser"].map(|text| Secret::new(text.to_owned()));
    recover(&copy, &finishing_statements(&SqlName::role("app").unwrap(), &owner_password, &superuser_password));
    RecoverySettings::remove(&copy.data()).unwrap();
    assert!(!copy.data().join("recovery.signal").exists() && !copy.data().join("postmaster.pid").exists());
    copy.start();
    assert_eq!(copy.ids(), [2], "what was not committed is not there yet");
    copy.execute("COMMIT PREPARED 'half'");
    assert_eq!(copy.ids(), [1, 2]);
    let with_password = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$4096:%'";
    assert_eq!(copy.execute(with_password), "app toygres");
    assert_eq!(copy.execute("SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL"), "2");
    assert_eq!(copy.execute("SELECT subname, subenabled, subslotname FROM pg_subscription"), "feed|f|");
    assert_eq!(copy.execute("SELECT timeline_id FROM pg_control_checkpoint()"), "2");
    assert_eq!(copy.execute("SELECT count(*) FROM pg_replication_slots"), "0");
    // The source is as it was.
    assert_eq!(archived.cluster.execute("SELECT subenabled FROM pg_subscription"), "t");
}

/// Recovers a data directory as the hosts of instances do.
fn recover(cluster: &Cluster, statements: &str) {
    let mut command = Command::new(program("postgres"));
    command.arg("--single").arg("-D").arg(cluster.data()).args(RECOVERY_SETTINGS.iter().flat_map(|setting| ["-c", setting])).arg("postgres");
    if let Some(FileOwner { uid, gid }) = owner() {
        command.uid(uid).gid(gid);
    }
    let mut child = command.current_dir("/tmp").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
