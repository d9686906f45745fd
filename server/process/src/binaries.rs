//! The PostgreSQL installations of this machine.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use toygres_domain::instance::PostgresVersion;

use super::{
    error::{Error, Result},
    packages::{Contents, Packages},
};

mod parts;

pub use parts::MissingPart;

/// The advice if no PostgreSQL is found.
const INSTALL: &str = "run `toygres postgres install`, install it as a package of the system (Debian and Ubuntu: `apt-get install postgresql`; \
                       Fedora: `dnf install postgresql-server`; macOS: `brew install postgresql@18`), or set TOYGRES_PG_BIN to the directory of its programs";

/// The PostgreSQL installations of this machine, one for each major version. Clones share what is found. An instance of a version that is
/// not on offer any more keeps running with its installation, and nothing else uses that.
#[derive(Clone, Debug)]
pub struct Binaries {
    configured: Option<String>,
    packages: Option<Packages>,
    found: Arc<Mutex<Found>>,
}

#[derive(Debug)]
struct Found {
    installations: Installations,
    /// What the packages were when they were searched.
    packages: Contents,
}

type Installations = BTreeMap<Reverse<PostgresVersion>, Installation>;

/// Where an installation comes from. The order is that of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// `TOYGRES_PG_BIN`.
    Configured,
    /// A package of the system, or whatever else is in the places of those.
    System,
    /// `toygres postgres install`.
    DataDir,
}

/// One installation of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Where it comes from.
    pub source: Source,
    /// The directory of `postgres` and `initdb`.
    pub bin: PathBuf,
    /// Where it was found, which can be a symbolic link to another one later, and when the program had changed last.
    found: (PathBuf, Option<SystemTime>),
    /// The major version.
    pub major: PostgresVersion,
    /// The full version, for example `17.2`.
    pub version: String,
    /// Where it looks for libraries; `None` if it is not known.
    libraries: Option<PathBuf>,
    /// Whether it was built with TLS.
    pub tls: bool,
}

impl Binaries {
    /// Searches the directories of `configured` (`TOYGRES_PG_BIN`, several separated by colons) and the places where packages
    /// install PostgreSQL. If a major version is found twice, the first directory is used.
    ///
    /// # Errors
    /// [`Error::PostgresMissing`] with a sentence that says what to install when there is nothing, and [`Error::Setup`]
    /// when a configured directory has no server programs.
    pub fn find(configured: Option<&str>) -> Result<Self> {
        Self::search(configured, None)
    }

    /// Like [`Self::find`], and what `toygres postgres install` has put into the data directory, now or later.
    ///
    /// # Errors
    /// See [`Self::find`].
    pub fn find_with_packages(configured: Option<&str>, data_dir: &Path) -> Result<Self> {
        Self::search(configured, Some(Packages::new(data_dir)))
    }

    /// Every installation, in the order of precedence: of each major version, the first one is used.
    ///
    /// # Errors
    /// [`Error::Setup`] when a configured directory has no server programs.
    pub fn survey(configured: Option<&str>, data_dir: &Path) -> Result<Vec<Installation>> {
        search(configured, Some(&Packages::new(data_dir)))
    }

    fn search(configured: Option<&str>, packages: Option<Packages>) -> Result<Self> {
        // Before the search, so that a package that is added meanwhile leads to another one.
        let contents = packages.as_ref().map(Packages::contents).unwrap_or_default();
        let installations = first_of_each(search(configured, packages.as_ref())?)?;
        let found = Arc::new(Mutex::new(Found { installations, packages: contents }));
        Ok(Self { configured: configured.map(str::to_owned), packages, found })
    }

    /// The major versions on offer, newest first; at least one.
    #[must_use]
    pub fn versions(&self) -> Vec<PostgresVersion> {
        self.all().iter().map(|installation| installation.major).collect()
    }

    /// The newest installation of a version on offer.
    #[must_use]
    pub fn newest(&self) -> Installation {
        self.current()
            .installations
            .values()
            .find(|installation| installation.is_offered())
            .cloned()
            .expect("a search that finds none is an error, and what was found before is kept")
    }

