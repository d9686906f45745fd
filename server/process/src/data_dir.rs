//! The data directory, which contains everything that a control plane stores on this machine.

use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io::{Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::unistd::{geteuid, gethostname};
use toygres_domain::runtime::Host;
use uuid::Uuid;

use super::{
    account::Account,
    error::{Error, IoContext, Result},
    lock::FileLock,
};

/// The data directory (`TOYGRES_DATA_DIR`) with its layout.
///
/// The control plane owns all directories except those that PostgreSQL writes, also if PostgreSQL runs as another user. PostgreSQL
/// can therefore not replace files that the control plane accesses with its own permissions.
#[derive(Clone, Debug)]
pub struct DataDir {
    path: PathBuf,
    id: Uuid,
}

/// The lock of the host of a data directory. The kernel releases it when the process exits.
#[derive(Debug)]
pub struct HostLock {
    // Releases the lock when it is dropped.
    _lock: FileLock,
}

impl DataDir {
    /// The default of `TOYGRES_DATA_DIR`: `/var/lib/toygres` for root (the user that PostgreSQL runs as cannot access `/root`), and
    /// the XDG data directory for other users.
    #[must_use]
    pub fn default_path() -> PathBuf {
        let user_dir = || match std::env::var_os("XDG_DATA_HOME").map(PathBuf::from) {
            Some(xdg) if xdg.is_absolute() => xdg.join("toygres"),
            _ => std::env::home_dir().unwrap_or_else(|| PathBuf::from("/var/tmp")).join(".local/share/toygres"),
        };
        if geteuid().is_root() { PathBuf::from("/var/lib/toygres") } else { user_dir() }
    }

    /// Checks what [`DataDir::open`] requires, without creating or changing anything: that an existing directory is the control plane's own,
    /// and that PostgreSQL's user can enter the existing directories above it.
    ///
    /// # Errors
    /// [`Error::Io`] when they cannot be read, [`Error::Setup`] when they are not as required.
    pub fn check(path: &Path, account: &Account) -> Result<()> {
        let path = std::path::absolute(path).context(format_args!("resolve {}", path.display()))?;
        let Ok(existing) = path.canonicalize() else {
            let above = path.ancestors().find_map(|above| above.canonicalize().ok());
            return above.map_or(Ok(()), |above| account.check_passage(&above));
        };
        let metadata = existing.metadata().context(format_args!("read the metadata of {}", existing.display()))?;
        if metadata.uid() != geteuid().as_raw() {
            return Err(Error::Setup(format!(
                "the data directory {} belongs to another user: run toygres as that user or set TOYGRES_DATA_DIR to another directory",
                existing.display()
            )));
        }
        // The directory itself is opened to that user.
        existing.parent().map_or(Ok(()), |above| account.check_passage(above))
    }

    /// Creates the directory and its layout if they are missing.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be created, [`Error::Setup`] when PostgreSQL's user cannot access it.
    pub fn open(path: &Path, account: &Account) -> Result<Self> {
        Self::check(path, account)?;
        // The user that PostgreSQL runs as may traverse the directory, but not list it.
        let mode = if account.is_other() { 0o711 } else { 0o700 };
        make_directory(path, mode)?;
        // Another user may have created it meanwhile.
        Self::check(path, account)?;
        let path = path.canonicalize().context(format_args!("resolve {}", path.display()))?;
        let metadata = path.metadata().context(format_args!("read the metadata of {}", path.display()))?;
        if metadata.mode() & 0o777 & mode != mode {
            std::fs::set_permissions(&path, Permissions::from_mode(metadata.mode() & 0o7777 | mode))
                .context(format_args!("open {}", path.display()))?;
        }
        for name in ["instances", "templates", "kept"] {
            make_directory(&path.join(name), mode)?;
        }
        account.check_passage(&path)?;
        let id = identity(&path.join("id"))?;
        Ok(Self { path, id })
    }

    /// The directory as the host of instances. A copy has the same identity, and a directory that is moved keeps it.
    #[must_use]
    pub fn host(&self) -> Host {
        let machine = gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "this machine".to_owned());
        Host { id: format!("process/{}", self.id), description: format!("the data directory {} of {machine}", self.path.display()) }
    }

    /// Becomes the host if there is none. The lock file contains the process id of the host, for information.
    ///
    /// # Errors
    /// [`Error::Io`] when the lock file cannot be written.
    pub fn try_host(&self) -> Result<Option<HostLock>> {
        let Some(mut lock) = FileLock::try_acquire(&self.path.join("lock"))? else { return Ok(None) };
        let file = lock.file();
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id())).context("write the lock file")?;
        Ok(Some(HostLock { _lock: lock }))
    }

    /// The process id of the host according to the lock file, for messages only.
    #[must_use]
    pub fn host_pid(&self) -> Option<u32> {
        std::fs::read_to_string(self.path.join("lock")).ok()?.trim().parse().ok()
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file or directory in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Reads the identity of a data directory, or gives it one.
fn identity(path: &Path) -> Result<Uuid> {
    let what = format!("read {}", path.display());
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let new = path.with_file_name(format!("id.new-{}", std::process::id()));
            File::create(&new).and_then(|mut file| writeln!(file, "{}", Uuid::new_v4()).and_then(|()| file.sync_all())).context(&what)?;
            // Unlike a rename, a hard link does not replace an identity that another server has written meanwhile.
            let linked = std::fs::hard_link(&new, path);
            let _ = std::fs::remove_file(&new);
            match linked {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error).context(&what),
                _ => {
                    sync_directory(path.parent().unwrap_or(path))?;
                    std::fs::read_to_string(path).context(&what)?
                }
            }
        }
        other => other.context(&what)?,
    };
    text.trim().parse().map_err(|_| Error::Setup(format!("{} must contain a UUID: restore it, or delete it if there is no instance", path.display())))
}

/// Creates a directory and its missing parents.
pub(super) fn make_directory(path: &Path, mode: u32) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        // Parent directories get the default mode.
        std::fs::create_dir_all(above).context(format_args!("create the directory {}", above.display()))?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(error).context(format_args!("create the directory {}", path.display()))
        }
        // Another control plane created it concurrently.
        Err(_) => Ok(()),
        // The umask was applied to the mode above.
        Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(mode)).context(format_args!("open {}", path.display())),
    }
}

/// Replaces a file atomically. It never has more permissions than `mode`.
pub(super) fn write_atomically(path: &Path, mode: u32, text: &str) -> Result<()> {
    let what = format!("write {}", path.display());
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let draft = path.with_file_name(name);
    let _ = std::fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft).context(&what)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.set_permissions(Permissions::from_mode(mode)))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&draft, path))
        .context(&what)?;
    sync_directory(path.parent().unwrap_or(path))
}

/// Syncs a directory, so that renames in it survive a power failure.
pub(super) fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).context(format_args!("write {}", path.display()))
}
