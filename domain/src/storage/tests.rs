use super::*;

fn situation(used_percent: i64) -> Situation {
    let capacity_bytes = 10 * GIB;
    Situation {
        usage: Usage { used_bytes: (capacity_bytes * used_percent + 99) / 100, capacity_bytes },
        is_enforced: true,
        before: None,
        is_read_only: false,
        has_notice: false,
        storage_gb: 10,
        auto_grow: None,
        failed: None,
        now: "2026-01-01T12:00:00Z".parse().unwrap(),
    }
}

fn growing(used_percent: i64, max_gb: i32) -> Situation {
    Situation { auto_grow: Some(AutoGrow { threshold_percent: 80, max_gb }), ..situation(used_percent) }
}

#[test]
fn a_server_takes_no_writes_below_the_reserve_until_there_is_more() {
    let read_only = |percent, is_read_only| Situation { is_read_only, ..situation(percent) }.plan().read_only;
    // A tenth of 10 GiB is reserved.
    assert_eq!([89, 91, 100, 120].map(|percent| read_only(percent, false)), [false, true, true, true]);
    assert_eq!([84, 86, 91].map(|percent| read_only(percent, true)), [false, true, true]);
    let usage = |gib: i64| Usage { used_bytes: 0, capacity_bytes: gib * GIB };
    assert_eq!((usage(1).reserve_bytes() / MIB, usage(1000).reserve_bytes() / MIB), (102, 1024));
}

#[test]
fn a_volume_grows_by_a_fifth_or_below_its_threshold() {
    let grow_to = |percent, max_gb| growing(percent, max_gb).plan().grow_to;
    assert_eq!([79, 80, 85].map(|percent| grow_to(percent, 100)), [None, Some(12), Some(12)]);
    assert_eq!(grow_to(100, 100), Some(14), "it ends below the threshold");
    assert_eq!((grow_to(85, 11), grow_to(100, 12), grow_to(85, 10)), (Some(11), Some(12), None));
    let small = |used_bytes| Situation { storage_gb: 1, usage: Usage { used_bytes, capacity_bytes: GIB }, ..growing(0, 100) }.plan().grow_to;
    assert_eq!((small(GIB / 2), small(GIB / 10 * 9)), (None, Some(2)));
    let late = Situation { auto_grow: Some(AutoGrow { threshold_percent: 95, max_gb: 100 }), ..situation(92) };
    assert_eq!(late.plan().grow_to, Some(12), "also if only the reserve is left before the threshold");
    assert_eq!(Situation { usage: Usage { used_bytes: i64::MAX, capacity_bytes: 0 }, ..growing(0, 100) }.plan().grow_to, Some(100));
}

#[test]
fn a_growth_that_failed_is_tried_again_after_an_hour_which_is_said() {
    let failed = |at: &str| {
        let reason = Reason::new(ReasonCode::VolumeNotExpanded, "the cloud refuses it.");
        Situation { failed: Some(FailedGrowth { at: at.parse().unwrap(), reason }), ..growing(95, 100) }.plan()
    };
    let waits = failed("2026-01-01T11:30:00Z");
    assert_eq!((waits.grow_to, waits.read_only), (None, true));
    let notice = waits.notice.unwrap();
    assert!(notice.ends_with("by itself: the cloud refuses it. It is tried again after 2026-01-01 12:30 UTC"), "{notice}");
    let again = failed("2026-01-01T10:59:00Z");
    assert_eq!((again.grow_to, again.notice), (Some(14), None));
}

#[test]
fn a_directory_that_can_grow_at_once_keeps_taking_writes() {
    let directory = |situation: Situation| Situation { is_enforced: false, ..situation }.plan();
    let grows = directory(growing(110, 100));
    assert_eq!((grows.read_only, grows.grow_to), (false, Some(16)));
    assert!(directory(growing(110, 10)).read_only && growing(110, 100).plan().read_only);
}

#[test]
fn what_does_not_grow_is_a_notice() {
    assert_eq!([84, 85].map(|percent| situation(percent).plan().notice.is_some()), [false, true]);
    let still = |percent| Situation { has_notice: true, ..situation(percent) }.plan().notice.is_some();
    assert_eq!([82, 83].map(still), [false, true]);
    let messages = [85, 88, 97, 110, 83].map(|percent| Situation { has_notice: true, ..situation(percent) }.plan().notice.unwrap());
    assert!(messages.iter().all(|message| *message == messages[0] && !message.contains('%')), "as true later as at first: {messages:?}");
    assert_eq!([growing(85, 100), growing(85, 10), growing(70, 10)].map(|growing| growing.plan().notice.is_some()), [false, true, false]);
}

#[test]
fn the_fuller_and_the_faster_the_sooner_it_is_measured() {
    let measure_in = |percent, before| Situation { before, ..situation(percent) }.plan().measure_in;
    let gib_in_10_s = Some((GIB, Duration::from_secs(10)));
    assert_eq!(measure_in(10, None), CALM);
    assert_eq!(measure_in(20, gib_in_10_s), Duration::from_secs(35), "half of 7 GiB, at 0.1 GiB/s");
    assert_eq!((measure_in(70, None).as_secs(), measure_in(88, None)), (40, HELD), "a load may begin at any time");
    assert_eq!((measure_in(89, gib_in_10_s), measure_in(95, None)), (SHORTEST, HELD));
    let plan = situation(10).plan();
    assert!(!plan.is_urgent() && situation(88).plan().is_urgent());
    assert_eq!(plan.next_measurement(Duration::from_secs(3)), CALM);
    let next = |took| situation(88).plan().next_measurement(Duration::from_secs(took)).as_secs();
    assert_eq!([0, 3, 60].map(next), [5, 15, 60], "a measurement takes a fifth of the time at the most");
}

#[test]
fn a_choice_needs_a_maximum_once() {
    let choice = |threshold_percent, max_gb| AutoGrowChoice { threshold_percent, max_gb };
    let present = Some(AutoGrow { threshold_percent: 70, max_gb: 50 });
    let expected = |threshold_percent, max_gb| Ok(Some(AutoGrow { threshold_percent, max_gb }));
    assert_eq!(choice(None, Some(20)).applied_to(None, 10), expected(80, 20));
    assert_eq!(choice(Some(90), None).applied_to(present, 60), expected(90, 50), "somebody has resized it beyond");
    assert_eq!(choice(None, None).applied_to(present, 10), Ok(present));
    assert_eq!(choice(Some(0), None).applied_to(present, 10), Ok(None));
    for wrong in [choice(Some(80), None).applied_to(None, 10), choice(None, Some(9)).applied_to(present, 10)] {
        assert_eq!(wrong.unwrap_err().field, ["storageAutoGrow", "maxGb"]);
    }
}

#[test]
fn a_file_system_keeps_a_part_of_its_volume() {
    // What `mkfs.ext4 -m 0` leaves free, in MiB.
    for (gib, overhead) in [(1, 51), (5, 165), (10, 261), (20, 494), (100, 2180), (1000, 17_172)] {
        let kept = i64::from(gib) * 1024 - VolumeSpace::of_file_system(gib).usable_bytes / MIB;
        assert!((overhead..overhead * 2).contains(&kept), "{kept} of {gib} GiB");
    }
}