    /// Every installation of a version on offer, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<Installation> {
        self.current().installations.values().filter(|installation| installation.is_offered()).cloned().collect()
    }

    /// Whether the installation of a major version was built with TLS. One that is missing at the moment counts as one that was.
    #[must_use]
    pub fn speaks_tls(&self, major: PostgresVersion) -> bool {
        self.current().installations.get(&Reverse(major)).is_none_or(|installation| installation.tls)
    }

    /// The installation of a major version. Searches again if it is missing or has changed: the upgrade of a package replaces the programs, or
    /// the directory, of a minor version.
    ///
    /// # Errors
    /// [`Error::PostgresMissing`] with a sentence that names the versions that are installed.
    pub fn of(&self, major: PostgresVersion) -> Result<Installation> {
        let known = || {
            self.current().installations.get(&Reverse(major)).filter(|installation| installation.is_present() && installation.is_unchanged()).cloned()
        };
        if let Some(installation) = known() {
            return Ok(installation);
        }
        let missing = |why: String| Error::PostgresMissing(format!("PostgreSQL {major} is not installed on this machine any more: {why}"));
        self.search_again(&mut self.lock()).map_err(|error| missing(error.to_string()))?;
        known().ok_or_else(|| {
            let others: Vec<_> = self.versions().iter().map(ToString::to_string).collect();
            Error::PostgresMissing(format!(
                "PostgreSQL {major} is not installed on this machine (installed: {}): run `toygres postgres install {major}`, install its server \
                 package, or set TOYGRES_PG_BIN",
                others.join(", ")
            ))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found, after another search if a package was added, replaced or removed since.
    fn current(&self) -> MutexGuard<'_, Found> {
        let mut found = self.lock();
        if self.packages.as_ref().is_some_and(|packages| packages.contents() != found.packages)
            && let Err(error) = self.search_again(&mut found)
        {
            tracing::warn!(%error, "PostgreSQL was searched again, because packages in the data directory have changed");
        }
        found
    }

    /// If there is nothing any more, what was found before is kept.
    fn search_again(&self, found: &mut Found) -> Result<()> {
        found.packages = self.packages.as_ref().map(Packages::contents).unwrap_or_default();
        let again = first_of_each(search(self.configured.as_deref(), self.packages.as_ref())?)?;
        for installation in again.values() {
            tracing::info!(version = %installation.version, bin = %installation.bin.display(), "found PostgreSQL");
        }
        found.installations = again;
        Ok(())
    }
}

/// Searches the directories of `configured`, the usual places, and then the packages of the data directory.
fn search(configured: Option<&str>, packages: Option<&Packages>) -> Result<Vec<Installation>> {
    let mut found = Vec::new();
    for directory in configured.unwrap_or_default().split(':').filter(|d| !d.is_empty()) {
        found.push(Installation::inspect(Path::new(directory), Source::Configured).ok_or_else(|| {
            Error::Setup(format!("TOYGRES_PG_BIN names {directory}, which has no working server programs (postgres, initdb) of PostgreSQL"))
        })?);
    }
    let packaged = packages.map(Packages::directories).unwrap_or_default();
    let others = usual_places().into_iter().map(|place| (place, Source::System)).chain(packaged.into_iter().map(|place| (place, Source::DataDir)));
    for (place, source) in others {
        if let Some(installation) = Installation::inspect(&place, source)
            && found.iter().all(|other| other.bin != installation.bin)
        {
            found.push(installation);
        }
    }
    Ok(found)
}

/// The first installation of each major version; at least one of a version on offer.
fn first_of_each(found: Vec<Installation>) -> Result<Installations> {
    let mut first = BTreeMap::new();
    for installation in found {
        first.entry(Reverse(installation.major)).or_insert(installation);
    }
    if !first.values().any(Installation::is_offered) {
        let offered = PostgresVersion::offered().map(|version| version.to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::PostgresMissing(format!("no server of PostgreSQL (one of {offered}) is installed on this machine: {INSTALL}")));
    }
    Ok(first)
}

impl Installation {
    /// Checks that a directory contains the programs and that they report their version. Symbolic links are resolved first, because
    /// the directory of a link such as `/usr/local/bin/postgres` may not contain the other programs.
    pub(super) fn inspect(directory: &Path, source: Source) -> Option<Self> {
        let bin = directory.join("postgres").canonicalize().ok()?.parent()?.to_owned();
        if !bin.join("initdb").is_file() {
            return None;
        }
        let version = parse_version(&output_of(Command::new(bin.join("postgres")).arg("--version"))?)?;
        let major = PostgresVersion(version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?);
        // It needs the names of some files, none of which has to exist.
        let mut library = Command::new(bin.join("postgres"));
        library.args(["-C", "ssl_library", "-c", "data_directory=/"]);
        library.args(["config_file", "hba_file", "ident_file"].iter().flat_map(|name| ["-c".to_owned(), format!("{name}=/dev/null")]));
        let tls = output_of(&mut library).is_some_and(|name| !name.trim().is_empty());
        let libraries = libraries_of(&bin);
        Some(Self { source, found: (directory.to_owned(), changed_at(&bin.join("postgres"))), bin, major, version, libraries, tls })
    }

    fn is_offered(&self) -> bool {
        self.major.release().is_some()
    }

    fn is_present(&self) -> bool {
        ["postgres", "initdb"].iter().all(|name| self.program(name).is_file())
    }

    /// Whether it is the installation that was inspected: the update of a package replaces the program, or the target of a link to it.
    fn is_unchanged(&self) -> bool {
        let program = self.program("postgres");
        self.found.0.join("postgres").canonicalize().is_ok_and(|now| now == program) && self.found.1 == changed_at(&program)
    }

    /// Whether it has this library of PostgreSQL's contrib modules, which some packages lack.
    pub(super) fn has_library(&self, name: &str) -> bool {
        self.libraries.as_ref().is_some_and(|libraries| ["so", "dylib"].iter().any(|kind| libraries.join(name).with_extension(kind).is_file()))
    }

    /// One of its programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

fn changed_at(program: &Path) -> Option<SystemTime> {
    program.metadata().ok()?.modified().ok()
}

/// The library directory of an installation. Packages of servers often lack `pg_config`, so the places relative to the programs are tried
/// too, as PostgreSQL itself does (`make_relative_path` in its `path.c`).
fn libraries_of(bin: &Path) -> Option<PathBuf> {
    let told = output_of(Command::new(bin.join("pg_config")).arg("--pkglibdir")).map(|path| PathBuf::from(path.trim()));
    let relative = ["../lib", "../lib/postgresql", "../lib64/pgsql"].map(|path| bin.join(path));
    // Every server has this library.
    told.into_iter().chain(relative).find(|path| ["plpgsql.so", "plpgsql.dylib"].iter().any(|name| path.join(name).is_file()))
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    if let Some(bindir) = output_of(Command::new("pg_config").arg("--bindir")) {
        places.push(PathBuf::from(bindir.trim()));
    }
    for (parent, prefix, rest) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        let mut matching: Vec<_> =
            entries.flatten().filter(|e| e.file_name().to_string_lossy().starts_with(prefix)).map(|e| e.path().join(rest)).collect();
        matching.sort();
        places.extend(matching);
    }
    // Fedora, Arch and Alpine install one version into the system's directories.
    places.extend(["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/usr/libexec/postgresql"].map(PathBuf::from));
    places
}

fn output_of(command: &mut Command) -> Option<String> {
    // Nothing of the caller's environment but where to look.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let output = command.env_clear().env("PATH", path).env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Parses, for example, `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<String> {
    let version = text.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_packages_print() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").as_deref(), Some("15.18"));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n").as_deref(), Some("18beta1"));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn a_configured_directory_without_programs_is_named() {
        let error = Binaries::find(Some("/nonexistent/bin")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/bin"), "{error}");
    }

    #[test]
    fn what_is_missing_and_what_there_is_are_named() {
        let binaries = Binaries::find(None).unwrap();
        let error = binaries.of(PostgresVersion(99)).unwrap_err().to_string();
        assert!(error.contains("PostgreSQL 99") && error.contains(&format!("installed: {}", binaries.newest().major)), "{error}");
    }
}
