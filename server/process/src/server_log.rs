//! The log of an instance, as it is read: from the file that its server writes to, at the speed of the reader.

use std::{
    collections::VecDeque,
    fs::File,
    io::ErrorKind,
    os::unix::fs::{FileExt, MetadataExt},
    time::Duration,
};

use futures::{StreamExt, stream};
use toygres_domain::{
    InstanceId,
    instance::ReasonCode,
    runtime::{LogChunk, LogStart, LogStream, RuntimeError},
    server_log::{LogLine, LogPosition},
};

use super::{
    error::{Error, IoContext, Result},
    instance_dirs::{DirState, InstanceDirs},
    log_file,
};

/// Bytes that are read at once. A longer line is split.
const CHUNK: usize = 256 * 1024;
/// How often a log is looked at whose end was read.
const INTERVAL: Duration = Duration::from_millis(100);

/// Reads the log of one instance.
pub(super) struct LogReader {
    dirs: InstanceDirs,
    id: InstanceId,
    file: Option<File>,
    offset: u64,
    /// What is to be reported before anything else.
    ahead: VecDeque<LogChunk>,
}

impl LogReader {
    /// Opens the log. There may be no file yet.
    pub(super) fn open(dirs: &InstanceDirs, id: InstanceId, start: LogStart) -> Result<Self> {
        let mut this = Self { dirs: dirs.clone(), id, file: None, offset: 0, ahead: VecDeque::new() };
        if !this.is_deployed() {
            return Err(Error::LogNotHere(
                "its log is not in the data directory of this server: ask a server on the machine that the instance is on".to_owned(),
            ));
        }
        this.reopen()?;
        this.go_to(start)?;
        Ok(this)
    }

    fn is_deployed(&self) -> bool {
        self.dirs.path(self.id, DirState::Deployed).is_dir()
    }

    fn go_to(&mut self, start: LogStart) -> Result<()> {
        let Some(file) = &self.file else {
            match start {
                LogStart::Newest(_) => self.ahead.push_back(LogChunk::Oldest),
                LogStart::At(position) if position == LogPosition::default() => {}
                LogStart::At(_) => self.ahead.push_back(LogChunk::Gap),
            }
            return Ok(());
        };
        let length = file.metadata().context("read the log of the instance")?.len();
        let begin = log_file::data_after(file, 0).context("read the log of the instance")?;
        match start {
            LogStart::Newest(bytes) if length.saturating_sub(bytes) > begin => self.offset = next_line(file, length - bytes)?,
            LogStart::At(position) if position.at >= begin && position.at <= length => self.offset = position.at,
            LogStart::Newest(_) => {
                self.offset = next_line(file, begin)?;
                self.ahead.push_back(LogChunk::Oldest);
            }
            LogStart::At(_) => {
                self.offset = next_line(file, begin)?;
                self.ahead.push_back(LogChunk::Gap);
            }
        }
        Ok(())
    }

    /// Opens the file that the server writes to now. Returns whether it is another one.
    fn reopen(&mut self) -> Result<bool> {
        let file = match File::open(log_file::path(&self.dirs.path(self.id, DirState::Deployed))) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            other => other.context("open the log of the instance")?,
        };
        let inode = |file: &File| file.metadata().map(|metadata| metadata.ino()).context("read the log of the instance");
        if let Some(present) = &self.file
            && inode(present)? == inode(&file)?
        {
            return Ok(false);
        }
        (self.file, self.offset) = (Some(file), 0);
        Ok(true)
    }

    /// What follows.
    fn next(&mut self) -> Result<LogChunk> {
        if let Some(chunk) = self.ahead.pop_front() {
            return Ok(chunk);
        }
        loop {
            let Some(file) = &self.file else {
                if self.reopen()? {
                    continue;
                }
                return Ok(LogChunk::End);
            };
            let length = file.metadata().context("read the log of the instance")?.len();
            if length < self.offset {
                self.offset = 0;
                return Ok(LogChunk::Gap);
            }
            if let Some(chunk) = self.read()? {
                return Ok(chunk);
            }
            if !self.reopen()? {
                return Ok(LogChunk::End);
            }
        }
    }

    /// The next lines; `None` at the end.
    fn read(&mut self) -> Result<Option<LogChunk>> {
        let Some(file) = &self.file else { return Ok(None) };
        let mut bytes = vec![0; CHUNK];
        let count = file.read_at(&mut bytes, self.offset).context("read the log of the instance")?;
        if count == 0 {
            return Ok(None);
        }
        // Checked after it was read: what is data now was data then. The end of what is given back is given back first, so that a part that was
        // read can be missing although its beginning is not.
        let hole = log_file::hole_after(file, self.offset).context("read the log of the instance")?;
        if hole < self.offset + count as u64 {
            let begin = log_file::data_after(file, hole).context("read the log of the instance")?;
            self.offset = next_line(file, begin)?;
            return Ok(Some(LogChunk::Gap));
        }
        let complete = match bytes[..count].iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if count == CHUNK => count,
            None => return Ok(None),
        };
        let mut lines = Vec::new();
        for line in bytes[..complete].split_inclusive(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line)).into_owned();
            lines.push(LogLine { position: LogPosition { at: self.offset, nth: 0 }, received: None, text });
            self.offset += line.len() as u64;
        }
        Ok(Some(LogChunk::Lines(lines)))
    }
}

/// The start of the first line that begins after an offset, or at it if that is the start of the file.
fn next_line(file: &File, offset: u64) -> Result<u64> {
    // The byte in front of it may be the end of a line.
    let Some(mut at) = offset.checked_sub(1) else { return Ok(0) };
    let mut bytes = [0; 4096];
    loop {
        let count = file.read_at(&mut bytes, at).context("read the log of the instance")?;
        if let Some(end) = bytes[..count].iter().position(|byte| *byte == b'\n') {
            return Ok(at + end as u64 + 1);
        }
        if count == 0 {
            return Ok(at);
        }
        at += count as u64;
    }
}

/// What a reader reads: to the end, or on and on.
pub(super) fn stream(reader: LogReader, follow: bool) -> LogStream {
    enum State {
        Reading(Box<LogReader>),
        /// The end was read and reported.
        Waiting(Box<LogReader>),
        Over,
    }
    stream::unfold(State::Reading(Box::new(reader)), move |state| async move {
        let (mut reader, waiting) = match state {
            State::Reading(reader) => (reader, false),
            State::Waiting(reader) => (reader, true),
            State::Over => return None,
        };
        loop {
            if waiting {
                tokio::time::sleep(INTERVAL).await;
            }
            let outcome = tokio::task::spawn_blocking(move || {
                let next = reader.next();
                let is_over = !follow || !reader.is_deployed();
                (next, is_over, reader)
            });
            let Ok((next, is_over, returned)) = outcome.await else {
                let error = RuntimeError::temporary(ReasonCode::Internal, "the process runtime failed unexpectedly; the server's log says more");
                return Some((Err(error), State::Over));
            };
            reader = returned;
            return match next {
                Err(error) => Some((Err(error.into()), State::Over)),
                Ok(LogChunk::End) if is_over => Some((Ok(LogChunk::End), State::Over)),
                Ok(LogChunk::End) if waiting => continue,
                Ok(LogChunk::End) => Some((Ok(LogChunk::End), State::Waiting(reader))),
                Ok(chunk) => Some((Ok(chunk), State::Reading(reader))),
            };
        }
    })
    .boxed()
}
