//! When there is a notice: the thresholds, and what is told to people. A message stays the same as long as its cause does, because each change
//! of it is an event.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::NoticeCode;
use crate::{backup::Archive, parameter::Parameters};

/// Percent of the connections that clients can have from which on there is a notice, and below which it goes.
const CONNECTIONS_HIGH: i64 = 90;
const CONNECTIONS_LOW: i64 = 80;
/// The age of the oldest transaction or multixact from which on there is a notice. VACUUM should have begun at 200 and 400 million
/// (`autovacuum_freeze_max_age`, `autovacuum_multixact_freeze_max_age`); at about 2.1 billion the server assigns no more of them.
const OLDEST: i64 = 1_000_000_000;
/// How long a transaction may be idle.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// How long what is committed may not be archived, and how long the first base backup may take to be begun and completed.
const NOT_ARCHIVED: TimeDelta = TimeDelta::minutes(15);
const NO_BACKUP: TimeDelta = TimeDelta::hours(24);

/// What a server tells that can become an outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// The sessions of clients.
    pub connections: i64,
    /// How many clients can have.
    pub max_connections: i64,
    /// The database with the oldest transaction or multixact that is not frozen, and its age. `None` if that is not known.
    pub oldest: Option<(String, i64)>,
    /// The transaction of a client that has been idle for the longest time.
    pub idle_transaction: Option<IdleTransaction>,
}

/// A transaction that waits for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleTransaction {
    /// The process ID of its session.
    pub process_id: i64,
    /// The role of its session.
    pub user: String,
    /// The database of its session.
    pub database: String,
    /// By the clock of the server.
    pub since: DateTime<Utc>,
    /// For how long.
    pub lasted: Duration,
}

impl Vitals {
    /// The notices that they are about, each with its message or `None` if there is no reason for it. `has` says which there are now.
    pub fn notices(&self, has: impl Fn(NoticeCode) -> bool) -> [(NoticeCode, Option<String>); 3] {
        let Self { connections, max_connections, oldest, idle_transaction } = self;
        let threshold = if has(NoticeCode::ConnectionsHigh) { CONNECTIONS_LOW } else { CONNECTIONS_HIGH };
        let is_high = connections.saturating_mul(100) >= max_connections.saturating_mul(threshold);
        let connections = is_high.then(|| {
            format!(
                "nearly all of the {max_connections} connections that clients can have are in use: close those that are not needed, pool them, or \
                 raise max_connections"
            )
        });
        let wraparound = oldest.as_ref().filter(|(_, age)| *age >= OLDEST).map(|(database, _)| {
            format!(
                "database {database} has transactions that are more than {} million transactions old and not frozen; at about 2100 million the \
                 server takes no more writes: run VACUUM (FREEZE) in it, and end what holds it up, such as long or prepared transactions",
                OLDEST / 1_000_000
            )
        });
        let idle = idle_transaction.as_ref().filter(|idle| idle.lasted >= IDLE).map(|idle| {
            let IdleTransaction { process_id, user, database, since, lasted: _ } = idle;
            format!(
                "session {process_id} of {user} in database {database} has been idle in a transaction since {}, which keeps its locks and holds up \
                 VACUUM: end it (terminateSession), or set idle_in_transaction_session_timeout",
                since.format("%Y-%m-%d %H:%M:%S UTC")
            )
        });
        [(NoticeCode::ConnectionsHigh, connections), (NoticeCode::WraparoundNear, wraparound), (NoticeCode::IdleTransaction, idle)]
    }
}

/// The message of [`NoticeCode::PendingRestart`], if parameters wait for a restart.
#[must_use]
pub fn pending_restart(parameters: &Parameters) -> Option<String> {
    let names: Vec<_> = parameters.pending.keys().map(String::as_str).collect();
    (!names.is_empty()).then(|| format!("changes of parameters take effect at the next restart (restartInstance): {}", names.join(", ")))
}

