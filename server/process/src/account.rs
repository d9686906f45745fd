//! The account that PostgreSQL runs as.

use std::{
    os::unix::{
        fs::{MetadataExt, lchown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use nix::unistd::{User, geteuid};

use super::error::{Error, IoContext, Result};

/// The user that PostgreSQL's processes run as. PostgreSQL refuses to run as root, so a control plane that runs as root uses
/// another user for them; otherwise they run as the same user.
#[derive(Clone, Debug)]
pub struct Account(Option<Other>);

#[derive(Clone, Debug)]
struct Other {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// Finds the account. `user` (`TOYGRES_PG_USER`) is only used by a control plane that runs as root.
    ///
    /// # Errors
    /// [`Error::Setup`] when the control plane runs as root and there is no such user, or that user is root too.
    pub fn resolve(user: &str) -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let found = User::from_name(user).map_err(|e| Error::Setup(format!("cannot look up the user '{user}': {e}")))?;
        match found {
            Some(found) if found.uid.is_root() => {
                Err(Error::Setup(format!("PostgreSQL refuses to run as root, and '{user}' is root: set TOYGRES_PG_USER to an ordinary user")))
            }
            Some(found) => Ok(Self(Some(Other { name: found.name, uid: found.uid.as_raw(), gid: found.gid.as_raw() }))),
            None => Err(Error::Setup(format!(
                "PostgreSQL refuses to run as root, and there is no user '{user}' to run it as: install PostgreSQL (its package makes the user \
                 'postgres'), set TOYGRES_PG_USER to an ordinary user, or start toygres as an ordinary user"
            ))),
        }
    }

    /// Makes a command run as this account, with a clean environment, in a separate process group. Otherwise Ctrl-C in the terminal
    /// would also signal the databases.
    pub(super) fn prepare(&self, command: &mut Command) {
        // LC_ALL: the messages that are parsed must be in English, and on macOS PostgreSQL becomes multithreaded if no locale is
        // set.
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").env("PATH", "/usr/bin:/bin").current_dir("/").process_group(0);
        if let Some(other) = &self.0 {
            command.uid(other.uid).gid(other.gid);
        }
    }

    /// Makes this account the owner of a file or directory.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        match &self.0 {
            Some(other) => {
                lchown(path, Some(other.uid), Some(other.gid)).context(format_args!("change the owner of {} to '{}'", path.display(), other.name))
            }
            None => Ok(()),
        }
    }

    /// The ids of the user and the group, if they are others than those of this process.
    pub(super) fn ids(&self) -> Option<(u32, u32)> {
        self.0.as_ref().map(|other| (other.uid, other.gid))
    }

    /// Whether PostgreSQL runs as another user than this process.
    pub(super) fn is_other(&self) -> bool {
        self.0.is_some()
    }

    /// Checks that the account can traverse `directory` and its parents.
    pub(super) fn check_passage(&self, directory: &Path) -> Result<()> {
        let Some(other) = &self.0 else { return Ok(()) };
        for above in directory.ancestors() {
            let metadata = above.metadata().context(format_args!("read the metadata of {}", above.display()))?;
            let (bit, mode) = (
                if metadata.uid() == other.uid {
                    0o100
                } else if metadata.gid() == other.gid {
                    0o010
                } else {
                    0o001
                },
                metadata.mode(),
            );
            if mode & bit == 0 {
                return Err(Error::Setup(format!(
                    "PostgreSQL runs as the user '{}', who cannot enter {}: set TOYGRES_DATA_DIR to a directory that this user can reach, such \
                     as /var/lib/toygres",
                    other.name,
                    above.display()
                )));
            }
        }
        Ok(())
    }
}
