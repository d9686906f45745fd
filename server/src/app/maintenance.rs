//! The maintenance window of an instance, as a caller chooses it.

use chrono::NaiveTime;
use serde::Serialize;
use toygres_domain::{
    UserErrorCode,
    maintenance::{MaintenanceWindow, Weekday},
};

use super::{input::FieldErrors, limits::IntRange};

/// Minutes of a maintenance window.
pub const WINDOW_MINUTES: IntRange = IntRange::new(10, 1440).default(60);

/// A maintenance window, unchecked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MaintenanceChoice {
    /// The day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekday: Option<Weekday>,
    /// The time, such as `03:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// See [`WINDOW_MINUTES`]; 0 turns it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_minutes: Option<i32>,
}

impl From<MaintenanceWindow> for MaintenanceChoice {
    fn from(MaintenanceWindow { weekday, start, duration_minutes }: MaintenanceWindow) -> Self {
        Self { weekday: Some(weekday), start_time: Some(start.format("%H:%M").to_string()), duration_minutes: Some(duration_minutes) }
    }
}

impl FieldErrors {
    /// The maintenance window: `Some(None)` turns it off. Adds an error for each part that is missing or wrong.
    pub(super) fn maintenance_window(&mut self, choice: Option<MaintenanceChoice>) -> Option<Option<MaintenanceWindow>> {
        let MaintenanceChoice { weekday, start_time, duration_minutes } = choice?;
        if duration_minutes == Some(0) {
            return Some(None);
        }
        if weekday.is_none() {
            self.add(UserErrorCode::Invalid, "maintenanceWindow.weekday", "is missing; name the day, such as SUNDAY");
        }
        let start = start_time.as_deref().and_then(|text| NaiveTime::parse_from_str(text, "%H:%M").ok());
        if start.is_none() {
            let why = "must be a time of the day in UTC, such as 03:00";
            self.add(UserErrorCode::Invalid, "maintenanceWindow.startTime", why);
        }
        let unit = "minutes, or 0 to turn it off";
        let duration_minutes = self.in_range("maintenanceWindow.durationMinutes", unit, duration_minutes, WINDOW_MINUTES);
        Some((|| Some(MaintenanceWindow { weekday: weekday?, start: start?, duration_minutes: duration_minutes? }))())
    }
}
