//! The minor version of a server: it is recorded when the server is started, and compared with that of the installation later.

use std::path::Path;

use toygres_domain::upgrade::AvailableUpdate;

use super::{data_dir::write_atomically, error::Result};

const FILE: &str = "server-version";

/// Records the version of a server that is about to be started.
pub(super) fn record(home: &Path, version: &str) -> Result<()> {
    write_atomically(&home.join(FILE), 0o600, &format!("{version}\n"))
}

/// The update that an installation of this version is for the server; `None` also if an earlier release started it, which recorded nothing.
pub(super) fn update(home: &Path, installed: &str) -> Option<AvailableUpdate> {
    let from = std::fs::read_to_string(home.join(FILE)).ok()?.trim().to_owned();
    (number(installed)? > number(&from)?).then(|| AvailableUpdate { from, to: installed.to_owned() })
}

/// The parts of a version such as `17.10`. A beta has none that could be compared.
fn number(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_newer_minor_version_is_an_update() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(update(home.path(), "17.10"), None, "nothing is known of the server");
        record(home.path(), "17.9").unwrap();
        assert_eq!(update(home.path(), "17.10"), Some(AvailableUpdate { from: "17.9".to_owned(), to: "17.10".to_owned() }));
        for installed in ["17.9", "17.8", "17beta1"] {
            assert_eq!(update(home.path(), installed), None, "{installed}");
        }
    }
}
