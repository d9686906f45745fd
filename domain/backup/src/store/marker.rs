//! Tells the directory of a store from whatever else is at its path: an empty one that a write would make, or the mount point of a file system
//! that is away.

use std::{
    io::{self, ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use crate::error::blocking;

/// The file in the directory that says which store it is. No object has such a name.
const FILE: &str = ".toygres-store";

/// What the directory of a store is recognized by, as long as the store is open.
#[derive(Clone, Debug)]
pub(super) struct Marker {
    file: Arc<Path>,
    /// `None` while it could not be written yet.
    expected: Arc<Mutex<Option<String>>>,
}

impl Marker {
    /// Reads or writes that of a directory that exists. Where nothing can be written, everything can still be read.
    pub(super) fn of(directory: &Path) -> Self {
        // As the directory is now: a symbolic link may lead elsewhere later.
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let file = directory.join(FILE);
        let expected = establish(&file).ok();
        Self { file: file.into(), expected: Arc::new(Mutex::new(expected)) }
    }

    /// Whether the directory is the one that was opened.
    pub(super) async fn check(&self) -> io::Result<()> {
        let marker = self.clone();
        blocking(move || marker.check_now()).await
    }

    fn check_now(&self) -> io::Result<()> {
        let mut expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner);
        match &*expected {
            Some(expected) => match read(&self.file) {
                Ok(found) if found == *expected => Ok(()),
                Ok(_) => Err(io::Error::other(format!(
                    "another store is there now, by its file {FILE}; bring the former one back, or restart the control plane to use this one"
                ))),
                Err(error) if is_gone(&error) => Err(gone()),
                Err(error) => Err(error),
            },
            None => match establish(&self.file) {
                Ok(id) => {
                    *expected = Some(id);
                    Ok(())
                }
                Err(error) if is_gone(&error) => Err(gone()),
                // Whatever is in the way of this write is in the way of others too, or nothing is to be written.
                Err(_) => Ok(()),
            },
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn gone() -> io::Error {
    let message = format!(
        "the directory is gone, moved or not mounted: its file {FILE} is not there; bring it back, or restart the control plane to begin anew"
    );
    io::Error::new(ErrorKind::NotFound, message)
}

fn read(file: &Path) -> io::Result<String> {
    std::fs::read_to_string(file).map(|content| content.trim().to_owned())
}

/// Reads the file, or writes it if it is not there. Of several servers that do at the same time, the first one writes it.
fn establish(file: &Path) -> io::Result<String> {
    match read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        outcome => return outcome,
    }
    let directory: PathBuf = file.parent().map(Path::to_owned).unwrap_or_default();
    // Whoever may read the directory may read it.
    let mut new = tempfile::Builder::new().prefix(FILE).permissions(std::fs::Permissions::from_mode(0o644)).tempfile_in(&directory)?;
    writeln!(new, "{}", Uuid::now_v7())?;
    new.as_file().sync_all()?;
    match new.persist_noclobber(file) {
        Ok(_) => std::fs::File::open(&directory)?.sync_all()?,
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    read(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_share_a_directory_have_one_marker() {
        let directory = tempfile::tempdir().unwrap();
        let opened: Vec<_> = std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| Marker::of(directory.path()))).collect();
            opening.into_iter().map(|opening| opening.join().unwrap()).collect()
        });
        for marker in &opened {
            marker.check_now().unwrap();
        }
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [FILE]);
        assert_eq!(std::fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode() & 0o444, 0o444);
    }
}
