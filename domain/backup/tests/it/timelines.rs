//! Restores across timelines.

use toygres_backup::Target;
use toygres_domain::wal::Timeline;

use crate::archived::Archived;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_timeline_is_followed_and_restored() {
    let mut archived = Archived::create("restore_command = 'false'").await;
    archived.back_up().await;
    archived.insert(1);
    let before = archived.time();
    // The server recovers, and begins a new timeline, while nobody follows it.
    archived.kill_follower().await;
    archived.insert(2);
    archived.cluster.stop("immediate");
    std::fs::write(archived.cluster.data().join("recovery.signal"), "").unwrap();
    archived.cluster.start();
    crate::cluster::eventually("the recovery ends", async || archived.cluster.execute("SELECT pg_is_in_recovery()") == "f").await;
    archived.insert(3);
    archived.follow();
    archived.caught_up().await;
    assert_eq!(archived.status.borrow().as_ref().unwrap().timeline, Timeline(2));

    assert_eq!(archived.restored_ids(Target::Time(before)).await, [1]);
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3]);
    // The follower continues on the new timeline, and a base backup of it is restored without the old one's WAL.
    archived.unfollow().await.unwrap();
    archived.follow();
    let backup = archived.back_up().await;
    assert_eq!(backup.timeline, Timeline(2));
    archived.insert(4);
    archived.caught_up().await;
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3, 4]);
}
