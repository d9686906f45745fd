//! Where `psql` is installed.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The path of `psql`: the first one on `PATH`, else one that is installed with a PostgreSQL server.
pub(crate) fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let configured = env::var_os("TOYGRES_PG_BIN").unwrap_or_default();
    let mut directories = env::split_paths(&path).chain(env::split_paths(&configured)).chain(pg_config()).chain(installed());
    directories.find_map(|directory| Some(directory.join("psql")).filter(|psql| psql.is_file()))
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().into())
}

/// The directories of packages: Debian and Ubuntu, Homebrew on Apple silicon, Homebrew on Intel. The newest version first.
fn installed() -> impl Iterator<Item = PathBuf> {
    [
        ("/usr/lib/postgresql", ""),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
        ("/opt/homebrew/opt", "libpq"),
        ("/usr/local/opt", "libpq"),
    ]
    .into_iter()
    .flat_map(|(parent, prefix)| versions(Path::new(parent), prefix))
}

/// The `bin` directories below the directories of `parent` that are named `prefix` and a version, the newest version first.
fn versions(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix(prefix)?.to_owned();
            let number = if version.is_empty() { 0 } else { version.split('.').next()?.parse().ok()? };
            Some((number, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["postgresql@9.6", "postgresql@17", "postgresql@14", "libpq", "postgresql@old", "node@22"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found =
            |prefix| versions(parent.path(), prefix).iter().map(|bin| bin.strip_prefix(parent.path()).unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(found("postgresql@"), ["postgresql@17/bin", "postgresql@14/bin", "postgresql@9.6/bin"].map(PathBuf::from));
        assert_eq!(found("libpq"), [PathBuf::from("libpq/bin")]);
        assert_eq!(versions(&parent.path().join("missing"), ""), Vec::<PathBuf>::new());
    }
}
