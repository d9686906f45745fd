//! The log files of clusters.
//!
//! A server appends to one file for as long as it runs, so the file cannot be replaced by another one. Its oldest part is given back to the file
//! system instead: what remains stays where it is, so that positions in it are good for ever and nothing that is written meanwhile is lost.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::error::{IoContext, Result};

/// What is kept of a log at least, in bytes.
pub(super) const KEPT: u64 = 32 * 1024 * 1024;
/// A log that takes as much more of the disk is cut.
const SLACK: u64 = 4 * 1024 * 1024;
/// File systems give back whole blocks.
const BLOCK: u64 = 64 * 1024;
/// The size of a file, with what was given back, after which the next start of the server begins a new one. File systems limit it.
const LONGEST: u64 = 1 << 40;

/// The log of the cluster in `home`. It is outside the data directory, so that PostgreSQL's user cannot replace it.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join("log")
}

/// Opens the log for a server process to write to.
pub(super) fn open(home: &Path) -> Result<File> {
    let path = path(home);
    if path.metadata().is_ok_and(|log| log.len() > LONGEST) {
        std::fs::remove_file(&path).context("begin a new log of the instance")?;
    }
    OpenOptions::new().append(true).create(true).mode(0o640).open(path).context("open the log of the instance")
}

/// Cuts a log that is too long. The server continues to write to the same file.
pub(super) fn trim(home: &Path) {
    let log = path(home);
    let Ok(metadata) = log.metadata() else { return };
    // In units of 512 bytes, whatever the file system.
    if metadata.blocks() * 512 <= KEPT + SLACK {
        return;
    }
    let end = metadata.len().saturating_sub(KEPT) / BLOCK * BLOCK;
    if let Err(error) = OpenOptions::new().write(true).open(&log).and_then(|file| release(&file, end, home)) {
        tracing::warn!(%error, log = %log.display(), "cannot cut a long log");
    }
}

/// Gives back the disk space of everything in front of `end`.
#[cfg(target_os = "linux")]
fn release(file: &File, end: u64, home: &Path) -> std::io::Result<()> {
    use nix::{
        errno::Errno,
        fcntl::{FallocateFlags, fallocate},
    };
    let mode = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    match fallocate(file, mode, 0, i64::try_from(end).unwrap_or(i64::MAX)) {
        Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => truncate(file, home),
        outcome => Ok(outcome?),
    }
}

#[cfg(not(target_os = "linux"))]
fn release(file: &File, _end: u64, home: &Path) -> std::io::Result<()> {
    truncate(file, home)
}

/// Where space cannot be given back in part: a copy of the content is kept, and those who read the log are told that they have missed something.
fn truncate(file: &File, home: &Path) -> std::io::Result<()> {
    std::fs::copy(path(home), home.join("log.1"))?;
    file.set_len(0)
}

/// Where data begins at or after an offset: further on, if what was there was given back.
pub(super) fn data_after(file: &File, offset: u64) -> std::io::Result<u64> {
    seek(file, offset, Kind::Data)
}

/// Where the first part begins, at or after an offset, that was given back; the end of the file if none was.
pub(super) fn hole_after(file: &File, offset: u64) -> std::io::Result<u64> {
    seek(file, offset, Kind::Hole)
}

#[derive(Clone, Copy)]
enum Kind {
    Data,
    Hole,
}

