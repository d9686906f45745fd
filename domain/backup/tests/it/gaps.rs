//! WAL that could not be archived.

use toygres_backup::{Coverage, GapReason, Target};

use crate::{
    archived::Archived,
    cluster::{Cluster, DEADLINE, eventually},
};

/// Writes WAL until the server has removed segments.
fn fill(cluster: &Cluster) {
    for _ in 0..8 {
        cluster.execute("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 10000); SELECT pg_switch_wal()");
        cluster.execute("CHECKPOINT");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_slot_is_a_gap_with_a_reason() {
    let mut archived = Archived::create("max_slot_wal_keep_size = '32MB'").await;
    archived.cluster.execute("CREATE TABLE filler (text text)");
    archived.back_up().await;
    archived.insert(1);
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    archived.insert(2);
    fill(&archived.cluster);
    assert_eq!(archived.cluster.execute("SELECT wal_status FROM pg_replication_slots"), "lost");

    archived.follow();
    archived.caught_up().await;
    let gap = archived.status.borrow().as_ref().unwrap().gap;
    assert!(matches!(gap, Some((from, to, GapReason::SlotLost)) if from < to), "{gap:?}");
    archived.insert(3);
    archived.back_up().await;
    archived.caught_up().await;
    let coverage = Coverage::of(&archived.listing().await);
    assert_eq!(coverage.intervals.len(), 2, "{coverage:?}");
    assert_eq!(coverage.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [GapReason::SlotLost]);
    assert_eq!(archived.restored_ids(Target::Time(coverage.intervals[0].to)).await, [1]);
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3]);

    // The same once more, with a slot that was dropped by hand.
    archived.unfollow().await.unwrap();
    archived.cluster.execute("SELECT pg_drop_replication_slot('archive')");
    fill(&archived.cluster);
    archived.follow();
    archived.caught_up().await;
    let gap = archived.status.borrow().as_ref().unwrap().gap;
    assert!(matches!(gap, Some((_, _, GapReason::SlotDropped))), "{gap:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_slot_whose_wal_is_still_there_is_no_gap() {
    let mut archived = Archived::create("wal_keep_size = '256MB'").await;
    archived.back_up().await;
    archived.insert(1);
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    archived.cluster.execute("SELECT pg_drop_replication_slot('archive')");
    archived.insert(2);
    archived.follow();
    archived.caught_up().await;
    assert_eq!(archived.status.borrow().as_ref().unwrap().gap, None);
    eventually("the slot exists again", async || archived.cluster.execute("SELECT count(*) FROM pg_replication_slots") == "1").await;
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2]);
}

/// An idle server whose WAL ends with a segment sends nothing that changes the status.
#[tokio::test(flavor = "multi_thread")]
async fn that_an_idle_server_is_followed_again_is_told() {
    let mut archived = Archived::create("").await;
    archived.cluster.execute("SELECT pg_switch_wal()");
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    archived.keepalive_interval = 2 * DEADLINE;
    for _ in 0..2 {
        let mut status = archived.status.subscribe();
        status.mark_unchanged();
        archived.follow();
        tokio::time::timeout(DEADLINE, status.changed()).await.expect("it has begun").unwrap();
        archived.kill_follower().await;
        archived.given_back().await;
    }
}
