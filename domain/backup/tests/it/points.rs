//! Restores to a point.

use std::{path::Path, sync::Arc};

use chrono::TimeDelta;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use toygres_backup::{BackupError, Coverage, RecoverySettings, Stop, Target};

use crate::{
    archived::Archived,
    cluster::{DEADLINE, as_owner, eventually, program},
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

/// A server that is held up, or whose messages are not read, answers everything that it was asked at once, and sends new WAL only then.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_held_up_covers_nothing_that_it_has_not_sent() {
    let archived = Archived::create("").await;
    let sender = Pid::from_raw(archived.cluster.execute("SELECT pid FROM pg_stat_replication").parse().unwrap());
    kill(sender, Signal::SIGSTOP).unwrap();
    archived.insert(1);
    let (lsn, time) = (archived.lsn(), archived.time());
    // As long as it would take to ask several times.
    tokio::time::sleep(6 * archived.keepalive_interval).await;
    let mut status = archived.status.subscribe();
    kill(sender, Signal::SIGCONT).unwrap();
    let covering = status.wait_for(|status| status.as_ref().is_some_and(|status| status.covers.is_some_and(|covers| covers >= time)));
    let covering = tokio::time::timeout(DEADLINE, covering).await.expect("the row is covered").unwrap().clone().unwrap();
    assert!(covering.durable >= lsn, "{covering:?}, and the row ends at {lsn}");
}

/// The time that a base backup was finished at is the first that can be restored, also if nothing is archived beyond the end of the backup.
#[tokio::test(flavor = "multi_thread")]
async fn a_base_backup_needs_what_was_committed_until_it_was_finished() {
    let archived = Arc::new(Archived::create("").await);
    archived.cluster.execute("CREATE TABLE commits (flushed pg_lsn, at timestamptz)");
    archived.cluster.execute("CREATE TABLE over ()");
    let writer = archived.clone();
    let writer = tokio::task::spawn_blocking(move || {
        writer.cluster.execute(
            "DO $$ DECLARE flushed pg_lsn; BEGIN
                 WHILE to_regclass('over') IS NOT NULL LOOP
                     flushed := pg_current_wal_flush_lsn();
                     INSERT INTO commits VALUES (flushed, clock_timestamp());
                     COMMIT;
                 END LOOP;
             END $$",
        )
    });
    let record = archived.try_back_up().await.unwrap();
    archived.cluster.execute("DROP TABLE over");
    writer.await.unwrap();
    let of = |condition: &str| {
        let finished_at = record.finished_at.to_rfc3339();
        archived.cluster.execute(&format!("SELECT count(*) FROM commits WHERE at <= '{finished_at}' AND flushed {condition} '{}'", record.end))
    };
    assert_ne!(of("<="), "0", "rows were committed during the backup");
    assert_eq!(of(">"), "0", "{record:?}");
}

/// A listing takes time. What was written before it began must not vanish in it because something newer was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_partial_segment_outlives_the_one_that_replaces_it() {
    let mut archived = Archived::create("").await;
    for id in 0..4 {
        archived.insert(id);
        archived.caught_up().await;
    }
    archived.unfollow().await.unwrap();
    assert_eq!(archived.listing().await.partials.len(), 2);
}
