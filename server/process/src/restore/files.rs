//! Copies the files of a data directory, also while its server writes there.
//!
//! The source belongs to the user that PostgreSQL runs as, who could put a symbolic link in place of a file, and the control plane may be
//! root: so everything is opened relative to a directory that is open already, and no link is followed. This is why it is neither a copy by
//! path nor `cp`.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::fchown,
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, mkdirat, openat, statat, unlinkat},
    io::Errno,
};
use tokio_util::sync::CancellationToken;

use super::{Stage, Stages, cancelled};
use crate::{
    account::Account,
    error::{Error, IoContext, Result},
};

/// Bytes after which a copy looks whether it was cancelled.
const CHUNK: u64 = 64 << 20;

/// Directories whose content belongs to a running server, or, with the slots, to the source alone. They are what a base backup omits.
const EMPTIED: [&CStr; 7] = [c"pg_dynshmem", c"pg_notify", c"pg_replslot", c"pg_serial", c"pg_snapshots", c"pg_stat_tmp", c"pg_subtrans"];
/// Files that it omits too.
const OMITTED: [&CStr; 6] = [LABEL, c"backup_manifest", c"current_logfiles.tmp", c"postgresql.auto.conf.tmp", c"postmaster.opts", c"postmaster.pid"];
/// Files whose names begin like this, too.
const OMITTED_PREFIXES: [&[u8]; 2] = [b"pg_internal.init", b"pgsql_tmp"];

const WAL: &CStr = c"pg_wal";
const LABEL: &CStr = c"backup_label";
/// It is copied by itself, in one piece, after everything else.
const CONTROL: [&CStr; 2] = [c"global", c"pg_control"];

/// A copy of one data directory to another.
pub(super) struct Copying {
    source: OwnedFd,
    target: OwnedFd,
    account: Account,
    cancel: CancellationToken,
    /// Whether a server writes into the source: what vanishes meanwhile was deleted by it, and the WAL says so too.
    live: bool,
    /// Whether every file has shared its blocks so far.
    shares: bool,
    bytes: u64,
    total: u64,
    stages: Stages,
}

impl Copying {
    /// Creates the target, and finds out how much there is to copy. Whether it can be shared instead is [`Self::shares`].
    pub(super) fn begin(source: &Path, target: &Path, account: &Account, live: bool, cancel: &CancellationToken, stages: &Stages) -> Result<Self> {
        let source = open_directory(CWD, source).context("open the data directory of the source")?;
        mkdirat(CWD, target, Mode::RWXU).map_err(io::Error::from).context(format_args!("create {}", target.display()))?;
        let target = open_directory(CWD, target).context(format_args!("open {}", target.display()))?;
        let (account, cancel, stages) = (account.clone(), cancel.clone(), stages.clone());
        let mut copying = Self { source, target, account, cancel, live, shares: true, bytes: 0, total: 0, stages };
        copying.give(&copying.target)?;
        copying.shares = copying.can_share()?;
        copying.total = copying.size(copying.source.as_fd(), true)?;
        copying.report();
        Ok(copying)
    }

    /// Whether every file has shared its blocks with that of the source so far.
    pub(super) fn shares(&self) -> bool {
        self.shares
    }

    /// The bytes to copy.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Whether the file system can share blocks between the source and the target, which a small file tells.
    fn can_share(&self) -> Result<bool> {
        let name = c"PG_VERSION";
        let Some(file) = open_file(&self.source, name)? else { return Err(vanished()) };
        let shares = share(&create_file(&self.target, name)?, &file)?;
        unlinkat(&self.target, name, AtFlags::empty()).map_err(io::Error::from).context("delete a file")?;
        Ok(shares)
    }

    /// Copies everything but the control file and, from a live source, the WAL.
    pub(super) fn copy(&mut self) -> Result<()> {
        let (source, target) = (clone(&self.source)?, clone(&self.target)?);
        self.copy_directory(&source, &target, true)
    }

