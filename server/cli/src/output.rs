//! Output: tables for people, JSON and YAML for scripts.

use std::io::{self, IsTerminal as _, Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::failure::{Failure, Kind, Result};

mod display;
mod table;

pub(crate) use display::{Display, connection_notice};
pub use table::Table;

/// The output format.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputOptions {
    /// Output format: a table for people, or the objects of the API as JSON or YAML.
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

impl OutputOptions {
    /// A value as text, as `table` formats it unless it is for scripts.
    ///
    /// # Errors
    /// One sentence for people.
    pub fn text<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) -> std::result::Result<String, String> {
        self.output.render(value, table).map_err(|failure| failure.message().to_owned())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Yaml,
}

impl Format {
    /// Prints a value; as `table` formats it unless it is for scripts.
    pub(crate) fn print<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) -> Result<()> {
        print(&self.render(value, table)?)
    }

    fn render<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) -> Result<String> {
        match self {
            Self::Table => Ok(table(value)),
            Self::Json => serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| not_serializable(&error)),
            Self::Yaml => {
                // As JSON first, because cynic's scalars only serialize to plain values there.
                let value = serde_json::to_value(value).map_err(|error| not_serializable(&error))?;
                serde_saphyr::to_string(&value).map_err(|error| not_serializable(&error))
            }
        }
    }
}

/// Prints to stdout. Unlike `print!`, it returns an error when the reader closed the pipe.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Writes a line to stderr. If that is closed or full, there is nobody to tell.
pub fn report(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints a value as one line of JSON.
pub(crate) fn print_line(value: &impl Serialize) -> Result<()> {
    print(&(serde_json::to_string(value).map_err(|error| not_serializable(&error))? + "\n"))
}

pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// The time since `at`.
pub(crate) fn age(at: DateTime<Utc>) -> String {
    format_duration(Utc::now() - at)
}

/// A duration in its largest unit, such as `5m`.
pub(crate) fn format_duration(duration: TimeDelta) -> String {
    match duration.num_seconds().max(0) {
        seconds @ 0..100 => format!("{seconds}s"),
        seconds @ 100..6_000 => format!("{}m", seconds / 60),
        seconds @ 6_000..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Replaces control characters, which could be escape sequences for the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn not_serializable(error: &impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Failed, format!("the result cannot be serialized: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_their_largest_unit() {
        for (seconds, text) in [(-5, "0s"), (99, "99s"), (100, "1m"), (6_000, "1h"), (172_800, "2d")] {
            assert_eq!(format_duration(TimeDelta::seconds(seconds)), text);
        }
    }

    #[test]
    fn formats() {
        let value = serde_json::json!({ "name": "orders" });
        let render = |format: Format| format.render(&value, |value| format!("table of {}\n", value["name"])).unwrap();
        assert_eq!(render(Format::Table), "table of \"orders\"\n");
        assert_eq!(render(Format::Json), "{\n  \"name\": \"orders\"\n}\n");
        assert_eq!(render(Format::Yaml), "name: orders\n");
    }
}
