//! The data directory from before an upgrade: it is kept until the upgrade is confirmed, or becomes the present one again.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use toygres_domain::instance::PostgresVersion;

use crate::{
    cluster::{Cluster, remove_directory},
    data_dir::sync_directory,
    error::{IoContext, Result},
};

/// Where it is kept.
pub(super) const FORMER: &str = "former";
/// How the names of data directories begin that are not needed any more. The rest is unique: while one is removed, another one may follow.
const DISCARDED: &str = "discarded";

/// Whether the data from before this upgrade, which is of version `from`, was put aside. `former` may also be of an earlier upgrade, which was
/// confirmed: that is of an earlier version than the present data, and nobody wants it back.
pub(super) fn has_switched(cluster: &Cluster, from: PostgresVersion) -> Result<bool> {
    let version = |data: &Path| match std::fs::read_to_string(data.join("PG_VERSION")) {
        Ok(text) => Ok(text.trim().parse().ok().map(PostgresVersion)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error).context("read the version of the data"),
    };
    Ok(version(&cluster.home().join(FORMER))? == Some(from) && version(&cluster.data())? != Some(from))
}

/// Removes the data from before an upgrade that is confirmed.
pub(crate) fn remove_former(home: &Path) -> Result<()> {
    let former = home.join(FORMER);
    if former.is_dir() {
        rename(&former, &unique_discarded(home))?;
    }
    let discarded = all_discarded(home)?;
    if !discarded.is_empty() {
        // It may take a while.
        std::thread::spawn(move || {
            for directory in discarded {
                if let Err(error) = remove_directory(&directory) {
                    tracing::warn!(%error, "the data from before an upgrade could not be removed; the next deployment removes it");
                }
            }
        });
    }
    Ok(())
}

fn unique_discarded(home: &Path) -> PathBuf {
    home.join(format!("{DISCARDED}-{}", uuid::Uuid::now_v7()))
}

/// What a thread removes, or would have if its process had not ended. An earlier release gave all of them the same name.
fn all_discarded(home: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(home).context("list the directory of the instance")?.flatten();
    Ok(entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(DISCARDED)).map(|entry| entry.path()).collect())
}

/// Makes the former data directory the present one again. No server runs.
pub(super) fn put_back(cluster: &Cluster) -> Result<()> {
    let (home, discarded) = (cluster.home(), unique_discarded(cluster.home()));
    if cluster.data().exists() {
        rename(&cluster.data(), &discarded)?;
    }
    rename(&home.join(FORMER), &cluster.data())?;
    sync_directory(home)?;
    remove_directory(&discarded)
}

/// Renames a directory.
pub(super) fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).context(format_args!("rename {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn home() -> (tempfile::TempDir, Cluster) {
        let directory = tempfile::tempdir().unwrap();
        let cluster = Cluster::new("x".to_owned(), directory.path().to_owned());
        (directory, cluster)
    }

    fn make(directory: &Path, version: u16) {
        std::fs::create_dir(directory).unwrap();
        std::fs::write(directory.join("PG_VERSION"), format!("{version}\n")).unwrap();
    }

    #[test]
    fn the_former_data_is_put_back_from_every_point() {
        let (directory, cluster) = home();
        for has_new in [true, false] {
            make(&directory.path().join(FORMER), 15);
            if has_new {
                std::fs::create_dir(cluster.data()).unwrap();
            }
            assert!(has_switched(&cluster, PostgresVersion(15)).unwrap());
            put_back(&cluster).unwrap();
            assert_eq!(cluster.version().unwrap(), PostgresVersion(15));
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
            assert!(!has_switched(&cluster, PostgresVersion(15)).unwrap(), "a second time");
            std::fs::remove_dir_all(cluster.data()).unwrap();
        }
    }

    #[test]
    fn only_the_data_from_before_the_same_upgrade_is_put_back() {
        let (directory, cluster) = home();
        make(&directory.path().join(FORMER), 15);
        make(&cluster.data(), 16);
        assert!(!has_switched(&cluster, PostgresVersion(16)).unwrap(), "it is from before an earlier one");
        assert!(has_switched(&cluster, PostgresVersion(15)).unwrap());
    }

    #[test]
    fn data_that_is_not_needed_any_more_goes_although_the_last_one_has_not_gone_yet() {
        let (directory, _) = home();
        make(&directory.path().join(FORMER), 16);
        make(&directory.path().join(DISCARDED), 15);
        remove_former(directory.path()).unwrap();
        assert!(!directory.path().join(FORMER).exists(), "nobody can put it back from now on");
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::fs::read_dir(directory.path()).unwrap().count() > 0 {
            assert!(Instant::now() < deadline, "both are removed");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
