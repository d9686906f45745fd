//! The segment that is being received, in a temporary file: thousands of streams must not keep theirs in memory.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use toygres_domain::wal::{Lsn, Segment, SegmentSize};

use crate::compression;

/// A segment as far as it has been received.
#[derive(Debug)]
pub(crate) struct Spool {
    pub(crate) segment: Segment,
    size: SegmentSize,
    file: Arc<File>,
    received: u64,
}

/// The content of a spool at one time.
#[derive(Debug)]
pub(crate) struct SpoolContent {
    pub(crate) segment: Segment,
    file: Arc<File>,
    /// Bytes that were received.
    pub(crate) received: u64,
    size: SegmentSize,
}

impl Spool {
    /// An empty one, in a file without a name.
    pub(crate) fn create(directory: &Path, segment: Segment, size: SegmentSize) -> io::Result<Self> {
        Ok(Self { segment, size, file: Arc::new(tempfile::tempfile_in(directory)?), received: 0 })
    }

    /// Appends what fits, and returns the rest. Writing to the page cache takes less time than handing the bytes to another thread.
    pub(crate) fn append(&mut self, mut data: Bytes) -> io::Result<Bytes> {
        let fits = usize::try_from(self.size.bytes() - self.received).unwrap_or(usize::MAX).min(data.len());
        let rest = data.split_off(fits);
        self.file.write_all_at(&data, self.received)?;
        self.received += data.len() as u64;
        Ok(rest)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.received == self.size.bytes()
    }

    /// The position up to which it was received.
    pub(crate) fn end(&self) -> Lsn {
        Lsn(self.size.start(self.segment.number).0 + self.received)
    }

    /// What was received so far. What is appended later does not change it.
    pub(crate) fn content(&self) -> SpoolContent {
        SpoolContent { segment: self.segment, file: self.file.clone(), received: self.received, size: self.size }
    }
}

impl SpoolContent {
    /// Compresses it, filled up with zeros to a whole segment, as PostgreSQL expects it.
    pub(crate) fn compress(&self) -> io::Result<Bytes> {
        let zeros = io::repeat(0).take(self.size.bytes() - self.received);
        compression::compress_reader(FileReader { file: &self.file, at: 0, end: self.received }.chain(zeros))
    }

    pub(crate) fn end(&self) -> Lsn {
        Lsn(self.size.start(self.segment.number).0 + self.received)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.received == self.size.bytes()
    }
}

/// Reads a range of a file without its cursor, which others use.
struct FileReader<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(&mut buffer[..wanted], self.at)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        Ok(read)
    }
}
