//! A part of the terminal that is redrawn in place.

use std::io;

use console::{Term, truncate_str};

use crate::failure::Result;

/// Redraws text in place.
pub(crate) struct Display<W: io::Write> {
    out: W,
    /// Lines on screen.
    lines: usize,
}

impl<W: io::Write> Display<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, lines: 0 }
    }

    /// Draws `text` in place of what was drawn before. Text that does not fit on the screen is left out.
    pub(crate) fn draw(&mut self, text: &str) -> Result<()> {
        let size = Term::stdout().size_checked().or_else(|| Term::stderr().size_checked()).unwrap_or((24, 80));
        self.draw_at_size(text, size)
    }

    fn draw_at_size(&mut self, text: &str, (rows, columns): (u16, u16)) -> Result<()> {
        let (rows, columns) = (usize::from(rows), usize::from(columns));
        let mut lines: Vec<_> = text.lines().map(|line| truncate_str(line, columns.saturating_sub(1), "")).collect();
        if lines.len() >= rows {
            // The cursor is on the row below the text.
            let shown = rows.saturating_sub(2);
            let more = format!("({} more lines)", lines.len() - shown);
            lines.truncate(shown);
            lines.push(more.into());
        }
        let mut frame = match self.lines {
            0 => String::new(),
            lines => format!("\x1b[{lines}A"),
        };
        for line in &lines {
            // Clears the rest of the old line.
            frame += &format!("{line}\x1b[K\n");
        }
        // Clears the old lines below.
        frame += "\x1b[J";
        self.lines = lines.len();
        self.out.write_all(frame.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

/// The line that displays show below their content while the connection is lost.
pub(crate) fn connection_notice(disconnected: bool) -> &'static str {
    if disconnected { "(connection lost; reconnecting until Ctrl-C)\n" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_redrawn_in_place() {
        let mut display = Display::new(Vec::new());
        display.draw_at_size("one\ntwo\n", (24, 80)).unwrap();
        display.draw_at_size("three\n", (24, 80)).unwrap();
        assert_eq!(String::from_utf8(display.out).unwrap(), "one\x1b[K\ntwo\x1b[K\n\x1b[J\x1b[2Athree\x1b[K\n\x1b[J");
    }

    #[test]
    fn text_beyond_the_screen_is_left_out() {
        let mut display = Display::new(Vec::new());
        display.draw_at_size("価格 is long\n2\n3\n4\n5\n", (4, 8)).unwrap();
        assert_eq!(String::from_utf8(display.out).unwrap(), "価格 is\x1b[K\n2\x1b[K\n(3 more lines)\x1b[K\n\x1b[J");
    }
}
