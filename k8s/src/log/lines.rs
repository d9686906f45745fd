//! The lines of a log with the times at which they were received.

use std::{io, pin::Pin};

use chrono::{DateTime, Utc};
use futures::{AsyncBufRead, AsyncBufReadExt};
use toygres_domain::server_log::{LogLine, LogPosition};

/// Bytes of a line that are kept.
const MAX_LINE: usize = 128 * 1024;

/// Bytes that are read at once.
const MAX_CHUNK: usize = 32 * 1024;

/// Lines as they arrive.
pub(super) struct Lines {
    reader: Pin<Box<dyn AsyncBufRead + Send>>,
    /// The beginning of a line.
    begun: Vec<u8>,
    last: LogPosition,
}

impl Lines {
    pub(super) fn new(reader: impl AsyncBufRead + Send + 'static) -> Self {
        Self { reader: Box::pin(reader), begun: Vec::new(), last: LogPosition::default() }
    }

    /// The next lines that have arrived; `None` at the end. Nothing is lost if it is cancelled.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<LogLine>>> {
        loop {
            let bytes = self.reader.fill_buf().await?;
            let count = bytes.len().min(MAX_CHUNK);
            let bytes = &bytes[..count];
            if count == 0 {
                let rest = std::mem::take(&mut self.begun);
                return Ok((!rest.is_empty()).then(|| vec![self.line(&rest)]));
            }
            let mut complete = Vec::new();
            for part in bytes.split_inclusive(|byte| *byte == b'\n') {
                let room = MAX_LINE.saturating_sub(self.begun.len());
                match part.strip_suffix(b"\n") {
                    Some(end) => {
                        self.begun.extend(&end[..end.len().min(room)]);
                        complete.push(std::mem::take(&mut self.begun));
                    }
                    None => self.begun.extend(&part[..part.len().min(room)]),
                }
            }
            self.reader.consume_unpin(count);
            if !complete.is_empty() {
                return Ok(Some(complete.iter().map(|line| self.line(line)).collect()));
            }
        }
    }

    /// `2026-11-30T03:29:05.228123456Z text`. Without a time, a line is where the one before it is.
    fn line(&mut self, bytes: &[u8]) -> LogLine {
        let text = String::from_utf8_lossy(bytes);
        let stamped = text.split_once(' ').and_then(|(time, rest)| Some((DateTime::parse_from_rfc3339(time).ok()?.with_timezone(&Utc), rest)));
        let (received, text) = match stamped {
            Some((time, rest)) => (Some(time), rest.to_owned()),
            None => (None, text.into_owned()),
        };
        let at = received.and_then(|time| time.timestamp_nanos_opt()).and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or(self.last.at);
        let nth = if at == self.last.at { self.last.nth + 1 } else { 0 };
        self.last = LogPosition { at, nth };
        LogLine { position: self.last, received, text }
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn lines_have_their_times_and_numbers() {
        let text =
            "2026-11-30T03:29:05.2Z one\n2026-11-30T03:29:05.2Z \ttwo\n2026-11-30T03:29:05.200000001Z three\nno time\n2026-11-30T03:29:06Z cut";
        let mut lines = Lines::new(Cursor::new(text));
        let mut all = Vec::new();
        while let Some(chunk) = lines.next().await.unwrap() {
            all.extend(chunk);
        }
        let at = 1_796_009_345_200_000_000;
        let read: Vec<_> = all.iter().map(|line| (line.position.at, line.position.nth, line.text.as_str())).collect();
        assert_eq!(read, [(at, 0, "one"), (at, 1, "\ttwo"), (at + 1, 0, "three"), (at + 1, 1, "no time"), (at + 800_000_000, 0, "cut")]);
        assert_eq!(all[0].received.unwrap().to_rfc3339(), "2026-11-30T03:29:05.200+00:00");
    }

    #[tokio::test]
    async fn a_line_is_kept_up_to_a_limit() {
        let text = format!("{}\nnext\n", "x".repeat(MAX_LINE * 2));
        let lines = Lines::new(Cursor::new(text)).next().await.unwrap().unwrap();
        assert_eq!((lines[0].text.len(), lines[1].text.as_str()), (MAX_LINE, "next"));
    }
}
