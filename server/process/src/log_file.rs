//! The log files of clusters.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::error::{IoContext, Result};

/// A log that is longer than this is truncated. A copy of its last content is kept.
const LIMIT: u64 = 16 * 1024 * 1024;

/// The log of the cluster in `home`. It is outside the data directory, so that PostgreSQL's user cannot replace it.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join("log")
}

/// Opens the log for a server process to write to.
pub(super) fn open(home: &Path) -> Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o640).open(path(home)).context("open the log of the instance")
}

/// Truncates a log that is too long. The server continues to write to the same file.
pub(super) fn trim(home: &Path) {
    let log = path(home);
    if log.metadata().is_ok_and(|m| m.len() > LIMIT) {
        let cut = std::fs::copy(&log, home.join("log.1")).and_then(|_| OpenOptions::new().write(true).open(&log)).and_then(|file| file.set_len(0));
        if let Err(error) = cut {
            tracing::warn!(%error, log = %log.display(), "cannot truncate a long log");
        }
    }
}

/// The last error that the server logged, for users: one short line without paths of this machine.
pub(super) fn last_error(home: &Path) -> Option<String> {
    let mut file = File::open(path(home)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(8192))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    last_error_in(&String::from_utf8_lossy(&bytes), home)
}

/// Only messages of these levels: `DETAIL` and `STATEMENT` lines can quote what users typed.
pub(super) fn last_error_in(text: &str, home: &Path) -> Option<String> {
    const LEVELS: [&str; 4] = ["PANIC:  ", "FATAL:  ", "ERROR:  ", "error: "];
    let (_, message) = text.lines().rev().find_map(|line| LEVELS.iter().find_map(|level| line.split_once(level)))?;
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
    }
}
