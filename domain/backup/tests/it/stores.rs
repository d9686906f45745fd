//! Stores over the network: real servers, by way of a proxy that fails as it is told to.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use toygres_backup::{AzureCredentials, BackupError, Coverage, S3Credentials, Store, StoreConfig, StoreErrorKind, Target};
use toygres_domain::secret::Secret;

use crate::{
    archived::{Archived, has_caught_up},
    azurite::{self, Azurite},
    cluster::eventually,
    proxy::{Fault, Proxy},
    s3_server::{self, S3Server},
};

fn s3(endpoint: &str, bucket: &str, key: &str, secret: &str) -> Store {
    let credentials = S3Credentials { access_key_id: key.to_owned(), secret_access_key: Secret::new(secret.to_owned()) };
    let (bucket, region) = (bucket.to_owned(), "eu-central-1".to_owned());
    Store::open(&StoreConfig::S3 { bucket, region, endpoint: Some(endpoint.to_owned()), credentials: Some(credentials) }).unwrap()
}

fn azure(endpoint: &str, container: &str, key: &str) -> Store {
    let credentials = AzureCredentials::AccountKey(Secret::new(key.to_owned()));
    let (account, container) = (azurite::ACCOUNT.to_owned(), container.to_owned());
    Store::open(&StoreConfig::Azure { account, container, endpoint: Some(endpoint.to_owned()), credentials }).unwrap()
}

fn right_s3(endpoint: &str) -> Store {
    s3(endpoint, s3_server::BUCKET, s3_server::ACCESS_KEY, s3_server::SECRET_KEY)
}

