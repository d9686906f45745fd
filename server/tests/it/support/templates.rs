//! The templates of clusters that the servers of all tests use, in `TOYGRES_TEST_TEMPLATES`. The first test whose server has made one leaves
//! it to the others, which saves each an `initdb`.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt, symlink},
    path::{Path, PathBuf},
};

/// Puts links to the templates that there are into the data directory of a server that has not started yet.
pub fn link(data: &Path) {
    let Some(shared) = shared() else { return };
    let own = data.join("templates");
    // The modes that the server would use.
    DirBuilder::new().recursive(true).mode(0o711).create(&own).unwrap();
    for template in complete(&shared) {
        symlink(&template, own.join(template.file_name().unwrap())).unwrap();
    }
}

/// Keeps those that the server has made, when it needs them no more.
pub fn keep(data: &Path) {
    let Some(shared) = shared() else { return };
    for template in complete(&data.join("templates")) {
        // Where there is one already, it stays.
        let _ = fs::rename(&template, shared.join(template.file_name().unwrap()));
    }
}

fn shared() -> Option<PathBuf> {
    let shared = PathBuf::from(std::env::var_os("TOYGRES_TEST_TEMPLATES")?);
    DirBuilder::new().recursive(true).mode(0o711).create(&shared).unwrap();
    Some(shared)
}

/// The directories, which are no links. The names of incomplete ones begin with a dot.
fn complete(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let complete =
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && !entry.file_name().as_encoded_bytes().starts_with(b"."));
    complete.map(|entry| entry.path()).collect()
}
