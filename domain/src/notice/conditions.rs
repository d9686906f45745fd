//! When there is a notice, and what is told to people. A message stays the same as long as its cause does, because each change of it is an
//! event.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    NoticeCode,
    thresholds::{CONNECTIONS, IDLE, NO_BACKUP, NOT_ARCHIVED, OLDEST, SLOT_WAL, of},
};
use crate::{
    backup::{ARCHIVE_SLOT, Archive, COPY_SLOT},
    instance::InstanceSpec,
    parameter::Parameters,
    upgrade::AvailableUpdate,
    volume::WalLimits,
};

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
    /// The replication slot that keeps the most WAL.
    pub slot: Option<KeptWal>,
    /// `shared_buffers` in bytes.
    pub shared_buffers: Option<i64>,
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

/// The WAL that a replication slot keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptWal {
    /// The name of the slot.
    pub slot: String,
    /// How far it is behind, in bytes.
    pub bytes: i64,
    /// `max_slot_wal_keep_size` in bytes; negative if there is no limit.
    pub limit: i64,
}

impl KeptWal {
    /// Where the server has no limit, that of new servers with this volume counts.
    fn message(&self, storage_gb: i32, has: bool) -> Option<String> {
        let Self { slot, bytes, limit } = self;
        let most = if *limit >= 0 { *limit } else { WalLimits::of_volume(storage_gb).max_slot_wal_keep_size_mb.saturating_mul(1 << 20) };
        (bytes.saturating_mul(100) >= most.saturating_mul(of(SLOT_WAL, has))).then(|| {
            let remedy = match slot.as_str() {
                ARCHIVE_SLOT => {
                    "the archive does not keep up, and backupPolicy.reason says why; updateInstance with backups off drops the slot".to_owned()
                }
                _ if slot.starts_with(COPY_SLOT) => "a copy of the instance is being made: wait for it, or cancel it (cancelOperation)".to_owned(),
                _ => format!("have its reader go on, or run SELECT pg_drop_replication_slot('{slot}')"),
            };
            let end = if *limit >= 0 { "; when it is used up, the slot is lost" } else { "" };
            format!("replication slot {slot} keeps more than {} % of the {} MiB of WAL that slots may keep{end}: {remedy}", SLOT_WAL[0], most >> 20)
        })
    }
}

impl Vitals {
    /// The notices that they are about, each with its message or `None` if there is no reason for it. `has` says which there are now.
    pub fn notices(&self, spec: &InstanceSpec, has: impl Fn(NoticeCode) -> bool) -> [(NoticeCode, Option<String>); 4] {
        let Self { connections, max_connections, oldest, idle_transaction, slot, shared_buffers: _ } = self;
        let threshold = of(CONNECTIONS, has(NoticeCode::ConnectionsHigh));
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
        let slot = slot.as_ref().and_then(|slot| slot.message(spec.storage_gb, has(NoticeCode::SlotWalHigh)));
        [
            (NoticeCode::ConnectionsHigh, connections),
            (NoticeCode::WraparoundNear, wraparound),
            (NoticeCode::IdleTransaction, idle),
            (NoticeCode::SlotWalHigh, slot),
        ]
    }
}

/// The message of [`NoticeCode::UpdateAvailable`], if there is an update.
#[must_use]
pub fn update_available(update: Option<&AvailableUpdate>) -> Option<String> {
    let AvailableUpdate { from, to } = update?;
    Some(format!(
        "the server runs {from}, and {to} is available: apply it with a restart (upgradeInstance with the version that the instance has), or have it \
         applied in a maintenanceWindow"
    ))
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
        instance::{Reason, ReasonCode, tests::spec},
        wal::Lsn,
    };

    const CALM: Vitals = Vitals { connections: 0, max_connections: 100, oldest: None, idle_transaction: None, slot: None, shared_buffers: None };

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(minute * 60, 0).unwrap()
    }

    fn codes(vitals: &Vitals, present: &[NoticeCode]) -> Vec<NoticeCode> {
        let notices = vitals.notices(&spec(), |code| present.contains(&code));
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
        let [_, (_, message), ..] = old(1_500_000_000).notices(&spec(), |_| false);
        assert!(message.unwrap().starts_with("database shop has transactions that are more than 1000 million"));
        let idle = |seconds| {
            let lasted = Duration::from_secs(seconds);
            let (user, database) = ("app".to_owned(), "shop".to_owned());
            Vitals { idle_transaction: Some(IdleTransaction { process_id: 7, user, database, since: at(0), lasted }), ..CALM }
        };
        assert_eq!(codes(&idle(899), &[]), []);
        assert_eq!(idle(900).notices(&spec(), |_| false), idle(9000).notices(&spec(), |_| false), "the message stays the same");
        let [_, _, (_, message), _] = idle(900).notices(&spec(), |_| false);
        assert!(message.unwrap().starts_with("session 7 of app in database shop has been idle in a transaction since 1970-01-01 00:00:00 UTC"));
    }

    #[test]
    fn a_slot_is_told_before_it_is_lost() {
        let keeps = |slot: &str, mib: i64, limit: i64| Vitals {
            slot: Some(KeptWal { slot: slot.to_owned(), bytes: mib << 20, limit: if limit < 0 { limit } else { limit << 20 } }),
            ..CALM
        };
        let high = [NoticeCode::SlotWalHigh];
        assert_eq!((codes(&keeps("copy", 127, 256), &[]), codes(&keeps("copy", 128, 256), &[])), (vec![], high.to_vec()));
        assert_eq!((codes(&keeps("copy", 103, 256), &high), codes(&keeps("copy", 102, 256), &high)), (high.to_vec(), vec![]));
        let message = |slot, limit| {
            let [.., (_, message)] = keeps(slot, 5000, limit).notices(&spec(), |_| false);
            message.unwrap()
        };
        assert!(message("copy", 256).ends_with("run SELECT pg_drop_replication_slot('copy')"), "{}", message("copy", 256));
        assert!(message(ARCHIVE_SLOT, 256).contains("of the 256 MiB of WAL that slots may keep; when it is used up, the slot is lost: the archive"));
        // A quarter of the volume.
        let most = WalLimits::of_volume(spec().storage_gb).max_slot_wal_keep_size_mb;
        assert!(message("copy", -1).contains(&format!("of the {most} MiB of WAL that slots may keep: have its reader")), "{}", message("copy", -1));
    }

    #[test]
    fn an_update_is_told_with_both_versions() {
        let update = AvailableUpdate { from: "17.5".to_owned(), to: "17.6".to_owned() };
        assert!(update_available(Some(&update)).unwrap().starts_with("the server runs 17.5, and 17.6 is available: "));
        assert_eq!(update_available(None), None);
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
