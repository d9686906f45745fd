//! A store that is away for a while, and objects that somebody has deleted.

use std::path::Path;

use bytes::Bytes;
use toygres_backup::{BackupError, Coverage, Store, StoreConfig, StoreErrorKind, Target, find, find_missing};
use toygres_domain::{
    instance::ReasonCode,
    restoration::{KnownCoverage, Restoration},
    wal::{Segment, SegmentSize},
};

use crate::archived::Archived;

fn open(directory: &Path) -> Store {
    Store::open(&StoreConfig::Directory(directory.to_owned())).unwrap()
}

/// Every request fails, and says why.
async fn refuses(store: &Store, why: &str) {
    let outcomes = [
        store.create("a/b", Bytes::from_static(b"x")).await,
        store.read("a/b").await.map(drop),
        store.list("a").await.map(drop),
        store.directories("").await.map(drop),
        store.delete("a/b").await,
        store.check().await,
    ];
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let error = outcome.expect_err("the store is away");
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{number}: {error}");
        assert!(error.to_string().contains(why), "{number}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_while_the_directory_of_a_store_is_away() {
    let mut archived = Archived::create("").await;
    archived.back_up().await;
    archived.insert(1);
    archived.caught_up().await;
    let (there, away) = (archived.directory.path().join("store"), archived.directory.path().join("away"));
    std::fs::rename(&there, &away).unwrap();
    let durable = archived.status.borrow().clone().unwrap().durable;
    archived.cluster.execute("INSERT INTO rows VALUES (2); SELECT pg_switch_wal()");
    let error = archived.failed().await;
    assert_eq!(error.reason().code, ReasonCode::StoreUnavailable, "{error}");
    assert_eq!(archived.status.borrow().as_ref().unwrap().durable, durable, "nothing is confirmed");
    refuses(&archived.store, "gone, moved or not mounted").await;
    assert!(!there.exists(), "it is not made anew");

    // The mount point below, and another store.
    std::fs::create_dir(&there).unwrap();
    refuses(&archived.store, "gone, moved or not mounted").await;
    assert_eq!(std::fs::read_dir(&there).unwrap().count(), 0);
    open(&there);
    refuses(&archived.store, "another store is there now").await;
    std::fs::remove_dir_all(&there).unwrap();

    std::fs::rename(&away, &there).unwrap();
    archived.given_back().await;
    archived.follow();
    archived.insert(3);
    archived.caught_up().await;
    let coverage = Coverage::of(&archived.listing().await);
    assert_eq!((coverage.intervals.len(), coverage.gaps.len()), (1, 0), "{coverage:?}");
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2, 3]);
}

#[tokio::test]
async fn the_directory_of_a_store_is_moved_while_nobody_uses_it() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("first"), directory.path().join("second"));
    let stores = [open(&first), open(&first)];
    for (number, store) in stores.iter().enumerate() {
        store.create(&format!("a/{number}"), Bytes::from_static(b"x")).await.unwrap();
    }
    assert_eq!(stores[0].list("a").await.unwrap().len(), 2, "both use it");
    drop(stores);
    std::fs::rename(&first, &second).unwrap();
    let store = open(&second);
    store.create("a/2", Bytes::from_static(b"x")).await.unwrap();
    assert_eq!((store.list("a").await.unwrap().len(), store.directories("").await.unwrap()), (3, vec!["a".to_owned()]));
    drop(store);
    // One of an earlier release has no marker.
    std::fs::remove_file(second.join(".toygres-store")).unwrap();
    let store = open(&second);
    store.create("a/3", Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(store.list("a").await.unwrap().len(), 4);
    assert!(second.join(".toygres-store").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_point_is_not_less_than_the_archive_had() {
    let mut archived = Archived::create("").await;
    archived.back_up().await;
    archived.cluster.execute("INSERT INTO rows VALUES (1); SELECT pg_switch_wal()");
    archived.insert(2);
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    let status = archived.status.borrow().clone().unwrap();
    let known = KnownCoverage { at: status.covers.unwrap(), durable: status.durable };
    let (source, archive) = archived.layout.root().split_once('/').unwrap();
    let restoration = |target, known| Restoration {
        source: source.parse().unwrap(),
        archive: archive.parse().unwrap(),
        target,
        known,
        avoid: Vec::new(),
        clones: false,
    };
    let latest = restoration(Target::Latest, Some(known));
    let (_, plan) = find(archived.store.clone(), &latest).await.unwrap();

    let lost = *plan.segments.last().unwrap();
    let name = SegmentSize::DEFAULT.file_name(lost);
    let path = archived.directory.path().join("store").join(archived.layout.wal()).join(format!("{name}.zst"));
    std::fs::remove_file(&path).unwrap();
    let error = find(archived.store.clone(), &latest).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, BackupError::NotCovered { .. }) && error.reason().code == ReasonCode::NotRestorable, "{error}");
    let text = error.to_string();
    assert!(text.contains(&name) && text.contains(&known.durable.to_string()) && text.contains("what can: "), "{text}");
    // What is there can be chosen, and is the latest point once it is known that the rest is lost.
    let rest = Coverage::of(&archived.listing().await).intervals[0].to;
    find(archived.store.clone(), &restoration(Target::Time(rest), Some(known))).await.unwrap();
    find(archived.store.clone(), &restoration(Target::Latest, None)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_new_object_was_deleted_is_found() {
    let mut archived = Archived::create("").await;
    let backup = archived.back_up().await;
    for id in 1..4 {
        archived.cluster.execute(&format!("INSERT INTO rows VALUES ({id}); SELECT pg_switch_wal()"));
    }
    archived.insert(4);
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    let status = archived.status.borrow().clone().unwrap();
    let missing = async || find_missing(&archived.store, &archived.layout, (backup.timeline, backup.start), &status).await.unwrap();
    assert_eq!(missing().await, None);
    let store = archived.directory.path().join("store");
    let size = SegmentSize::DEFAULT;
    let (first, open) = (backup.start.0 / size.bytes(), status.durable.0 / size.bytes());
    assert!(open - first >= 3, "{first} to {open}");
    for number in first..=open {
        let segment = format!("{}/{}", archived.layout.wal(), size.file_name(Segment { timeline: status.timeline, number }));
        let objects = archived.store.list(&archived.layout.wal()).await.unwrap().into_iter().filter(|object| object.path.starts_with(&segment));
        let files: Vec<_> = objects.map(|object| store.join(object.path)).map(|file| (std::fs::read(&file).unwrap(), file)).collect();
        files.iter().for_each(|(_, file)| std::fs::remove_file(file).unwrap());
        assert_eq!(missing().await, Some(segment));
        files.iter().for_each(|(content, file)| std::fs::write(file, content).unwrap());
        assert_eq!(missing().await, None);
    }
    let description = store.join(archived.layout.description());
    std::fs::remove_file(&description).unwrap();
    assert_eq!(missing().await, Some(archived.layout.description()));
}
