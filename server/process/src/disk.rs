//! The space on the file system of the data directory, which the instances and the embedded metadata database share.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::sys::statvfs::statvfs;
use toygres_domain::instance::{Reason, ReasonCode};

use super::error::{Error, IoContext, Result};

pub(super) const MEGABYTE: u64 = 1_000_000;
/// How old a measurement may be.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often it is repeated that the disk is full.
const REMINDER: Duration = Duration::from_secs(10);
/// A full disk has space again when, in addition to the minimum, a quarter of it is available, or this, so that it does not change back
/// and forth.
const MAX_MARGIN: u64 = 100 * MEGABYTE;

/// The space on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// What PostgreSQL can still write.
    pub available: u64,
    /// All of it.
    pub size: u64,
}

impl DiskSpace {
    /// The space on the file system of `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when the operating system does not tell.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let found = statvfs(path).map_err(std::io::Error::from).context(format_args!("read the space on the disk of {}", path.display()))?;
        #[allow(clippy::useless_conversion, reason = "on macOS, the number of blocks has 32 bits")]
        let bytes = |blocks| u64::from(blocks) * u64::from(found.fragment_size());
        Ok(Self { available: bytes(found.blocks_available()), size: bytes(found.blocks()) })
    }
}

/// What concerns every instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The disk is full. This is repeated while it is, because who has just begun to listen does not know it.
    Full,
    /// It has space again.
    Free,
}

/// The file system of a data directory.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    /// It is full when less than this is available, in bytes.
    minimum: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    space: Option<DiskSpace>,
    measured_at: Option<Instant>,
    full_since: Option<Instant>,
    reminded: Option<Instant>,
}

impl Disk {
    /// The file system of `path`, which is full when less than `minimum_mb` are available.
    pub(super) fn new(path: &Path, minimum_mb: u32) -> Self {
        Self { path: path.to_owned(), minimum: u64::from(minimum_mb) * MEGABYTE, state: Mutex::default() }
    }

    /// Measures the space, at most once a second.
    ///
    /// # Errors
    /// [`Error::Io`] when the operating system does not tell.
    pub(super) fn measure(&self) -> Result<Option<Change>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.measured_at.is_some_and(|at| at.elapsed() < INTERVAL) {
            return Ok(None);
        }
        state.measured_at = Some(Instant::now());
        let space = DiskSpace::of(&self.path)?;
        state.space = Some(space);
        let (before, now) = (state.full_since.is_some(), is_full(space.available, self.minimum, state.full_since.is_some()));
        state.full_since = now.then(|| state.full_since.unwrap_or_else(Instant::now));
        if now && state.reminded.is_none_or(|at| at.elapsed() >= REMINDER) {
            state.reminded = Some(Instant::now());
            return Ok(Some(Change::Full));
        }
        if before && !now {
            state.reminded = None;
            return Ok(Some(Change::Free));
        }
        Ok(None)
    }

    /// The last measurement.
    pub(super) fn space(&self) -> Option<DiskSpace> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).space
    }

    /// Since when it is full, and a reason that says so; `None` if it has space, or was not measured yet.
    pub(super) fn full(&self) -> Option<(Instant, Reason)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, space) = (state.full_since?, state.space?);
        let message = format!(
            "the disk of {} is full: {} of {} MB are available, less than the {} MB of TOYGRES_MIN_FREE_DISK_MB; delete something, or enlarge it",
            self.path.display(),
            space.available / MEGABYTE,
            space.size / MEGABYTE,
            self.minimum / MEGABYTE,
        );
        Some((since, Reason::new(ReasonCode::DiskFull, message)))
    }

    /// # Errors
    /// [`Error::DiskFull`] when it is full.
    pub(super) fn check(&self) -> Result<()> {
        self.full().map_or(Ok(()), |(_, reason)| Err(Error::DiskFull(reason.message)))
    }

    /// Refuses to write as many bytes if the disk would be full then. Nothing is refused before it was measured.
    pub(super) fn check_room(&self, bytes: u64) -> Result<()> {
        match self.space() {
            Some(DiskSpace { available, .. }) if available < bytes.saturating_add(self.minimum) => {
                let needed = bytes.saturating_add(self.minimum);
                Err(Error::DiskFull(format!(
                    "the disk of {} has too little space: of {} MB that are needed, {} MB are missing; delete something, or enlarge it",
                    self.path.display(),
                    needed.div_ceil(MEGABYTE),
                    (needed - available).div_ceil(MEGABYTE)
                )))
            }
            _ => Ok(()),
        }
    }
}

fn is_full(available: u64, minimum: u64, before: bool) -> bool {
    let limit = if before { minimum.saturating_add((minimum / 4).min(MAX_MARGIN)) } else { minimum };
    available < limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_has_space_again_only_with_a_margin() {
        assert!(!is_full(100, 100, false) && is_full(99, 100, false));
        assert!(is_full(124, 100, true) && !is_full(125, 100, true));
        assert!(!is_full(0, 0, false) && !is_full(0, 0, true), "a minimum of 0 turns it off");
    }

    #[test]
    fn the_space_is_that_of_the_file_system() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::new(directory.path(), 0);
        assert_eq!(disk.space(), None);
        assert_eq!(disk.measure().unwrap(), None);
        let DiskSpace { available, size } = disk.space().unwrap();
        assert!(0 < available && available <= size, "{available} of {size}");
        assert!(disk.check().is_ok());
        // No disk has so much.
        let full = Disk::new(directory.path(), u32::MAX);
        assert_eq!(full.measure().unwrap(), Some(Change::Full));
        assert_eq!(full.measure().unwrap(), None, "it is measured once a second");
        assert!(matches!(full.check(), Err(Error::DiskFull(_))));
    }
}