#[cfg(target_os = "linux")]
fn seek(file: &File, offset: u64, kind: Kind) -> std::io::Result<u64> {
    use nix::{
        errno::Errno,
        unistd::{Whence, lseek},
    };
    let whence = match kind {
        Kind::Data => Whence::SeekData,
        Kind::Hole => Whence::SeekHole,
    };
    match lseek(file, i64::try_from(offset).unwrap_or(i64::MAX), whence) {
        Ok(found) => Ok(u64::try_from(found).unwrap_or(offset)),
        // There is none up to the end, or the end is in front of the offset.
        Err(Errno::ENXIO) => Ok(file.metadata()?.len().max(offset)),
        Err(Errno::EINVAL | Errno::EOPNOTSUPP) => without_holes(file, offset, kind),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn seek(file: &File, offset: u64, kind: Kind) -> std::io::Result<u64> {
    without_holes(file, offset, kind)
}

/// In a file in which everything is data.
fn without_holes(file: &File, offset: u64, kind: Kind) -> std::io::Result<u64> {
    match kind {
        Kind::Data => Ok(offset),
        Kind::Hole => Ok(file.metadata()?.len().max(offset)),
    }
}

/// The last error that the server logged, for users: one short line without paths of this machine.
pub(super) fn last_error(home: &Path) -> Option<String> {
    last_error_in(&tail(home), home)
}

/// The last kilobytes of the log; empty if it cannot be read.
pub(super) fn tail(home: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path(home))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(8192)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// Only messages of these levels: `DETAIL` and `STATEMENT` lines can quote what users typed. Which setting is wrong, a server says in the message
/// before its last one.
pub(super) fn last_error_in(text: &str, home: &Path) -> Option<String> {
    const LEVELS: [&str; 4] = ["PANIC:  ", "FATAL:  ", "ERROR:  ", "error: "];
    const SETTINGS: [&str; 2] = ["LOG:  invalid value for parameter ", "LOG:  unrecognized configuration parameter "];
    let mut lines = text.lines().rev();
    let (_, mut message) = lines.find_map(|line| LEVELS.iter().find_map(|level| line.split_once(level)))?;
    if message.starts_with("configuration file ") && message.ends_with("contains errors") {
        let setting = lines.find_map(|line| SETTINGS.iter().find(|setting| line.contains(**setting)).and(line.split_once("LOG:  ")));
        message = setting.map_or(message, |(_, setting)| setting);
    }
    let clean: String = message.replace(&*home.to_string_lossy(), "…").chars().filter(|c| !c.is_control()).take(300).collect();
    Some(clean.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_error_is_short_and_without_paths() {
        let text = "2026-01-01 UTC [1] FATAL:  old\n\
                    2026-01-01 UTC [1] FATAL:  could not open \"/d/i/data/global\"\n\
                    2026-01-01 UTC [1] STATEMENT:  ALTER ROLE x PASSWORD 'secret'\n\
                    2026-01-01 UTC [1] LOG:  database system is shut down\n";
        assert_eq!(last_error_in(text, Path::new("/d/i")).as_deref(), Some("could not open \"…/data/global\""));
        assert_eq!(last_error_in("LOG:  fine\n", Path::new("/d")), None);
        let setting =
            "[1] LOG:  invalid value for parameter \"max_workers\": 9\n[1] FATAL:  configuration file \"/d/i/postgresql.conf\" contains errors\n";
        assert_eq!(last_error_in(setting, Path::new("/d/i")).as_deref(), Some("invalid value for parameter \"max_workers\": 9"));
    }

    #[test]
    fn a_long_log_is_cut_where_it_is() {
        use std::{io::Write, os::unix::fs::FileExt};

        let home = tempfile::tempdir().unwrap();
        let mut log = open(home.path()).unwrap();
        log.write_all(&vec![b'a'; 1024 * 1024]).unwrap();
        trim(home.path());
        assert_eq!(data_after(&File::open(path(home.path())).unwrap(), 0).unwrap(), 0, "a short one is left alone");
        for _ in 0..60 {
            log.write_all(&vec![b'b'; 1024 * 1024]).unwrap();
            trim(home.path());
        }
        let (file, length) = (File::open(path(home.path())).unwrap(), 61 * 1024 * 1024);
        assert_eq!(file.metadata().unwrap().len(), length);
        assert!(file.metadata().unwrap().blocks() * 512 <= KEPT + SLACK + BLOCK);
        let begin = data_after(&file, 0).unwrap();
        assert!((1..=length - KEPT).contains(&begin), "{begin}");
        let mut kept = vec![0; usize::try_from(length - begin).unwrap()];
        file.read_exact_at(&mut kept, begin).unwrap();
        assert!(kept.iter().all(|byte| *byte == b'b'));
        assert_eq!(data_after(&file, length + 7).unwrap(), length + 7);
        assert_eq!((hole_after(&file, 0).unwrap(), hole_after(&file, begin).unwrap()), (0, length));
    }
}
