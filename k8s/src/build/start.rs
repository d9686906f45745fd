//! The start of the server in its pod.
//!
//! The entrypoint of the image runs `initdb` where the volume holds no data. Whether it may do so is decided in the pod, so that it also
//! holds while the control plane is not there:
//!
//! - Once the instance has run, the Secret has the key [`HAS_RUN_KEY`], and an empty volume is refused: it is not the one that the data
//!   was on.
//! - Before, a volume whose first start was interrupted (by a kill in the middle of `initdb`, or of the creation of the database) is
//!   cleared, and the first start begins again. [`INITIALIZED_SCRIPT`], which the entrypoint runs last, marks a first start as complete.
//!
//! A pod may have been started before the key was added, but then its volume has the mark.

/// Runs instead of the entrypoint of the image, which it calls.
pub(super) const START_SCRIPT: &str = include_str!("start.sh");

/// Runs at the end of the first start, while only the entrypoint can connect.
pub(super) const INITIALIZED_SCRIPT: &str = include_str!("initialized.sh");

/// The key of that script in the Secret.
pub(super) const INITIALIZED_KEY: &str = "initialized.sh";

/// The file in the data directory that the script makes: the mark of data that is complete.
pub const INITIALIZED_MARK: &str = "toygres.initialized";

/// Where the entrypoint looks for scripts of the first start.
pub(super) const INITDB_DIRECTORY: &str = "/docker-entrypoint-initdb.d";

/// The key in the Secret of an instance that has run.
pub(super) const HAS_RUN_KEY: &str = "has-run";

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

    use super::*;

    #[test]
    fn the_scripts_know_the_mark() {
        assert!(START_SCRIPT.contains(INITIALIZED_MARK) && INITIALIZED_SCRIPT.contains(INITIALIZED_MARK));
    }

    /// Runs the start with an entrypoint like that of the image, which the caller may interrupt at a point.
    fn start(root: &Path, interrupted_at: &str) -> (Option<i32>, String) {
        let entrypoint = r#"#!/bin/sh
            set -eu
            interrupt() { if [ "$INTERRUPTED_AT" = "$1" ]; then kill -9 $$; fi; }
            if [ ! -s "$PGDATA/PG_VERSION" ]; then
              [ -z "$(ls -A "$PGDATA" 2>/dev/null)" ] || { echo "initdb: directory exists but is not empty" >&2; exit 1; }
              mkdir -p "$PGDATA/global"
              interrupt directories
              echo 17 > "$PGDATA/PG_VERSION"
              interrupt initdb
              echo initdb >> "$PGDATA/log"
              interrupt database
              echo database >> "$PGDATA/log"
              . "$INITIALIZED"
              interrupt stop
            fi
            grep -q database "$PGDATA/log" || { echo "the database does not exist" >&2; exit 1; }
            echo "started with $*"
        "#;
        fs::write(root.join("docker-entrypoint.sh"), entrypoint).unwrap();
        fs::set_permissions(root.join("docker-entrypoint.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(root.join(INITIALIZED_KEY), INITIALIZED_SCRIPT).unwrap();
        let script = START_SCRIPT.replace("/run/secrets/toygres", root.to_str().unwrap());
        let output = Command::new("sh")
            .args(["-c", &script, "toygres", "-c", "a setting"])
            .env("PATH", format!("{}:{}", root.display(), std::env::var("PATH").unwrap()))
            .env("PGDATA", root.join("volume/pgdata"))
            .env("INITIALIZED", root.join(INITIALIZED_KEY))
            .env("INTERRUPTED_AT", interrupted_at)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    }

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("volume")).unwrap();
        root
    }

    #[test]
    fn an_interrupted_first_start_begins_again() {
        for point in ["directories", "initdb", "database"] {
            let root = root();
            assert_eq!(start(root.path(), point).0, None, "it is killed at {point}");
            let (status, said) = start(root.path(), "never");
            assert_eq!((status, said.as_str()), (Some(0), "started with -c a setting\n"), "after {point}");
        }
    }

    #[test]
    fn a_complete_first_start_is_kept_before_it_is_known_to_have_run() {
        let root = root();
        start(root.path(), "stop");
        fs::write(root.path().join("volume/pgdata/table"), "data").unwrap();
        assert_eq!(start(root.path(), "never").0, Some(0));
        assert!(root.path().join("volume/pgdata/table").exists());
    }

    #[test]
    fn an_empty_volume_is_never_initialised_for_an_instance_that_has_run() {
        let root = root();
        fs::write(root.path().join(HAS_RUN_KEY), "true").unwrap();
        let (status, said) = start(root.path(), "never");
        assert_eq!(status, Some(1));
        assert!(said.contains("FATAL:  DATA_LOST"), "{said}");
        assert_eq!(fs::read_dir(root.path().join("volume")).unwrap().count(), 0, "nothing was written");
    }

    #[test]
    fn data_of_an_earlier_release_is_kept_although_it_has_no_mark() {
        let root = root();
        start(root.path(), "never");
        fs::remove_file(root.path().join("volume/pgdata/toygres.initialized")).unwrap();
        fs::write(root.path().join(HAS_RUN_KEY), "true").unwrap();
        assert_eq!(start(root.path(), "never").0, Some(0));
    }
}
