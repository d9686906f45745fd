//! Retention, for archives of every kind.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use toygres_backup::{
    ArchiveId, BackupId, BackupRecord, Coverage, GapReason, Layout, Listing, Object, Partial, RetentionPolicy, StandbySettings, Target, WalObject,
    expire, plan,
};
use toygres_domain::{
    InstanceId,
    wal::{Lsn, Segment, SegmentSize, Timeline},
};

const SIZE: SegmentSize = SegmentSize::DEFAULT;

/// An archive with a random history: backups, gaps, and partial segments, one segment a minute.
fn random_archive(random: &mut fastrand::Rng, layout: &Layout) -> (Listing, DateTime<Utc>) {
    let mut listing = Listing::empty(SIZE);
    let begin: DateTime<Utc> = "2026-11-01T00:00:00Z".parse().unwrap();
    let length = random.u64(1..60);
    let at = |number: u64, second: i64| begin + TimeDelta::minutes(number as i64) + TimeDelta::seconds(second);
    for number in 1..=length {
        let segment = Segment { timeline: Timeline(1), number };
        let is_last = number == length;
        let is_missing = random.u8(..10) == 0;
        if is_missing && random.bool() {
            listing.gaps.insert(segment, GapReason::SlotLost);
        }
        if !is_missing && !is_last {
            listing.segments.insert(segment);
        }
        for _ in 0..if is_missing { 0 } else { random.usize(0..3) } {
            let offset = random.u32(0..16 << 20);
            listing.partials.insert(Partial { segment, offset, covers: at(number, i64::from(offset * 60 / (16 << 20))) });
        }
        if random.u8(..6) == 0 {
            let id = BackupId::generate();
            let start = Lsn(SIZE.start(number).0 + 40);
            let end = Lsn(SIZE.start(number + random.u64(0..3)).0 + 10_000);
            let finished_at = at(end.0 / SIZE.bytes(), 1);
            let file = |name: &str| Object { path: layout.base_file(id, name), bytes: 10, created_at: finished_at };
            let mut files = vec![file("base.00000.tar.zst"), file("backup_manifest.zst")];
            if random.u8(..5) > 0 {
                files.push(file("backup.json"));
                listing.backups.push(BackupRecord {
                    id,
                    server_version: 150_018,
                    timeline: Timeline(1),
                    start,
                    end,
                    started_at: at(number, 0),
                    finished_at,
                    settings: StandbySettings::default(),
                    parts: Vec::new(),
                    manifest_sha256: String::new(),
                });
            }
            listing.base_files.insert(id, files);
        }
    }
    listing.backups.sort_by_key(|backup| (backup.finished_at, backup.id));
    (listing, at(length + random.u64(0..3), 0))
}

/// The archive without some objects.
fn without(listing: &Listing, layout: &Layout, paths: &[String]) -> Listing {
    let mut listing = listing.clone();
    for path in paths {
        match layout.parse_wal(path, SIZE) {
            Some(WalObject::Complete(segment)) => drop(listing.segments.remove(&segment)),
            Some(WalObject::Partial(partial)) => drop(listing.partials.remove(&partial)),
            Some(WalObject::Gap(segment, _)) => drop(listing.gaps.remove(&segment)),
            Some(WalObject::History(_)) => panic!("a history is never expired"),
            None => {
                let (id, file) = layout.parse_base(path).unwrap();
                if file == "backup.json" {
                    listing.backups.retain(|backup| backup.id != id);
                }
                let files = listing.base_files.get_mut(&id).unwrap();
                files.retain(|object| object.path != *path);
                if files.is_empty() {
                    listing.base_files.remove(&id);
                }
            }
        }
    }
    listing
}

