//! Events: what controllers and the kubelet say beside an object's status.

use k8s_openapi::{api::core::v1::Event, jiff::Timestamp};

/// The event that was seen last: an older one may tell of a trouble that has passed.
pub(super) fn newest(events: &[Event]) -> Option<&Event> {
    events.iter().max_by_key(|event| time(event))
}

/// The newest event that has one of the reasons.
pub(super) fn newest_of<'a>(events: &'a [Event], kind: &str, reasons: &[&str]) -> Option<&'a Event> {
    events
        .iter()
        .filter(|event| event.involved_object.kind.as_deref() == Some(kind))
        .filter(|event| event.reason.as_deref().is_some_and(|reason| reasons.contains(&reason)))
        .max_by_key(|event| time(event))
}

/// The message of an event.
pub(super) fn message(event: &Event) -> &str {
    event.message.as_deref().unwrap_or_default()
}

/// When an event was seen last. Which field says so depends on the API that its author uses.
fn time(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let single = event.event_time.as_ref().map(|time| time.0);
    series.or(last).or(single)
}
