//! Tables for people, JSON and YAML for scripts.

use std::io::{self, IsTerminal as _, Write as _};

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::failure::{Failure, Kind, Result};

/// How a result is written.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputOptions {
    /// How the result is written to stdout: for people, or as the contract's objects for scripts.
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub(super) output: Format,
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Yaml,
}

impl Format {
    /// Writes a value, or for people the text that `table` makes of it.
    pub(super) fn print<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) -> Result<()> {
        print(&self.render(value, table)?)
    }

    fn render<T: Serialize>(self, value: &T, table: impl FnOnce(&T) -> String) -> Result<String> {
        let unwritable = |why: String| Failure::new(Kind::Failed, format!("the result cannot be written: {why}"));
        match self {
            Self::Table => Ok(table(value)),
            Self::Json => serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| unwritable(error.to_string())),
            Self::Yaml => {
                // By way of JSON: the contract's scalars are plain values there.
                let value = serde_json::to_value(value).map_err(|error| unwritable(error.to_string()))?;
                serde_saphyr::to_string(&value).map_err(|error| unwritable(error.to_string()))
            }
        }
    }
}

/// Writes to stdout. Unlike `print!` it ends quietly when nobody reads any more.
pub(super) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// One JSON object per line, at once.
pub(super) fn print_line(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).map_err(|error| Failure::new(Kind::Failed, format!("the result cannot be written: {error}")))?;
    print(&(text + "\n"))
}

/// Rows in columns.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell.into())).collect());
    }

    /// The table as text.
    pub(super) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default())
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            let line = cells.join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A part of the terminal that is drawn again and again in the same place.
pub(super) struct Display<W: io::Write> {
    out: W,
    drawn: usize,
}

impl<W: io::Write> Display<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, drawn: 0 }
    }

    /// Draws `text` over what was drawn before. What does not fit the terminal is left out.
    pub(super) fn draw(&mut self, text: &str) -> Result<()> {
        let (width, height) = terminal_size();
        let lines: Vec<String> = text.lines().map(|line| line.chars().take(width.saturating_sub(1)).collect()).collect();
        let shown = match lines.len() < height {
            true => lines,
            false => {
                let rest = format!("({} more lines)", lines.len() + 2 - height);
                lines.into_iter().take(height.saturating_sub(2)).chain([rest]).collect()
            }
        };
        let mut frame = match self.drawn {
            0 => String::new(),
            lines => format!("\x1b[{lines}A"),
        };
        for line in &shown {
            frame.push_str(line);
            frame.push_str("\x1b[K\n");
        }
        frame.push_str("\x1b[J");
        self.drawn = shown.len();
        self.out.write_all(frame.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

/// What a display shows below its content while the server is away.
pub(super) fn notice(away: bool) -> &'static str {
    if away { "(the connection is lost; trying again until Ctrl-C)\n" } else { "" }
}

/// Whether stdout is a terminal.
pub(super) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Columns and rows.
fn terminal_size() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).or_else(|_| rustix::termios::tcgetwinsize(io::stderr()));
    match size {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

/// How long ago something was.
pub(super) fn ago(at: DateTime<Utc>) -> String {
    span(Utc::now() - at)
}

/// A span of time in its greatest unit, as people say it.
pub(super) fn span(span: TimeDelta) -> String {
    match span.num_seconds().max(0) {
        seconds @ 0..100 => format!("{seconds}s"),
        seconds @ 100..6_000 => format!("{}m", seconds / 60),
        seconds @ 6_000..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Without control characters, which could do things to the terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