#[test]
fn every_point_that_is_to_be_kept_stays_restorable_at_every_moment() {
    let mut random = fastrand::Rng::with_seed(19);
    let layout = Layout::new(InstanceId::generate(), ArchiveId::generate());
    let (mut deleted, mut checked) = (0, 0);
    for case in 0..400 {
        let (listing, now) = random_archive(&mut random, &layout);
        let choose = |random: &mut fastrand::Rng| listing.backups.iter().filter(|_| random.u8(..5) == 0).map(|backup| backup.id).collect();
        let locked: BTreeSet<BackupId> = choose(&mut random);
        let policy = RetentionPolicy { keep_for: TimeDelta::minutes(random.i64(0..40)), locked, in_use: choose(&mut random) };
        let expired = expire(&listing, &layout, &policy, now);
        deleted += expired.len();
        let horizon = now - policy.keep_for;
        let restorable = |listing: &Listing| {
            let times = (0..=policy.keep_for.num_seconds() / 10).map(|step| horizon + TimeDelta::seconds(step * 10));
            let times: Vec<_> = times.filter(|time| plan(listing, Target::Time(*time)).is_ok()).collect();
            let kept = policy.locked.iter().chain(&policy.in_use).filter(|id| plan(listing, Target::Backup(**id)).is_ok()).count();
            (times, kept, plan(listing, Target::Latest).map(|plan| plan.backup.id).ok())
        };
        let before = restorable(&listing);
        checked += before.0.len();
        // The deletion may stop anywhere.
        for stopped in [0, random.usize(0..=expired.len()), expired.len()] {
            let after = without(&listing, &layout, &expired[..stopped]);
            assert_eq!(restorable(&after), before, "case {case}, {stopped} of {}: {policy:?}", expired.len());
        }
        let after = without(&listing, &layout, &expired);
        assert_eq!(expire(&after, &layout, &policy, now), Vec::<String>::new(), "case {case}: what is left is needed");
        let recent = |coverage: Coverage| coverage.intervals.into_iter().filter(|interval| interval.from > horizon).collect::<Vec<_>>();
        assert_eq!(recent(Coverage::of(&after)), recent(Coverage::of(&listing)), "case {case}");
    }
    assert!(deleted > 1000 && checked > 1000, "{deleted} objects deleted, {checked} points checked");
}

/// Another worker may be writing it, which this one does not know.
#[test]
fn a_base_backup_that_is_being_taken_is_kept_for_a_day() {
    let layout = Layout::new(InstanceId::generate(), ArchiveId::generate());
    let now: DateTime<Utc> = "2026-11-29T10:00:00Z".parse().unwrap();
    let (abandoned, slow) = (BackupId::generate(), BackupId::generate());
    let file = |id, number, hours| {
        let path = layout.base_file(id, &format!("base.{number:05}.tar.zst"));
        Object { path, bytes: 10, created_at: now - TimeDelta::hours(hours) }
    };
    let mut listing = Listing::empty(SIZE);
    listing.base_files.insert(abandoned, vec![file(abandoned, 0, 50), file(abandoned, 1, 25)]);
    listing.base_files.insert(slow, vec![file(slow, 0, 50), file(slow, 1, 23)]);
    let mut policy = RetentionPolicy { keep_for: TimeDelta::zero(), locked: BTreeSet::new(), in_use: BTreeSet::new() };
    assert_eq!(expire(&listing, &layout, &policy, now), [file(abandoned, 0, 50).path, file(abandoned, 1, 25).path]);
    policy.in_use.insert(abandoned);
    assert_eq!(expire(&listing, &layout, &policy, now), Vec::<String>::new());
}

#[test]
fn a_gap_has_its_reason_and_ends_with_the_next_backup() {
    let layout = Layout::new(InstanceId::generate(), ArchiveId::generate());
    let mut random = fastrand::Rng::with_seed(7);
    let (mut gaps, mut reasons) = (0, BTreeSet::new());
    for _ in 0..300 {
        let (listing, _) = random_archive(&mut random, &layout);
        let coverage = Coverage::of(&listing);
        assert_eq!(coverage.gaps.len(), coverage.intervals.len().saturating_sub(1));
        for (pair, gap) in coverage.intervals.windows(2).zip(&coverage.gaps) {
            assert!(pair[0].from <= pair[0].to && pair[0].to_lsn <= pair[1].from_lsn, "{coverage:?}");
            assert_eq!((gap.from, gap.to), (pair[0].to, pair[1].from));
            reasons.insert(gap.reason);
            gaps += 1;
        }
        for interval in &coverage.intervals {
            assert!(plan(&listing, Target::Time(interval.from)).is_ok() && plan(&listing, Target::Time(interval.to)).is_ok());
            assert!(plan(&listing, Target::Lsn(interval.to_lsn)).is_ok());
        }
    }
    assert!(gaps > 50 && reasons.contains(&GapReason::SlotLost) && reasons.contains(&GapReason::Missing), "{gaps} {reasons:?}");
}