    /// Copies the WAL in these files, which must exist, and the histories of timelines.
    pub(super) fn copy_wal(&mut self, segments: impl Iterator<Item = String>) -> Result<()> {
        let source = open_directory(&self.source, WAL).context("open pg_wal")?;
        let target = open_directory(&self.target, WAL).context("open pg_wal")?;
        let histories = names(&source)?.into_iter().filter(|name| name.to_bytes().ends_with(b".history"));
        for name in segments.filter_map(|name| CString::new(name).ok()).chain(histories) {
            if !self.copy_entry(&source, &target, &name)? {
                return Err(Error::Busy(format!("the server of the source has removed {} of its WAL", name.to_string_lossy())));
            }
        }
        Ok(())
    }

    /// Writes the control file, and the label of a backup.
    pub(super) fn finish(&self, control: &[u8], label: Option<&str>) -> Result<()> {
        let directory = open_directory(&self.target, CONTROL[0]).context("open global")?;
        self.write(&directory, CONTROL[1], control)?;
        label.map_or(Ok(()), |label| self.write(&self.target, LABEL, label.as_bytes()))
    }

    fn size(&self, directory: BorrowedFd<'_>, top: bool) -> Result<u64> {
        let mut bytes = 0;
        for name in names(directory)? {
            self.check_cancelled()?;
            let stat = match statat(directory, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                stat => stat.map_err(io::Error::from).context("read the size of the source")?,
            };
            if is_omitted(&name) || top && (EMPTIED.contains(&name.as_c_str()) || self.live && name.as_c_str() == WAL) {
                continue;
            }
            if !FileType::from_raw_mode(stat.st_mode).is_dir() {
                bytes += u64::try_from(stat.st_size).unwrap_or(0);
                continue;
            }
            match open_directory(directory, name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                directory => bytes += self.size(directory.context("read the size of the source")?.as_fd(), false)?,
            }
        }
        Ok(bytes)
    }

    fn copy_directory(&mut self, source: &OwnedFd, target: &OwnedFd, top: bool) -> Result<()> {
        for name in names(source)? {
            if is_omitted(&name) || name.as_c_str() == CONTROL[1] {
                continue;
            }
            if top && (EMPTIED.contains(&name.as_c_str()) || name.as_c_str() == WAL && self.live) {
                self.create_directory(target, &name)?;
                continue;
            }
            if !self.copy_entry(source, target, &name)? && !self.live {
                return Err(vanished());
            }
        }
        Ok(())
    }

    /// Copies a file or a directory; returns whether there is one.
    fn copy_entry(&mut self, source: &OwnedFd, target: &OwnedFd, name: &CStr) -> Result<bool> {
        self.check_cancelled()?;
        let Some(file) = open_file(source, name)? else { return Ok(false) };
        let stat = fstat(&file).map_err(io::Error::from).context("read the type of a file")?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let copy = self.create_directory(target, name)?;
                self.copy_directory(&file.into(), &copy, false)?;
            }
            FileType::RegularFile => self.copy_file(&file, target, name)?,
            _ => return Err(Error::Refused(format!("the source has {}, which is neither a file nor a directory", name.to_string_lossy()))),
        }
        Ok(true)
    }

    fn copy_file(&mut self, mut source: &File, target: &OwnedFd, name: &CStr) -> Result<()> {
        let what = || format!("copy {}", name.to_string_lossy());
        let mut copy = create_file(target, name)?;
        if self.shares && share(&copy, source)? {
            self.bytes += source.metadata().context(what())?.len();
        } else {
            self.shares = false;
            // The standard library has the kernel copy.
            loop {
                let copied = io::copy(&mut Read::by_ref(&mut source).take(CHUNK), &mut copy).context(what())?;
                if copied == 0 {
                    break;
                }
                self.bytes += copied;
                self.report();
                self.check_cancelled()?;
            }
        }
        self.report();
        self.give(&copy)
    }

    fn create_directory(&self, parent: &OwnedFd, name: &CStr) -> Result<OwnedFd> {
        let what = || format!("create the directory {}", name.to_string_lossy());
        mkdirat(parent, name, Mode::RWXU).map_err(io::Error::from).context(what())?;
        let directory = open_directory(parent, name).context(what())?;
        self.give(&directory)?;
        Ok(directory)
    }

    fn write(&self, parent: &OwnedFd, name: &CStr, content: &[u8]) -> Result<()> {
        let mut file = create_file(parent, name)?;
        file.write_all(content).context(format_args!("write {}", name.to_string_lossy()))?;
        self.give(&file)
    }

    /// Gives a file to the account that PostgreSQL runs as.
    fn give(&self, file: impl AsFd) -> Result<()> {
        let Some((uid, gid)) = self.account.ids() else { return Ok(()) };
        fchown(file, Some(uid), Some(gid)).context("change the owner of a file")
    }

    fn report(&self) {
        self.stages.set(Stage::Copying { bytes: self.bytes, total: self.total, shares: self.shares });
    }

    fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }
}

