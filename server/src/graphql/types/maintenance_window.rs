//! `MaintenanceWindow` and `MaintenanceWindowInput`.

use async_graphql::{InputObject, SimpleObject};
use toygres_domain::maintenance as domain;

use super::Weekday;
use crate::app::maintenance::MaintenanceChoice;

/// The weekly time in which updates are applied by themselves.
#[derive(Clone, Debug, SimpleObject)]
pub struct MaintenanceWindow {
    /// The day on which it begins, in UTC.
    weekday: Weekday,
    /// The time at which it begins, in UTC, such as `03:00`.
    start_time: String,
    /// How long it is, in minutes. It may end on the next day.
    duration_minutes: i32,
}

impl From<domain::MaintenanceWindow> for MaintenanceWindow {
    fn from(window: domain::MaintenanceWindow) -> Self {
        let domain::MaintenanceWindow { weekday, start, duration_minutes } = window;
        Self { weekday: weekday.into(), start_time: start.format("%H:%M").to_string(), duration_minutes }
    }
}

/// The weekly time in which updates are applied by themselves.
#[derive(Clone, InputObject)]
pub struct MaintenanceWindowInput {
    /// The day on which it begins, in UTC.
    weekday: Option<Weekday>,
    /// The time at which it begins, in UTC, such as `03:00`.
    start_time: Option<String>,
    /// How long it is, in minutes (default 60). 0 turns it off, and needs nothing else.
    duration_minutes: Option<i32>,
}

impl From<MaintenanceWindowInput> for MaintenanceChoice {
    fn from(input: MaintenanceWindowInput) -> Self {
        let MaintenanceWindowInput { weekday, start_time, duration_minutes } = input;
        Self { weekday: weekday.map(|weekday| weekday.0), start_time, duration_minutes }
    }
}
