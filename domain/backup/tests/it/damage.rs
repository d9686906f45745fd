//! Objects that are not what was written, and writers that are not the only ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use toygres_backup::{BackupError, RetentionPolicy, StoreErrorKind, Target, expire, find_archives, plan, record_instance};
use toygres_domain::{
    InstanceId,
    backup::BackupSettings,
    instance::{Exposure, HealthCheckPolicy, InstanceSpec, PostgresVersion},
    name::SqlName,
    parameter::Parameters,
    recovery::InstanceRecord,
    wal::SegmentSize,
};

use crate::archived::Archived;

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_object_is_found() {
    let mut archived = Archived::create("").await;
    archived.back_up().await;
    archived.cluster.execute("INSERT INTO rows SELECT generate_series(1, 100); SELECT pg_switch_wal()");
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    let needed = plan(&archived.listing().await, Target::Latest).unwrap().segments[0];
    let segment = format!("{}.zst", SegmentSize::DEFAULT.file_name(needed));
    for name in ["base.00000.tar.zst", "backup_manifest.zst", &segment] {
        let path = find(&archived.directory.path().join("store"), name);
        let content = std::fs::read(&path).unwrap();
        let mut changed = content.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(&path, changed).unwrap();
        let error = archived.restore(Target::Latest).await.map(|_| ()).unwrap_err();
        let found = matches!(&error, BackupError::Damaged(_)) || matches!(&error, BackupError::Store(error) if error.kind == StoreErrorKind::Damaged);
        assert!(found, "{name}: {error}");
        std::fs::write(&path, content).unwrap();
    }
    archived.restore(Target::Latest).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_has_one_writer_and_one_cluster() {
    let mut archived = Archived::create("").await;
    let mut second = Archived::create("").await;
    // Another process of the same instance.
    let original = std::mem::replace(&mut second.layout, archived.layout.clone());
    let (target, store, layout) = (archived.cluster.target(), archived.store.clone(), archived.layout.clone());
    let status = tokio::sync::watch::Sender::new(None);
    let stop = tokio_util::sync::CancellationToken::new();
    let refused = toygres_backup::follow(&target, store, layout, &archived.options(), &status, &stop).await.unwrap_err();
    assert!(matches!(refused, BackupError::AnotherWriter), "{refused}");
    // Another cluster, in the archive of the first.
    second.unfollow().await.unwrap();
    second.store = archived.store.clone();
    second.follow();
    let refused = second.failed().await;
    assert!(matches!(refused, BackupError::OtherCluster { .. }), "{refused}");
    let refused = second.try_back_up().await.unwrap_err();
    assert!(matches!(refused, BackupError::OtherCluster { .. }), "{refused}");
    second.layout = original;
    archived.unfollow().await.unwrap();
}

#[tokio::test]
async fn objects_are_created_but_never_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = toygres_backup::Store::open(&toygres_backup::StoreConfig::Directory(directory.path().to_owned())).unwrap();
    store.create("a/b", Bytes::from_static(b"one")).await.unwrap();
    store.create("a/b", Bytes::from_static(b"one")).await.unwrap();
    assert_eq!(store.create("a/b", Bytes::from_static(b"two")).await.unwrap_err().kind, StoreErrorKind::Conflict);
    assert_eq!(store.read("a/b").await.unwrap(), Bytes::from_static(b"one"));
    assert_eq!(store.list("a").await.unwrap().len(), 1);
    store.delete("a/b").await.unwrap();
    store.delete("a/b").await.unwrap();
    assert_eq!(store.read("a/b").await.unwrap_err().kind, StoreErrorKind::NotFound);
}

/// The first file whose name ends so.
fn find(directory: &Path, suffix: &str) -> PathBuf {
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.to_str().unwrap().ends_with(suffix) {
                return path;
            }
        }
    }
    panic!("no object ends with {suffix}");
}

