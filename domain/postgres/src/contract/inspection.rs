//! The contract about what the control plane sees of an instance at once, and ends there: sessions, and the statistics of statements.

use std::time::{Duration, Instant};

use toygres_domain::{
    roles::{Credentials, DATABASE, PlatformCredentials},
    session::{ClientSession, SessionId, SessionState, SignalOutcome},
    statement_statistics::TopQueryOrder,
};

use super::owner::OwnedInstance;
use crate::{
    Logins, close,
    session::{Session, SessionError},
    sessions, statements,
};

const TIMEOUT: Duration = Duration::from_secs(10);
const SLEEP: &str = "SELECT pg_sleep(600)";
/// `query_canceled`.
const CANCELLED: &str = "57014";

/// Runs the checks on an instance.
pub(super) async fn check_inspection(instance: &OwnedInstance, platform: &PlatformCredentials) {
    let credentials = Credentials { owner: instance.password.clone(), platform: Some(platform.clone()) };
    let logins = Logins::new(instance.endpoint.clone(), &instance.spec, credentials, None);
    statements_are_canceled_and_sessions_ended(instance, &logins).await;
    sessions_of_the_platform_are_left_alone(&logins).await;
    statements_are_counted(instance, &logins).await;
}

async fn statements_are_canceled_and_sessions_ended(instance: &OwnedInstance, logins: &Logins) {
    let mut client = instance.log_in(instance.spec.database.as_str()).await;
    let running = tokio::spawn(async move {
        let outcome = client.execute(SLEEP).await;
        (client, outcome)
    });
    let seen = sleeping(logins).await;
    assert_eq!((seen.username.as_deref(), seen.state), (Some(instance.spec.username.as_str()), Some(SessionState::Active)), "{seen:?}");
    assert_eq!((seen.wait_event_type.as_deref(), seen.wait_event.as_deref()), (Some("Timeout"), Some("PgSleep")), "{seen:?}");
    assert!(seen.statement_seconds.is_some() && seen.transaction_seconds.is_some(), "{seen:?}");
    let cancel = async |id| sessions::cancel(logins, id, TIMEOUT).await.expect("the server answers");
    let terminate = async |id| sessions::terminate(logins, id, TIMEOUT).await.expect("the server answers");
    let another = SessionId { started_micros: seen.id.started_micros + 1, ..seen.id };
    assert_eq!((cancel(another).await, terminate(another).await), (SignalOutcome::Gone, SignalOutcome::Gone), "its process was used again");
    assert_eq!(cancel(seen.id).await, SignalOutcome::Sent { ended: false });
    let (mut client, outcome) = tokio::time::timeout(TIMEOUT, running).await.expect("it is cancelled").expect("it does not panic");
    assert!(matches!(&outcome, Err(SessionError::Server(code, _)) if code == CANCELLED), "{outcome:?}");
    client.execute("SELECT 1").await.expect("the session goes on");
    assert_eq!(cancel(seen.id).await, SignalOutcome::RunsNothing);
    assert_eq!(terminate(seen.id).await, SignalOutcome::Sent { ended: true });
    client.lost().await;
    assert_eq!(terminate(seen.id).await, SignalOutcome::Gone);
}

/// The session that sleeps.
async fn sleeping(logins: &Logins) -> ClientSession {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let all = sessions::list(logins, 100, TIMEOUT).await.expect("the server answers");
        if let Some(seen) = all.sessions.iter().find(|session| session.statement.as_deref() == Some(SLEEP)) {
            return seen.clone();
        }
        assert!(Instant::now() < deadline, "it is not seen: {all:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn sessions_of_the_platform_are_left_alone(logins: &Logins) {
    let mut monitor = Session::log_in(&logins.reader, DATABASE, "toygres-contract").await.expect("the monitor logs in");
    let own = "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::bigint FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let [pid, started] = monitor.row(own).await.expect("it sees itself");
    let number = |text: Option<String>| text.and_then(|text| text.parse::<i64>().ok()).expect("it is a number");
    let id = SessionId { pid: i32::try_from(number(pid)).expect("it is small"), started_micros: number(started) };
    for outcome in [sessions::cancel(logins, id, TIMEOUT).await, sessions::terminate(logins, id, TIMEOUT).await] {
        assert_eq!(outcome, Ok(SignalOutcome::OfPlatform));
    }
    let all = sessions::list(logins, 100, TIMEOUT).await.expect("the server answers");
    assert!(all.sessions.iter().all(|session| session.id.pid != id.pid), "{all:?}");
    monitor.execute("SELECT 1").await.expect("it goes on");
    close(Some(monitor)).await;
}

async fn statements_are_counted(instance: &OwnedInstance, logins: &Logins) {
    let top = async || statements::top(logins, TopQueryOrder::Calls, 100, TIMEOUT).await.expect("the server has statistics");
    top().await;
    let mut client = instance.log_in(instance.spec.database.as_str()).await;
    // The name of a column is not part of what makes a statement another one.
    for number in 1..=3 {
        client.execute(&format!("SELECT count(*) FROM generate_series(1, {number})")).await.expect("it is valid");
    }
    close(Some(client)).await;
    let seen = top().await;
    let text = "SELECT count(*) FROM generate_series($1, $2)";
    let counted = seen.queries.iter().find(|query| query.text == text).unwrap_or_else(|| panic!("it is not among {seen:#?}"));
    assert_eq!((counted.calls, counted.rows), (3, 3));
    assert_eq!(
        (counted.username.as_deref(), counted.database.as_deref()),
        (Some(instance.spec.username.as_str()), Some(instance.spec.database.as_str()))
    );
    assert!(seen.queries.iter().all(|query| query.username.as_deref().is_some_and(|name| !name.starts_with("toygres"))), "{seen:?}");
}
