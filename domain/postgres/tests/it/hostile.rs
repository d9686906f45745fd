//! Hosted servers that are hostile: their owner makes them answer anything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use toygres_domain::{
    InstanceId,
    instance::{Reason, ReasonCode},
};
use toygres_postgres::{Answer, Measure, Prober, Target, check};

use crate::{
    fake_postgres::{FakePostgres, Script, accept_startup, authentication, message, row, welcome},
    server::{TIMEOUT, app, eventually},
};

/// Why the check of a server with this script fails.
async fn refusal(login: Vec<u8>, answer: Vec<u8>) -> Reason {
    let server = FakePostgres::start(Script { login, answer }).await;
    check(&server.target, TIMEOUT).await.expect_err("the check fails")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_shown_to_nobody_and_the_owner_is_told_what_to_change() {
    for (method, login) in [("clear text", authentication(3, b"")), ("MD5", authentication(5, b"salt")), ("GSSAPI", authentication(7, b""))] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = app(listener.local_addr().unwrap().port());
        let heard = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            accept_startup(&mut socket).await.unwrap();
            socket.write_all(&login).await.unwrap();
            let mut heard = Vec::new();
            let _ = socket.read_to_end(&mut heard).await;
            heard
        });
        let why = check(&target, TIMEOUT).await.unwrap_err();
        assert_eq!(why.code, ReasonCode::QueryFailed, "{method}: the credentials were not refused");
        for told in ["SCRAM", "pg_hba.conf", "password_encryption"] {
            assert!(why.message.contains(told), "{method}: {why:?}");
        }
        assert_eq!(heard.await.unwrap(), b"", "{method}: nothing is sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_hundred_megabytes_is_not_read() {
    let length = 100 * 1024 * 1024u32;
    let mut answer = vec![b'E'];
    answer.extend((length + 4).to_be_bytes());
    answer.resize(usize::try_from(length).unwrap(), b'x');
    let why = refusal(answer, Vec::new()).await;
    assert!(why.message.contains("too long") && why.message.len() < 200, "{why:?}");
    // Or in many small messages: an endless list of parameters.
    let parameter = message(b'S', &[&[b'a'; 500][..], &[0], &[b'b'; 498][..], &[0]].concat());
    let why = refusal([authentication(0, b""), parameter.repeat(100_000)].concat(), Vec::new()).await;
    assert!(why.message.contains("too much"), "{why:?}");
    // Or an endless answer.
    let values = message(b'D', &[&[0, 1, 0, 0, 0x03, 0xe8][..], &[b'f'; 1000][..]].concat());
    let endless = [message(b'T', &[&[0, 1, b'c', 0][..], &[0; 18][..]].concat()), values.repeat(100_000)].concat();
    let why = refusal(welcome(), endless).await;
    assert!(why.message.contains("too much"), "{why:?}");
}

/// The answer of a healthy server.
const HEALTHY: [&[u8]; 6] = [b"f", b"f", b"", b"f", b"f", b"1"];

/// Neither is the server healthy, nor does a check panic.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_answer_fails_the_check() {
    let server = FakePostgres::start(Script { login: welcome(), answer: row(&HEALTHY) }).await;
    check(&server.target, TIMEOUT).await.expect("this is what a healthy server answers");
    let answers: [&[&[u8]]; 11] = [
        &[b"\xff\xfe", b"f", b"", b"f", b"f", b"1"],
        &[b"f", b"\xff", b"", b"f", b"f", b"1"],
        &[b"f", b"f", b"\xff", b"f", b"f", b"1"],
        &[b"", b"f", b"", b"f", b"f", b"1"],
        &[b"no", b"f", b"", b"f", b"f", b"1"],
        &[b"f", b"f", b"", b"16", b"f", b"1"],
        &[b"f", b"f", b"", b"f", b"3", b"1"],
        &[b"f", b"f", b"", b"f", b"f", b"\xff"],
        &[b"f"],
        &[b"f", b"f"],
        &[],
    ];
    for columns in answers {
        let why = refusal(welcome(), row(columns)).await;
        assert_eq!(why.code, ReasonCode::ConnectionLost, "{columns:?}: {why:?}");
        assert!(why.message.contains("does not speak as PostgreSQL does"), "{columns:?}: {why:?}");
    }
}