fn right_azure(endpoint: &str) -> Store {
    azure(endpoint, azurite::CONTAINER, azurite::KEY)
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_created_once_in_s3() {
    let server = S3Server::start().await;
    let proxy = Proxy::start(server.endpoint()).await;
    objects_are_created_once(&right_s3(proxy.endpoint()), &proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_created_once_in_azure() {
    let server = Azurite::start().await;
    let proxy = Proxy::start(server.endpoint()).await;
    objects_are_created_once(&right_azure(proxy.endpoint()), &proxy).await;
}

async fn objects_are_created_once(store: &Store, proxy: &Proxy) {
    store.create("a/b.zst", Bytes::from_static(b"one")).await.unwrap();
    store.create("a/b.zst", Bytes::from_static(b"one")).await.unwrap();
    let conflict = store.create("a/b.zst", Bytes::from_static(b"two")).await.unwrap_err();
    assert_eq!(conflict.kind, StoreErrorKind::Conflict, "{conflict}");
    assert_eq!(store.read("a/b.zst").await.unwrap(), Bytes::from_static(b"one"));
    // Short interruptions are not noticed, wherever they come.
    let content = Bytes::from(vec![7; 100_000]);
    for (number, fault) in [Fault::Status(503), Fault::UploadInterrupted, Fault::AnswerLost, Fault::Away].into_iter().enumerate() {
        proxy.fail(fault, 2);
        store.create(&format!("c/{number}"), content.clone()).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(store.read(&format!("c/{number}")).await.unwrap(), content, "{fault:?}");
    }
    assert_eq!(proxy.failed(), 8);
    let listed: Vec<_> = store.list("c").await.unwrap().into_iter().map(|object| (object.path, object.bytes)).collect();
    assert_eq!(listed, (0..4).map(|number| (format!("c/{number}"), 100_000)).collect::<Vec<_>>());

    // One of several writers creates it, and the others are told.
    let writers = (0..8_u8).map(|writer| store.create("contended", Bytes::from(vec![writer; 1000])));
    let created: Vec<_> = futures::future::join_all(writers).await.into_iter().map(|outcome| outcome.map_err(|error| error.kind)).collect();
    assert_eq!(created.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{created:?}");
    assert!(created.iter().all(|outcome| matches!(outcome, Ok(()) | Err(StoreErrorKind::Conflict))), "{created:?}");
    let winner = created.iter().position(Result::is_ok).unwrap();
    assert_eq!(store.read("contended").await.unwrap()[0], winner as u8);

    store.delete("a/b.zst").await.unwrap();
    store.delete("a/b.zst").await.unwrap();
    assert_eq!(store.read("a/b.zst").await.unwrap_err().kind, StoreErrorKind::NotFound);
    store.delete_all("c").await.unwrap();
    assert_eq!(store.list("c").await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_one_sentence_that_names_the_setting() {
    let (server, emulator) = (S3Server::start().await, Azurite::start().await);
    let at = server.endpoint();
    let s3_settings = "TOYGRES_BACKUP_S3_ACCESS_KEY_ID and TOYGRES_BACKUP_S3_SECRET_ACCESS_KEY";
    let denied = |code: &str, settings: &str| format!("it denies access (403 Forbidden, {code}); check {settings}");
    let missing = |code: &str| format!("there is no such bucket or container (404 Not Found, {code}); check TOYGRES_BACKUP_STORE");
    let (bucket, key, secret) = (s3_server::BUCKET, s3_server::ACCESS_KEY, s3_server::SECRET_KEY);
    let (container, wrong) = (azurite::CONTAINER, "dGhlIHdyb25nIGtleQ==");
    for (store, kind, expected) in [
        (
            s3(at, bucket, key, "do not show"),
            StoreErrorKind::Denied,
            format!("S3 bucket bucket at {at}: {}", denied("SignatureDoesNotMatch", s3_settings)),
        ),
        (
            s3(at, bucket, "ANOTHER", "do not show"),
            StoreErrorKind::Denied,
            format!("S3 bucket bucket at {at}: {}", denied("NotSignedUp", s3_settings)),
        ),
        (s3(at, "another", key, secret), StoreErrorKind::Configuration, format!("S3 bucket another at {at}: {}", missing("NoSuchBucket"))),
        (
            azure(emulator.endpoint(), container, wrong),
            StoreErrorKind::Denied,
            format!("Azure container archives of account: {}", denied("AuthorizationFailure", "TOYGRES_BACKUP_AZURE_SECRET_KEY")),
        ),
        (
            azure(emulator.endpoint(), "another", azurite::KEY),
            StoreErrorKind::Configuration,
            format!("Azure container another of account: {}", missing("ContainerNotFound")),
        ),
    ] {
        let mut outcomes = vec![store.check().await];
        // `s3s-fs` makes a bucket that is not there.
        if kind == StoreErrorKind::Denied {
            outcomes.extend([store.read("a").await.map(drop), store.create("a", Bytes::from_static(b"x")).await]);
        }
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind, error.to_string()), (kind, expected.clone()));
        }
    }
}

#[test]
fn a_key_that_is_none_is_refused_before_any_request() {
    let credentials = AzureCredentials::AccountKey(Secret::new("do not show".to_owned()));
    let (account, container) = ("account".to_owned(), "archives".to_owned());
    let config = StoreConfig::Azure { account, container, endpoint: None, credentials };
    let azure = Store::open(&config).unwrap_err();
    let google = StoreConfig::Google { bucket: "bucket".to_owned(), service_account_key: Some(Secret::new("{\"do\": \"not show\"}".to_owned())) };
    let google = Store::open(&google).unwrap_err();
    for (error, setting) in [(azure, "TOYGRES_BACKUP_AZURE_SECRET_KEY"), (google, "TOYGRES_BACKUP_GOOGLE_KEY_FILE")] {
        let text = error.to_string();
        assert_eq!(error.kind, StoreErrorKind::Configuration);
        assert!(text.ends_with(&format!("; check {setting}")) && !text.contains("show"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_in_s3_is_restored_whatever_the_store_does() {
    let server = S3Server::start().await;
    let proxy = Proxy::start(server.endpoint()).await;
    let lasting = [(Fault::Status(403), StoreErrorKind::Denied), (Fault::UploadInterrupted, StoreErrorKind::Unavailable)];
    is_restored(right_s3(proxy.endpoint()), &proxy, lasting).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_in_azure_is_restored_whatever_the_store_does() {
    let server = Azurite::start().await;
    let proxy = Proxy::start(server.endpoint()).await;
    let lasting = [(Fault::Status(503), StoreErrorKind::Unavailable), (Fault::AnswerLost, StoreErrorKind::Unavailable)];
    is_restored(right_azure(proxy.endpoint()), &proxy, lasting).await;
}

/// The store fails for longer than a request is repeated, then for a moment, and then it is slow.
async fn is_restored(store: Store, proxy: &Proxy, lasting: [(Fault, StoreErrorKind); 2]) {
    let mut archived = Archived::with_store("", tempfile::tempdir().unwrap(), store);
    archived.follow();
    archived.caught_up().await;
    archived.back_up().await;
    let archive = archived.archive().await;
    let mut ids = 0..;
    let mut insert = |archived: &Archived| archived.insert(ids.next().unwrap());
    for (fault, kind) in lasting {
        proxy.fail_always(fault);
        let durable = archived.status.borrow().clone().unwrap().durable;
        insert(&archived);
        for error in [archived.failed().await, archived.try_back_up_into(&archive).await.unwrap_err()] {
            assert!(matches!(&error, BackupError::Store(error) if error.kind == kind), "{fault:?}: {error}");
        }
        assert_eq!(archived.status.borrow().as_ref().unwrap().durable, durable, "{fault:?}");
        proxy.recover();
        archived.follow();
        archived.caught_up().await;
    }
    for fault in [Fault::Status(503), Fault::UploadInterrupted, Fault::AnswerLost] {
        let failed = proxy.failed();
        proxy.fail(fault, 1);
        insert(&archived);
        archived.caught_up().await;
        assert_eq!(proxy.failed(), failed + 1, "{fault:?}");
    }
    proxy.fail_always(Fault::Slow(Duration::from_millis(200)));
    insert(&archived);
    archived.back_up().await;
    insert(&archived);
    archived.caught_up().await;
    proxy.recover();
    assert!(archived.is_following());
    assert_eq!(Coverage::of(&archived.listing().await).intervals.len(), 1);
    assert_eq!(archived.restored_ids(Target::Latest).await, [0, 1, 2, 3, 4, 5, 6]);
}

/// Two workers that both believe to own the archive follow it and take base backups, and are killed in turn.
#[tokio::test(flavor = "multi_thread")]
async fn two_workers_at_once_do_no_harm() {
    let mut random = fastrand::Rng::new();
    println!("seed {}", random.get_seed());
    let server = S3Server::start().await;
    let mut one = Archived::with_store("", tempfile::tempdir().unwrap(), right_s3(server.endpoint()));
    one.follow();
    one.caught_up().await;
    let mut ids = Vec::new();
    let mut backups = BTreeSet::new();
    for id in 0..10 {
        // The other one begins while the first one still follows, and goes on when it is killed.
        let (target, store, layout, options) = (one.cluster.target(), one.store.clone(), one.layout.clone(), one.options());
        let status = one.status.clone();
        let other = tokio::spawn(async move {
            loop {
                match toygres_backup::follow(&target, store.clone(), layout.clone(), &options, &status, &Default::default()).await {
                    Err(BackupError::AnotherWriter) => tokio::time::sleep(Duration::from_millis(20)).await,
                    outcome => return outcome,
                }
            }
        });
        one.insert(id);
        ids.push(id);
        tokio::time::sleep(Duration::from_millis(random.u64(..400))).await;
        one.kill_follower().await;
        if id % 3 == 0 {
            let both = tokio::join!(one.try_back_up(), one.try_back_up());
            backups.extend([both.0.unwrap().id, both.1.unwrap().id]);
        }
        one.caught_up().await;
        other.abort();
        let _ = other.await;
        // The server may not have noticed yet that the connection is gone.
        let (lsn, time) = (one.lsn(), one.time());
        eventually("it is followed again", async || {
            if !one.is_following() {
                one.kill_follower().await;
                one.follow();
            }
            has_caught_up(one.status.borrow().as_ref(), lsn, time)
        })
        .await;
    }
    let listing = one.listing().await;
    assert_eq!(listing.backups.iter().map(|backup| backup.id).collect::<BTreeSet<_>>(), backups);
    let coverage = Coverage::of(&listing);
    assert_eq!((coverage.intervals.len(), coverage.gaps.len()), (1, 0), "{coverage:?}");
    assert_eq!(one.restored_ids(Target::Latest).await, ids);
}

/// The store is away for longer than the server keeps WAL for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_for_too_long_costs_a_gap_but_not_the_disk() {
    const KEPT_MB: i64 = 32;
    let server = S3Server::start().await;
    let proxy = Proxy::start(server.endpoint()).await;
    let settings = format!("max_slot_wal_keep_size = '{KEPT_MB}MB'");
    let mut archived = Archived::with_store(&settings, tempfile::tempdir().unwrap(), right_s3(proxy.endpoint()));
    archived.follow();
    archived.caught_up().await;
    archived.back_up().await;
    archived.insert(1);
    // What the follower alone knows is lost with it.
    let time = archived.time();
    eventually("the objects cover it", async || {
        Coverage::of(&archived.listing().await.with_status(None)).intervals.last().is_some_and(|interval| interval.to >= time)
    })
    .await;
    proxy.fail_always(Fault::Away);
    archived.cluster.execute("CREATE TABLE filler (text text)");
    // The limits of WAL in `Cluster::create`, the segments of a checkpoint that is in progress, and the one that is being written.
    let limit_mb = KEPT_MB + 64 + 48;
    let lost = "SELECT wal_status = 'lost' FROM pg_replication_slots";
    eventually("the slot is lost", async || {
        archived.cluster.execute("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 10000); SELECT pg_switch_wal()");
        archived.cluster.execute("CHECKPOINT");
        let used: i64 = archived.cluster.execute("SELECT sum(size)::bigint >> 20 FROM pg_ls_waldir()").parse().unwrap();
        assert!(used <= limit_mb, "{used} MB of WAL");
        archived.cluster.execute(lost) == "t"
    })
    .await;
    archived.insert(2);
    let error = archived.failed().await;
    println!("it has ended with: {error}");
    proxy.recover();
    archived.follow();
    archived.back_up().await;
    archived.caught_up().await;
    let coverage = Coverage::of(&archived.listing().await);
    assert_eq!((coverage.intervals.len(), coverage.gaps.len()), (2, 1), "{coverage:?}");
    assert_eq!(coverage.gaps[0].reason, toygres_backup::GapReason::SlotLost);
    assert_eq!(archived.restored_ids(Target::Time(coverage.intervals[0].to)).await, [1]);
    assert_eq!(archived.restored_ids(Target::Latest).await, [1, 2]);
}