/// The control file of a cluster, as it is at a time.
pub(super) fn read_control(data: &Path) -> Result<Vec<u8>> {
    let read = || -> Result<Vec<u8>> {
        let data = open_directory(CWD, data).context("open the data directory of the source")?;
        let directory = open_directory(&data, CONTROL[0]).context("open global")?;
        let mut content = Vec::new();
        open_file(&directory, CONTROL[1])?.ok_or_else(vanished)?.read_to_end(&mut content).context("read the control file of the source")?;
        Ok(content)
    };
    // A server may write it while it is read.
    let mut last = read()?;
    loop {
        let again = read()?;
        if again == last {
            return Ok(again);
        }
        last = again;
    }
}

fn vanished() -> Error {
    Error::Busy("a file of the source has vanished".to_owned())
}

/// Whether a file is of no use to a copy, wherever it is.
fn is_omitted(name: &CStr) -> bool {
    OMITTED.contains(&name) || OMITTED_PREFIXES.iter().any(|prefix| name.to_bytes().starts_with(prefix))
}

/// Has the file system share the blocks of two files; returns whether it can.
#[cfg(target_os = "linux")]
fn share(target: &File, source: &File) -> Result<bool> {
    match rustix::fs::ioctl_ficlone(target, source) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::INVAL | Errno::NOTTY | Errno::NOSYS) => Ok(false),
        Err(error) => Err(io::Error::from(error)).context("share the blocks of a file"),
    }
}

/// Not on this system: there, only whole directories are cloned.
#[cfg(not(target_os = "linux"))]
fn share(_: &File, _: &File) -> Result<bool> {
    Ok(false)
}

fn names(directory: impl AsFd) -> Result<Vec<CString>> {
    let what = "list a directory of the source";
    let entries = Dir::read_from(directory).map_err(io::Error::from).context(what)?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(io::Error::from).context(what)?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Opens a file or directory to read it; `None` if there is none. A symbolic link is refused.
fn open_file(directory: &OwnedFd, name: &CStr) -> Result<Option<File>> {
    match openat(directory, name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP) => {
            let name = name.to_string_lossy();
            Err(Error::Refused(format!("the source has {name}, which is a link: what is outside of its data directory is not copied")))
        }
        Err(error) => Err(io::Error::from(error)).context(format_args!("open {}", name.to_string_lossy())),
    }
}

fn create_file(directory: &OwnedFd, name: &CStr) -> Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let created = openat(directory, name, flags, Mode::RUSR | Mode::WUSR).map_err(io::Error::from);
    created.map(File::from).context(format_args!("create {}", name.to_string_lossy()))
}

fn open_directory(directory: impl AsFd, name: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(directory, name, flags, Mode::empty())?)
}

fn clone(directory: &OwnedFd) -> Result<OwnedFd> {
    directory.try_clone().context("open a directory")
}