/// The client library keeps parameters for as long as the session, so a kept session ends before they are many. What is sent between
/// two checks counts too.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_session_takes_a_limited_number_of_unasked_messages() {
    let parameters: Vec<_> = (0..400).map(|number| message(b'S', format!("name{number}\0value\0").as_bytes())).collect();
    let notice = message(b'N', b"SNOTICE\0C00000\0Mhello\0\0");
    let notification = message(b'A', b"\0\0\0\x01channel\0payload\0");
    for (kind, unasked) in [("parameters", parameters.concat()), ("notices", notice.repeat(400)), ("notifications", notification.repeat(400))] {
        let (prober, instance) = (running(1000), InstanceId::generate());
        let server = FakePostgres::start(Script { login: welcome(), answer: [row(&HEALTHY), unasked.clone()].concat() }).await;
        eventually(&format!("{kind}: the session has ended, and another was opened"), async || {
            let _ = ask(&prober.0, instance, &server.target).await;
            server.logins() > 1
        })
        .await;

        let flood = [welcome(), unasked.repeat(5)].concat();
        let server = FakePostgres::start(Script { login: flood, answer: row(&HEALTHY) }).await;
        let mut losses = prober.0.losses();
        let instance = InstanceId::generate();
        // The login may notice it already.
        if prober.0.log_in(instance, &server.target, TIMEOUT, Measure::NONE).await.is_ok() {
            assert_eq!(tokio::time::timeout(TIMEOUT, losses.next()).await.expect(kind), Some(instance));
        }
    }
}

/// The server chooses the number of SCRAM iterations, but the client limits how long it computes.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_two_thousand_million_iterations_is_not_computed() {
    let (target, _) = challenging(i32::MAX.unsigned_abs(), || ()).await;
    let why = check(&target, TIMEOUT).await.unwrap_err();
    assert!(why.code == ReasonCode::QueryFailed && why.message.contains("scram_iterations"), "{why:?}");
}

/// The thread of the runtime, which is the only one here, does other work meanwhile.
#[tokio::test]
async fn a_proof_is_computed_elsewhere() {
    // Computed on this thread, a proof leaves about 30 turns each time; computed elsewhere, thousands, unless others use the processors.
    let mut most = 0;
    for _ in 0..50 {
        most = most.max(turns_during_a_proof().await);
        if most > 500 {
            return;
        }
    }
    panic!("at most {most} turns of another task");
}

/// How often another task of the only thread had its turn while a proof was computed.
async fn turns_during_a_proof() -> u64 {
    let turns = Arc::new(AtomicU64::new(0));
    let counted = turns.clone();
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    });
    let (sent, seen) = (turns.clone(), turns.clone());
    let before = Arc::new(AtomicU64::new(0));
    let noted = before.clone();
    // The server has a thread of its own.
    let (target, answered) = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let challenging = runtime.block_on(challenging(100_000, move || noted.store(sent.load(Ordering::SeqCst), Ordering::SeqCst)));
        std::mem::forget(runtime);
        challenging
    })
    .join()
    .unwrap();
    let answered = tokio::spawn(async move {
        answered.await.unwrap();
        seen.load(Ordering::SeqCst)
    });
    let _ = check(&target, Duration::from_secs(60)).await.expect_err("the server ends the session");
    other.abort();
    answered.await.unwrap() - before.load(Ordering::SeqCst)
}

/// A server that challenges with this number of iterations, and ends the session when it gets the proof. Calls `challenges` right
/// before the challenge.
async fn challenging(iterations: u32, challenges: impl FnOnce() + Send + 'static) -> (Target, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = app(listener.local_addr().unwrap().port());
    let answered = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        accept_startup(&mut socket).await.unwrap();
        socket.write_all(&authentication(10, b"SCRAM-SHA-256\0\0")).await.unwrap();
        let first = client_message(&mut socket).await;
        let nonce = first.rsplit(|byte| *byte == b'=').next().unwrap();
        let challenge = format!("r={}more,s=c2FsdA==,i={iterations}", String::from_utf8_lossy(nonce));
        challenges();
        socket.write_all(&authentication(11, challenge.as_bytes())).await.unwrap();
        let _ = socket.read_u8().await;
    });
    (target, answered)
}

async fn client_message(socket: &mut TcpStream) -> Vec<u8> {
    socket.read_u8().await.unwrap();
    let mut body = vec![0; usize::try_from(socket.read_u32().await.unwrap()).unwrap() - 4];
    socket.read_exact(&mut body).await.unwrap();
    body
}

/// A prober that runs until it is dropped.
pub fn running(login_every: u32) -> (Prober, tokio_util::sync::DropGuard) {
    let (prober, shutdown) = (Prober::new(10, login_every), CancellationToken::new());
    tokio::spawn({
        let (prober, shutdown) = (prober.clone(), shutdown.clone());
        async move { prober.run(shutdown).await }
    });
    (prober, shutdown.drop_guard())
}

/// A check as the health check workflows do it.
pub async fn ask(prober: &Prober, instance: InstanceId, target: &Target) -> Result<Answer, Reason> {
    match prober.ask(instance, &target.endpoint, TIMEOUT, Measure::NONE).await {
        Some(outcome) => outcome,
        None => prober.log_in(instance, target, TIMEOUT, Measure::NONE).await,
    }
}
