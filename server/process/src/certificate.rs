//! The certificate of a server, as PostgreSQL reads it.
//!
//! The certificate and its key are in one file, which is replaced by a rename: a server that starts or reloads at any moment finds a pair
//! that belongs together.

use std::{
    fs::{OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use toygres_domain::certificate::ServerCertificate;

use super::{
    account::Account,
    data_dir::sync_directory,
    error::{IoContext, Result},
};

/// The file, in the home of the cluster. PostgreSQL refuses a key that others can read.
pub(super) const FILE: &str = "server.pem";
const MODE: u32 = 0o600;

/// Writes the certificate for the account that PostgreSQL runs as. Returns whether it changed.
pub(super) fn install(home: &Path, account: &Account, certificate: &ServerCertificate) -> Result<bool> {
    let (path, draft) = (home.join(FILE), home.join(format!("{FILE}.new-{}", std::process::id())));
    let text = format!("{}{}", certificate.chain, certificate.key.expose());
    if is_there(home) && std::fs::read_to_string(&path).is_ok_and(|present| present == text) {
        return Ok(false);
    }
    let what = format!("write {}", path.display());
    let _ = std::fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft).context(&what)?;
    file.write_all(text.as_bytes()).and_then(|()| file.set_permissions(Permissions::from_mode(MODE))).context(&what)?;
    account.own(&draft)?;
    file.sync_all().and_then(|()| std::fs::rename(&draft, &path)).context(&what)?;
    sync_directory(home)?;
    Ok(true)
}

/// Whether there is a file that PostgreSQL accepts: a server that starts with another one exits.
pub(super) fn is_there(home: &Path) -> bool {
    let path = home.join(FILE);
    path.metadata().is_ok_and(|file| file.permissions().mode() & 0o777 == MODE)
        && std::fs::read_to_string(&path).is_ok_and(|text| toygres_certificates::is_pair(&text))
}
