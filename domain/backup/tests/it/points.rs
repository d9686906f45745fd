//! Restores to a point.

use std::path::Path;

use chrono::TimeDelta;
use toygres_backup::{BackupError, Coverage, RecoverySettings, Stop, Target};

use crate::{
    archived::Archived,
    cluster::{as_owner, eventually, program},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_point_between_two_commits_is_restored() {
    let mut archived = Archived::create("autovacuum = off").await;
    archived.insert(1);
    let backup = archived.back_up().await;
    archived.insert(2);
    let (time, lsn) = (archived.time(), archived.lsn());
    archived.insert(3);
    // A restart of the source, after which it has more connections than the base backup knew of.
    archived.cluster.execute("ALTER SYSTEM SET max_connections = 155");
    archived.cluster.stop("fast");
    archived.failed().await;
    archived.cluster.start();
    archived.follow();
    archived.insert(4);
    archived.caught_up().await;
    // Nothing happens any more, and what can be restored still advances.
    let idle = archived.time();
    archived.caught_up().await;

    assert_eq!(archived.restored_ids(Target::Backup(backup.id)).await, [1]);
    assert_eq!(archived.restored_ids(Target::Time(time)).await, [1, 2]);
    assert_eq!(archived.restored_ids(Target::Lsn(lsn)).await, [1, 2]);
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3, 4]);

    // The time that is covered reaches the store when following stops.
    archived.unfollow().await.unwrap();
    let coverage = Coverage::of(&archived.listing().await.with_status(None));
    assert!(coverage.intervals[0].to >= idle, "{coverage:?}");
    let [interval] = coverage.intervals.as_slice() else { panic!("{coverage:?}") };
    assert_eq!(interval.from, backup.finished_at);
    let (cluster, report) = archived.restore(Target::Time(idle)).await.unwrap();
    assert_eq!(report.settings.stop, Stop::EndOfWal, "no transaction ended after {idle}");
    assert_eq!(report.settings.standby.max_connections, 155);
    assert!(as_owner(&program("pg_verifybackup"), &[cluster.data().to_str().unwrap()]));
    cluster.recover().await;
    assert_eq!(cluster.ids(), [1, 2, 3, 4]);
    RecoverySettings::remove(&cluster.data()).unwrap();
    cluster.stop("fast");
    cluster.start();
    assert_eq!(cluster.execute("SHOW recovery_target_timeline"), "latest");
    assert_eq!(cluster.execute("SHOW max_connections"), "100", "that of the base backup");

    for target in [
        Target::Time(backup.finished_at - TimeDelta::microseconds(1)),
        Target::Time(interval.to + TimeDelta::microseconds(1)),
        Target::Lsn(backup.start),
        Target::Lsn(toygres_domain::wal::Lsn(interval.to_lsn.0 + 1)),
    ] {
        let refused = archived.restore(target).await.map(|_| ()).unwrap_err();
        assert!(matches!(refused, BackupError::NotCovered { .. }), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_archived_in_segments_and_what_is_durable_is_confirmed() {
    let mut archived = Archived::create("").await;
    let backup = archived.back_up().await;
    archived.cluster.execute("INSERT INTO rows SELECT generate_series(1, 400000)");
    archived.caught_up().await;
    let listing = archived.listing().await;
    assert!(listing.segments.len() >= 3, "{:?}", listing.segments);
    assert!(listing.partials.len() <= 3, "superseded ones are deleted: {:?}", listing.partials);
    let durable = archived.status.borrow().clone().unwrap().durable;
    eventually("the server hears what is durable", async || {
        archived.cluster.execute("SELECT restart_lsn FROM pg_replication_slots").parse::<toygres_domain::wal::Lsn>().unwrap() >= durable
    })
    .await;
    archived.unfollow().await.unwrap();
    let (cluster, report) = archived.restore(Target::Latest).await.unwrap();
    assert_eq!(report.backup, backup.id);
    cluster.recover().await;
    assert_eq!(cluster.execute("SELECT count(*), sum(id) FROM rows"), "400000|80000200000");
}

#[tokio::test(flavor = "multi_thread")]
async fn tablespaces_are_refused_by_name() {
    let archived = Archived::create("").await;
    let location = archived.cluster.data().with_file_name("fast");
    assert!(as_owner(Path::new("mkdir"), &[location.to_str().unwrap()]));
    archived.cluster.execute(&format!("CREATE TABLESPACE fast LOCATION '{}'", location.display()));
    let error = archived.try_back_up().await.unwrap_err().to_string();
    assert!(error.contains("tablespaces") && error.contains(location.to_str().unwrap()), "{error}");
}
