//! Options and inputs of the maintenance window.

use clap::Args;

use crate::contract::{Weekday, schema};

/// When updates of an instance are applied by themselves.
#[derive(Args, Debug)]
pub(super) struct MaintenanceOptions {
    /// Apply updates by themselves, with a restart, from this time (UTC) of this day of the week on, for so many minutes [default: 60].
    #[arg(long, value_name = "DAY,HH:MM[,MINUTES]", value_parser = parse, conflicts_with = "no_maintenance_window")]
    maintenance_window: Option<Window>,
    /// Apply no updates by themselves.
    #[arg(long)]
    no_maintenance_window: bool,
}

#[derive(Clone, Debug)]
struct Window {
    weekday: Weekday,
    start_time: String,
    duration_minutes: Option<i32>,
}

#[derive(cynic::InputObject)]
pub(super) struct MaintenanceWindowInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    weekday: Option<Weekday>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    duration_minutes: Option<i32>,
}

impl MaintenanceOptions {
    /// `None` if nothing is chosen.
    pub(super) fn input(&self) -> Option<MaintenanceWindowInput> {
        if self.no_maintenance_window {
            return Some(MaintenanceWindowInput { weekday: None, start_time: None, duration_minutes: Some(0) });
        }
        let Window { weekday, start_time, duration_minutes } = self.maintenance_window.clone()?;
        Some(MaintenanceWindowInput { weekday: Some(weekday), start_time: Some(start_time), duration_minutes })
    }
}

fn parse(text: &str) -> Result<Window, String> {
    let wrong = || format!("'{text}' is not like sunday,03:00 or sunday,03:00,90");
    let mut parts = text.split(',');
    let weekday = parts.next().and_then(|day| <Weekday as clap::ValueEnum>::from_str(day, true).ok()).ok_or_else(wrong)?;
    let start_time = parts.next().ok_or_else(wrong)?.to_owned();
    let duration_minutes = parts.next().map(|minutes| minutes.parse().map_err(|_| wrong())).transpose()?;
    if parts.next().is_some() {
        return Err(wrong());
    }
    Ok(Window { weekday, start_time, duration_minutes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_day_a_time_and_minutes() {
        let window = parse("Sunday,03:00,90").unwrap();
        assert_eq!((window.weekday, window.start_time.as_str(), window.duration_minutes), (Weekday::Sunday, "03:00", Some(90)));
        assert_eq!(parse("monday,23:30").unwrap().duration_minutes, None);
        for wrong in ["", "sunday", "someday,03:00", "sunday,03:00,long", "sunday,03:00,90,1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