/// The rest of the archive is as useful as before, and the files of the backup are not taken for the rest of one that was not finished.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_concerns_its_own_backup_alone() {
    let mut archived = Archived::create("").await;
    let intact = archived.back_up().await.id;
    archived.insert(1);
    let damaged = archived.back_up().await.id;
    archived.insert(2);
    archived.caught_up().await;
    archived.unfollow().await.unwrap();
    let record = |id| archived.directory.path().join("store").join(archived.layout.base_file(id, "backup.json"));
    let of_the_other = std::fs::read(record(intact)).unwrap();
    for content in [b"{".to_vec(), of_the_other] {
        std::fs::write(record(damaged), content).unwrap();
        let listing = archived.listing().await;
        assert_eq!(listing.backups.iter().map(|backup| backup.id).collect::<Vec<_>>(), [intact]);
        assert_eq!(listing.damaged.keys().collect::<Vec<_>>(), [&damaged]);
        for target in [Target::Latest, Target::Backup(intact)] {
            assert_eq!(plan(&listing, target).unwrap().backup.id, intact);
        }
        let refused = plan(&listing, Target::Backup(damaged)).unwrap_err();
        assert!(matches!(&refused, BackupError::Damaged(why) if why.contains("backup.json is damaged")), "{refused}");
        let policy = RetentionPolicy { keep_for: TimeDelta::zero(), locked: BTreeSet::new(), in_use: BTreeSet::new() };
        let expired = expire(&listing, &archived.layout, &policy, Utc::now() + TimeDelta::days(2));
        assert!(expired.iter().all(|path| archived.layout.parse_base(path).is_none()), "{expired:?}");
    }
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2]);
}

/// After the loss of everything else, what is wrong with one archive says nothing of the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_archive_hinders_the_import_of_no_other() {
    let mut archived = Archived::create("").await;
    archived.back_up().await;
    let other = archived.back_up().await.id;
    archived.unfollow().await.unwrap();
    record_instance(&archived.archive().await, &instance()).await.unwrap();
    let store = archived.directory.path().join("store");
    let root = archived.layout.root().to_owned();
    let (intact, archive) = root.split_once('/').unwrap();
    // Copies of the archive for other instances, each with a file that is replaced.
    let copy = |path: &str| {
        let id = InstanceId::generate();
        let copied = std::process::Command::new("cp").arg("-r").arg(store.join(intact)).arg(store.join(id.to_string())).status().unwrap();
        assert!(copied.success());
        std::fs::write(store.join(id.to_string()).join(archive).join(path), "{").unwrap();
        id
    };
    let base = |id: toygres_backup::BackupId| format!("base/{id}/backup.json");
    let [record, description, history] = ["instance/00000001.json", "archive.json", "wal/00000002.history.zst.age"].map(copy);
    let partly = copy(&base(other));
    let found = find_archives(&archived.store, &|_| false).await.unwrap();
    let ids: BTreeSet<_> = found.archives.iter().map(|archive| (archive.instance, archive.backups.len())).collect();
    assert_eq!(ids, [(intact.parse().unwrap(), 2), (partly, 1)].into());
    let unreadable: BTreeSet<_> = found.unreadable.iter().map(|(id, _)| *id).collect();
    assert_eq!(unreadable, [record, description, history].into());
    let why = |id| found.unreadable.iter().find(|(other, _)| *other == id).map(|(_, error)| error.to_string()).unwrap();
    assert!(why(record).contains("instance/") && why(history).contains("TOYGRES_BACKUP_AGE_IDENTITY"), "{found:?}");
    assert_eq!(found.damaged.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [partly]);
    // Of an instance with a second archive that cannot be read, the first is not imported alone: that may be the older one.
    let second = store.join(intact).join(toygres_backup::ArchiveId::generate().to_string());
    std::fs::create_dir(&second).unwrap();
    std::fs::write(second.join("archive.json"), "{").unwrap();
    let found = find_archives(&archived.store, &|id| id == partly).await.unwrap();
    assert_eq!((found.archives, found.unreadable.len()), (Vec::new(), 4));
}

fn instance() -> InstanceRecord {
    InstanceRecord {
        name: "orders".parse().unwrap(),
        spec: InstanceSpec {
            postgres_version: PostgresVersion(17),
            storage_gb: 1,
            cpu_millis: 100,
            memory_mb: 128,
            username: SqlName::role("app").unwrap(),
            database: SqlName::database("app").unwrap(),
            exposure: Exposure::Cluster,
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 1, timeout_seconds: 5 },
            parameters: Parameters::default(),
        },
        labels: BTreeMap::new(),
        backups: BackupSettings::default(),
        created_at: Utc::now(),
        deleted_at: None,
    }
}
