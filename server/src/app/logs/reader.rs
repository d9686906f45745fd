//! The entries of a log, from what its host reads.

use futures::{StreamExt, stream::Fuse};
use metrics::counter;
use toygres_domain::{
    runtime::{LogChunk, LogStream, RuntimeError},
    server_log::{LogCursor, LogEntry, parser::LogParser},
};

use super::GAPS;

/// Reads entries. It holds those of one chunk at the most.
pub(super) struct LogReader {
    stream: Fuse<LogStream>,
    parser: LogParser,
    /// The entry that must be the first one, and is left out.
    expected: Option<LogCursor>,
    /// Whether entries are missing in front of the next one.
    gap: bool,
    from_oldest: bool,
}

/// Entries that are complete.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Whether entries are missing in front of them.
    pub(super) gap: bool,
    /// Not empty if there is a gap.
    pub(super) entries: Vec<LogEntry>,
}

impl LogReader {
    /// Reads on after `expected`.
    pub(super) fn new(stream: LogStream, parser: LogParser, expected: Option<LogCursor>) -> Self {
        Self { stream: stream.fuse(), parser, expected, gap: false, from_oldest: false }
    }

    /// Whether it began with the oldest line that is kept.
    pub(super) fn is_from_oldest(&self) -> bool {
        self.from_oldest
    }

    /// The next entries; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Read>, RuntimeError> {
        loop {
            let (mut entries, mut is_over) = (Vec::new(), false);
            // What is missing is missing after the entries that are complete now.
            let mut gap = std::mem::take(&mut self.gap);
            match self.stream.next().await.transpose()? {
                Some(LogChunk::Oldest) => {
                    self.from_oldest = true;
                    self.parser = LogParser::default();
                }
                Some(LogChunk::Lines(lines)) => {
                    for line in lines {
                        self.parser.push(line, &mut entries);
                    }
                }
                Some(LogChunk::Gap) => {
                    self.parser.flush(&mut entries);
                    self.parser = LogParser::within_an_entry();
                    self.expected = None;
                    self.gap = true;
                }
                Some(LogChunk::End) => self.parser.flush(&mut entries),
                None => {
                    self.parser.flush(&mut entries);
                    is_over = true;
                }
            }
            if let Some(first) = entries.first()
                && let Some(expected) = self.expected.take()
            {
                if first.cursor == expected {
                    entries.remove(0);
                } else {
                    gap = true;
                }
            }
            if entries.is_empty() {
                self.gap |= gap;
                if is_over {
                    return Ok(None);
                }
                continue;
            }
            if gap {
                counter!(GAPS).increment(1);
            }
            return Ok(Some(Read { gap, entries }));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use toygres_domain::server_log::{LogLine, LogPosition};

    use super::*;

    fn lines(from: u64, texts: &[&str]) -> LogChunk {
        let line = |(number, text): (u64, &&str)| LogLine {
            position: LogPosition { at: from + number, nth: 0 },
            received: None,
            text: format!("2026-11-30 03:29:05.228 UTC [7] {text}"),
        };
        LogChunk::Lines((0..).zip(texts).map(line).collect())
    }

    async fn read(chunks: Vec<LogChunk>, expected: Option<LogCursor>) -> Vec<(bool, Vec<String>)> {
        let stream = stream::iter(chunks.into_iter().map(Ok)).boxed();
        let mut reader = LogReader::new(stream, LogParser::default(), expected);
        let mut all = Vec::new();
        while let Some(Read { gap, entries }) = reader.next().await.unwrap() {
            all.push((gap, entries.into_iter().map(|entry| entry.message).collect()));
        }
        all
    }

    async fn cursor(text: &str, at: u64) -> LogCursor {
        let stream = stream::iter([Ok(lines(at, &[text]))]).boxed();
        LogReader::new(stream, LogParser::default(), None).next().await.unwrap().unwrap().entries[0].cursor
    }

    #[tokio::test]
    async fn it_goes_on_after_the_entry_of_a_cursor() {
        let chunks = || vec![lines(1, &["LOG:  a", "DETAIL:  of a", "LOG:  b"]), LogChunk::End, lines(4, &["LOG:  c"])];
        let (b, c) = (vec!["b".to_owned()], vec!["c".to_owned()]);
        assert_eq!(read(chunks(), Some(cursor("LOG:  a", 1).await)).await, [(false, b.clone()), (false, c.clone())]);
        let all = vec!["a".to_owned(), "b".to_owned()];
        for other in [cursor("LOG:  x", 1).await, cursor("LOG:  a", 0).await] {
            assert_eq!(read(chunks(), Some(other)).await, [(true, all.clone()), (false, c.clone())], "another entry");
        }
    }

    #[tokio::test]
    async fn a_gap_is_told_with_the_entry_after_it() {
        let chunks = vec![lines(1, &["LOG:  a"]), LogChunk::Gap, lines(9, &["DETAIL:  of another", "LOG:  b"]), LogChunk::End];
        assert_eq!(read(chunks, None).await, [(false, vec!["a".to_owned()]), (true, vec!["b".to_owned()])]);
        assert_eq!(read(vec![LogChunk::Gap, LogChunk::End], None).await, []);
    }
}