/// The message of [`NoticeCode::NotBackedUp`], if the instance of an archive is to be backed up and is not.
#[must_use]
pub fn not_backed_up(archive: &Archive, now: DateTime<Utc>) -> Option<String> {
    let Archive { created_at, failure, .. } = archive;
    if let Some((_, since)) = failure
        && *since + NOT_ARCHIVED <= now
    {
        let since = since.format("%Y-%m-%d %H:%M UTC");
        return Some(format!("what is committed has not been archived since {since}: backupPolicy.reason says why"));
    }
    (archive.intervals().is_empty() && *created_at + NO_BACKUP <= now).then(|| {
        let since = created_at.format("%Y-%m-%d %H:%M UTC");
        format!("there is no complete base backup, although backups began on {since}: the failed ones in backups say why")
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        InstanceId,
        backup::{ArchiveId, Coverage, CoveredInterval},
        instance::{Reason, ReasonCode},
        wal::Lsn,
    };

    const CALM: Vitals = Vitals { connections: 0, max_connections: 100, oldest: None, idle_transaction: None };

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    fn codes(vitals: &Vitals, present: &[NoticeCode]) -> Vec<NoticeCode> {
        let notices = vitals.notices(|code| present.contains(&code));
        notices.into_iter().filter_map(|(code, message)| message.map(|_| code)).collect()
    }

    #[test]
    fn a_notice_about_connections_stays_until_there_are_clearly_fewer() {
        let with = |connections| Vitals { connections, ..CALM };
        assert_eq!(codes(&with(89), &[]), []);
        assert_eq!(codes(&with(90), &[]), [NoticeCode::ConnectionsHigh]);
        assert_eq!(codes(&with(80), &[NoticeCode::ConnectionsHigh]), [NoticeCode::ConnectionsHigh]);
        assert_eq!(codes(&with(79), &[NoticeCode::ConnectionsHigh]), []);
    }

    #[test]
    fn transactions_that_are_old_or_idle_are_told() {
        let old = |age| Vitals { oldest: Some(("shop".to_owned(), age)), ..CALM };
        assert_eq!(codes(&old(999_999_999), &[]), []);
        let [_, (_, message), _] = old(1_500_000_000).notices(|_| false);
        assert!(message.unwrap().starts_with("database shop has transactions that are more than 1000 million"));
        let idle = |seconds| {
            let lasted = Duration::from_secs(seconds);
            let (user, database) = ("app".to_owned(), "shop".to_owned());
            Vitals { idle_transaction: Some(IdleTransaction { process_id: 7, user, database, since: at(0), lasted }), ..CALM }
        };
        assert_eq!(codes(&idle(899), &[]), []);
        assert_eq!(idle(900).notices(|_| false), idle(9000).notices(|_| false), "the message stays the same");
        let [_, _, (_, message)] = idle(900).notices(|_| false);
        assert!(message.unwrap().starts_with("session 7 of app in database shop has been idle in a transaction since 1970-01-01 00:00:00 UTC"));
    }

    #[test]
    fn parameters_that_wait_for_a_restart_are_named() {
        let pending = |names: &[&str]| Parameters { pending: names.iter().map(|name| ((*name).to_owned(), None)).collect(), ..Parameters::default() };
        assert_eq!(pending_restart(&pending(&[])), None);
        assert!(pending_restart(&pending(&["wal_level", "max_connections"])).unwrap().ends_with("(restartInstance): max_connections, wal_level"));
    }

    #[test]
    fn an_archive_that_fails_or_never_began_is_told_after_a_while() {
        let interval = CoveredInterval { from: at(0), to: at(1), from_lsn: Lsn(0), to_lsn: Lsn(1) };
        let archive = |failing: Option<i64>, intervals: Vec<CoveredInterval>| Archive {
            id: ArchiveId(Uuid::nil()),
            instance: InstanceId::generate(),
            created_at: at(0),
            followed: failing.is_none(),
            durable: None,
            flushed: None,
            durable_at: None,
            lag_seconds: None,
            failure: failing.map(|since| (Reason::new(ReasonCode::StoreUnavailable, "away"), at(since))),
            coverage: Coverage { intervals, ..Coverage::default() },
            stored_bytes: 0,
            retired: None,
            closing: None,
            incomplete: None,
        };
        assert_eq!(not_backed_up(&archive(Some(5), vec![interval]), at(19)), None);
        assert!(not_backed_up(&archive(Some(5), vec![interval]), at(20)).unwrap().contains("since 1970-01-01 00:05 UTC"));
        assert_eq!(not_backed_up(&archive(None, vec![]), at(24 * 60 - 1)), None);
        assert!(not_backed_up(&archive(None, vec![]), at(24 * 60)).unwrap().contains("no complete base backup"));
        assert_eq!(not_backed_up(&archive(None, vec![interval]), at(48 * 60)), None);
    }
}
