//! Stores that fail, and workers that are killed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use toygres_backup::{BackupError, Coverage, Store, StoreErrorKind, Target};

use crate::{
    archived::Archived,
    cluster::eventually,
    faulty_store::{Fault, FaultyStore},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_confirms_nothing() {
    let faulty = FaultyStore::create();
    let store = Store::from_parts(faulty.clone(), "faulty store");
    let mut archived = Archived::with_store("", tempfile::tempdir().unwrap(), store);
    archived.follow();
    archived.caught_up().await;
    archived.back_up().await;
    archived.caught_up().await;
    for (id, (fault, kind)) in [(Fault::Denied, StoreErrorKind::Denied), (Fault::Unavailable, StoreErrorKind::Unavailable)].into_iter().enumerate() {
        faulty.fail(fault);
        let durable = archived.status.borrow().clone().unwrap().durable;
        archived.insert(id as i64);
        let error = archived.failed().await;
        assert!(matches!(&error, BackupError::Store(error) if error.kind == kind), "{error}");
        assert_eq!(archived.status.borrow().as_ref().unwrap().durable, durable);
        let kept = archived.cluster.execute("SELECT restart_lsn FROM pg_replication_slots").parse::<toygres_domain::wal::Lsn>().unwrap();
        assert!(kept <= durable, "{kept} is confirmed, and {durable} is durable");
        // How much WAL the server keeps is known all the same.
        archived.cluster.execute("SELECT pg_logical_emit_message(true, 'test', 'more')");
        let flushed = archived.lsn();
        archived.follow();
        archived.failed().await;
        let status = archived.status.borrow().clone().unwrap();
        assert!(status.flushed >= flushed && status.durable == durable, "{status:?}, and {flushed} was flushed");
        let writes = faulty.writes();
        let error = archived.try_back_up().await.unwrap_err();
        assert!(matches!(&error, BackupError::Store(error) if error.kind == kind) && faulty.writes() > writes, "{error}");
        faulty.fail(Fault::None);
        archived.follow();
        archived.caught_up().await;
    }
    // The store has the object, and nobody knows: the same object is written again.
    faulty.fail(Fault::AnswerLost);
    archived.insert(2);
    archived.failed().await;
    faulty.fail(Fault::Slow);
    archived.follow();
    archived.insert(3);
    archived.caught_up().await;
    assert_eq!(Coverage::of(&archived.listing().await).intervals.len(), 1);
    assert_eq!(archived.restored_ids(Target::Latest).await, [0, 1, 2, 3]);
}

/// Inserts rows until it is stopped. Returns each id with the time at which its commit was acknowledged.
async fn insert_rows(archived: &Archived, rounds: i64, first: i64) -> Vec<(i64, DateTime<Utc>)> {
    let mut rows = Vec::new();
    for id in first..first + rounds {
        archived.insert(id);
        rows.push((id, archived.time()));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_that_was_covered_is_lost_when_workers_are_killed() {
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    let mut archived = Archived::create("").await;
    archived.back_up().await;
    let (mut rows, mut promised) = (Vec::new(), None);
    for round in 0..12 {
        rows.extend(insert_rows(&archived, random.i64(1..4), rows.len() as i64).await);
        if random.bool() {
            archived
                .cluster
                .execute("CREATE TABLE IF NOT EXISTS filler (text text); INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 20000)");
        }
        // Anywhere between the connection, the stream, and an upload.
        tokio::time::sleep(Duration::from_millis(random.u64(0..1500))).await;
        promised = promised.max(archived.status.borrow().as_ref().and_then(|status| status.covers));
        archived.kill_follower().await;
        archived.given_back().await;
        if round % 3 == 2 {
            let promised = promised.unwrap();
            let coverage = Coverage::of(&archived.listing().await);
            assert_eq!(coverage.intervals.len(), 1, "{coverage:?}");
            let restored = archived.restored_ids(Target::Latest).await;
            let covered = promised.max(coverage.intervals[0].to);
            let missing: Vec<_> = rows.iter().filter(|(id, at)| *at <= covered && !restored.contains(id)).collect();
            assert!(missing.is_empty(), "{missing:?} were committed before {covered}");
        }
        archived.follow();
    }
    archived.caught_up().await;
    assert_eq!(archived.restored_ids(Target::Latest).await, rows.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    eventually("it is still followed", async || archived.is_following()).await;
}
