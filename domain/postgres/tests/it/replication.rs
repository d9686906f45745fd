//! The replication client, with a real server and with hostile ones.

use std::time::Duration;

use bytes::Bytes;
use toygres_domain::wal::{Lsn, Timeline};
use toygres_postgres::{
    Target,
    replication::{BackupData, ReplicationConnection, ReplicationError, SlotName, WalMessage},
};

use crate::{
    fake_postgres::{FakePostgres, Script, authentication, message, ready, row, welcome},
    server::{Server, app, eventually},
};

const TIMEOUT: Duration = Duration::from_secs(20);

fn slot() -> SlotName {
    SlotName::try_from("archive".to_owned()).unwrap()
}

/// A server whose role `app` may replicate.
async fn source() -> (Server, Target) {
    let (server, target) = Server::start().await;
    let rules = std::fs::read_to_string(server.file("pg_hba.conf")).unwrap();
    std::fs::write(server.file("pg_hba.conf"), format!("host replication app 127.0.0.1/32 scram-sha-256\n{rules}")).unwrap();
    server.execute("ALTER ROLE app REPLICATION");
    server.execute("SELECT pg_reload_conf()");
    (server, target)
}

/// Each is one that an owner may set for the whole server.
#[tokio::test(flavor = "multi_thread")]
async fn settings_of_the_owner_do_not_end_a_connection() {
    let (server, target) = source().await;
    for setting in ["idle_session_timeout", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "tcp_user_timeout"] {
        server.execute(&format!("ALTER SYSTEM SET {setting} = '1ms'"));
    }
    // The sessions of this test would end too.
    server.execute("ALTER ROLE postgres SET idle_session_timeout = 0; ALTER ROLE postgres SET statement_timeout = 0; SELECT pg_reload_conf()");
    eventually("the settings apply", async || server.execute("SHOW lock_timeout") == "1ms").await;
    let mut connection = ReplicationConnection::connect(&target, TIMEOUT).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    for setting in ["idle_session_timeout", "tcp_user_timeout"] {
        assert_eq!(connection.show(setting).await.unwrap(), "0", "{setting}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wal_is_streamed_and_kept_until_it_is_confirmed() {
    let (server, target) = source().await;
    let wrong = Target { password: toygres_domain::secret::Secret::new("wrong".to_owned()), ..target.clone() };
    let refused = ReplicationConnection::connect(&wrong, TIMEOUT).await.map(drop).unwrap_err();
    assert!(matches!(&refused, ReplicationError::Server { sqlstate, .. } if sqlstate == "28P01"), "{refused}");

    let mut connection = ReplicationConnection::connect(&target, TIMEOUT).await.unwrap();
    let identity = connection.identify_system().await.unwrap();
    assert_eq!(identity.timeline, Timeline(1));
    assert_eq!(identity.system_identifier.to_string(), server.execute("SELECT system_identifier FROM pg_control_system()"));
    assert_eq!(connection.show("wal_segment_size").await.unwrap(), "16MB");
    assert!(connection.show("x; DROP TABLE y").await.is_err());
    assert_eq!(connection.read_slot(&slot()).await.unwrap(), None);
    connection.create_slot(&slot()).await.unwrap();
    let exists = connection.create_slot(&slot()).await.unwrap_err();
    assert!(matches!(&exists, ReplicationError::Server { sqlstate, .. } if sqlstate == "42710"), "{exists}");
    let (timeline, restart) = connection.read_slot(&slot()).await.unwrap().unwrap().restart.unwrap();

    let start = Lsn(restart.0 - restart.0 % (16 << 20));
    let mut stream = connection.start_replication(Some(&slot()), start, timeline).await.unwrap();
    let second = ReplicationConnection::connect(&target, TIMEOUT).await.unwrap();
    let used = second.start_replication(Some(&slot()), start, timeline).await.map(drop).unwrap_err();
    assert!(matches!(&used, ReplicationError::Server { sqlstate, .. } if sqlstate == "55006"), "{used}");

    server.execute("CREATE TABLE streamed AS SELECT generate_series(1, 100000) AS number");
    let end: Lsn = server.execute("SELECT pg_current_wal_flush_lsn()").parse().unwrap();
    let mut received = start;
    while received < end {
        if let WalMessage::Data { start, data, flushed, .. } = stream.next().await.unwrap() {
            assert_eq!(start, received);
            received = Lsn(received.0 + data.len() as u64);
            assert!(flushed >= received);
        }
    }
    let confirmed = || server.execute("SELECT restart_lsn FROM pg_replication_slots").parse::<Lsn>().unwrap();
    stream.confirm(received, restart, true).await.unwrap();
    while !matches!(stream.next().await.unwrap(), WalMessage::Keepalive { .. }) {}
    assert_eq!(confirmed(), restart, "what is only received is not confirmed");
    stream.confirm(received, received, true).await.unwrap();
    while !matches!(stream.next().await.unwrap(), WalMessage::Keepalive { .. }) {}
    assert_eq!(confirmed(), received);
    stream.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_backup_is_one_archive_and_its_manifest() {
    let (server, target) = source().await;
    let connection = ReplicationConnection::connect(&target, TIMEOUT).await.unwrap();
    let mut backup = connection.base_backup("label-1").await.unwrap();
    let (start, mut archive, mut manifest) = (backup.start(), Vec::new(), Vec::new());
    while let Some(data) = backup.next().await.unwrap() {
        match data {
            BackupData::Archive(bytes) => archive.extend(bytes),
            BackupData::Manifest(bytes) => manifest.extend(bytes),
        }
    }
    assert!(backup.estimated_bytes().unwrap() > 1 << 20);
    let (mut connection, end) = backup.finish().await.unwrap();
    assert!(end.lsn > start && end.timeline == Timeline(1));
    // A tar archive: the name of the first file, and the magic number.
    assert!(archive.starts_with(b"backup_label\0") && &archive[257..262] == b"ustar");
    assert!(manifest.starts_with(b"{ \"PostgreSQL-Backup-Manifest-Version\""));
    assert_eq!(connection.identify_system().await.unwrap().timeline, Timeline(1), "the connection can be used on");
    let before = server.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").parse::<i64>().unwrap();
    let time = connection.server_time().await.unwrap().timestamp_micros();
    let after = server.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint").parse::<i64>().unwrap();
    assert!((before..=after).contains(&time), "{before} {time} {after}");
}

/// Why replication from a server with this script fails.
async fn refusal(login: Vec<u8>, answer: Vec<u8>) -> String {
    let server = FakePostgres::start(Script { login, answer }).await;
    let attempt = async {
        let mut connection = ReplicationConnection::connect(&server.target, Duration::from_secs(5)).await?;
        connection.identify_system().await
    };
    attempt.await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_server_is_refused() {
    let clear_text = refusal(authentication(3, b""), Vec::new()).await;
    assert!(clear_text.contains("SCRAM"), "{clear_text}");
    let long = refusal(welcome(), [b"D".as_slice(), &(2_u32 << 20).to_be_bytes()].concat()).await;
    assert!(long.contains("too long"), "{long}");
    let short = refusal(welcome(), b"D\0\0\0\x03".to_vec()).await;
    assert!(short.contains("too short"), "{short}");
    let many = refusal(welcome(), row(&[&[b'x'; 60_000]])).await;
    assert!(many.contains("IDENTIFY_SYSTEM"), "{many}");
    let endless: Vec<u8> = message(b'D', &[[0, 1].as_slice(), &60_000_u32.to_be_bytes(), &[b'x'; 60_000]].concat()).repeat(40);
    let endless = refusal(welcome(), endless).await;
    assert!(endless.contains("too much"), "{endless}");
    let unasked = refusal([welcome(), ready()].concat(), ready()).await;
    assert!(unasked.contains("PostgreSQL") || unasked.contains("nobody asked"), "{unasked}");
    for garbage in [message(b'D', b"\0\x05"), message(b'W', b"\0\0\0"), message(b'?', b"x"), message(b'E', b"garbage"), vec![0; 100]] {
        refusal(welcome(), garbage).await;
    }
    // Nobody listens.
    let nobody = ReplicationConnection::connect(&app(1), TIMEOUT).await.map(drop).unwrap_err();
    assert!(matches!(&nobody, ReplicationError::Connection(_)), "{nobody}");
}

/// A server answers the question for its time although it has ended the stream meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_the_end_of_a_timeline_is_no_error() {
    let keepalive = message(b'd', &[b"k".as_slice(), &16_u64.to_be_bytes(), &0_i64.to_be_bytes(), &[0]].concat());
    let answer = [message(b'W', &[0, 0, 0]), message(b'c', b""), keepalive, row(&[b"2".as_slice(), b"0/13"])].concat();
    let server = FakePostgres::start(Script { login: welcome(), answer }).await;
    let connection = ReplicationConnection::connect(&server.target, TIMEOUT).await.unwrap();
    let mut stream = connection.start_replication(None, Lsn(16), Timeline(1)).await.unwrap();
    assert_eq!(stream.next().await.unwrap(), WalMessage::EndOfTimeline);
    let (_, timeline, begin) = stream.finish().await.unwrap();
    assert_eq!((timeline, begin), (Timeline(2), Lsn(0x13)));
}

/// A stream of a server with this script fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_a_hole_is_refused() {
    let data = |start: u64| message(b'd', &[b"w".as_slice(), &start.to_be_bytes(), &[0; 16], b"wal"].concat());
    let answer = [message(b'W', &[0, 0, 0]), data(16), data(19), data(99)].concat();
    let server = FakePostgres::start(Script { login: welcome(), answer }).await;
    let connection = ReplicationConnection::connect(&server.target, TIMEOUT).await.unwrap();
    let mut stream = connection.start_replication(None, Lsn(16), Timeline(1)).await.unwrap();
    for start in [16, 19] {
        let next = stream.next().await.unwrap();
        assert!(matches!(&next, WalMessage::Data { start: Lsn(at), data, .. } if *at == start && *data == Bytes::from_static(b"wal")), "{next:?}");
    }
    let error = stream.next().await.unwrap_err().to_string();
    assert!(error.contains("does not follow"), "{error}");
}
