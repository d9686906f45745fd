//! The file of a package: its checksum, and its content.

use std::{
    fs::{File, Permissions},
    io::{self, Read},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Component, Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha512};
use tar::{Archive, EntryType};

use crate::{
    data_dir::make_directory,
    error::{Error, IoContext as _, Result},
};

/// Where the programs, libraries and shared files are in a package.
const CONTENT: &str = "package/native";
/// The symbolic links, which packages of npm cannot have.
const LINKS: &str = "pg-symlinks.json";

#[derive(Deserialize)]
struct Link {
    /// What it points to, from the root of the package.
    source: PathBuf,
    /// The link itself.
    target: PathBuf,
}

/// Compares a file with a digest in the form of Subresource Integrity, for example `sha512-<base64>`.
///
/// # Errors
/// What is wrong, as a part of a sentence.
pub(super) fn check(file: &Path, integrity: &str) -> Result<(), String> {
    let expected = integrity.split_whitespace().find_map(|digest| digest.strip_prefix("sha512-"));
    let expected = expected.ok_or_else(|| format!("it states no SHA-512 but '{integrity}'"))?;
    let mut hash = Sha512::new();
    let mut file = File::open(file).map_err(|error| error.to_string())?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(|error| error.to_string())? {
            0 => break,
            length => hash.update(&buffer[..length]),
        }
    }
    let found = BASE64_STANDARD.encode(hash.finalize());
    if found == expected { Ok(()) } else { Err(format!("its SHA-512 is {found} instead of {expected}")) }
}

/// Unpacks the content of a package into a new directory, for everybody to read.
pub(super) fn unpack(archive: &Path, directory: &Path) -> Result<()> {
    let what = format!("unpack {}", archive.display());
    make_directory(directory, 0o755)?;
    let mut archive = Archive::new(GzDecoder::new(File::open(archive).context(&what)?));
    for entry in archive.entries().context(&what)? {
        let mut entry = entry.context(&what)?;
        let path = entry.path().context(&what)?.into_owned();
        let Ok(inside) = path.strip_prefix(CONTENT) else { continue };
        if entry.header().entry_type() != EntryType::Regular {
            continue;
        }
        let target = within(directory, inside)?;
        std::fs::create_dir_all(target.parent().unwrap_or(directory)).context(&what)?;
        let is_program = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
        let mut file = File::create_new(&target).context(&what)?;
        io::copy(&mut entry, &mut file).context(&what)?;
        file.set_permissions(Permissions::from_mode(if is_program { 0o755 } else { 0o644 })).context(&what)?;
    }
    open_to_all(directory).context(&what)?;
    link(directory)
}

/// Makes the symbolic links, most of which are the names by which programs look for libraries.
fn link(directory: &Path) -> Result<()> {
    let path = directory.join(LINKS);
    let what = format!("read {}", path.display());
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.context(&what)?,
    };
    let links: Vec<Link> = serde_json::from_str(&text).map_err(|error| Error::Program(format!("cannot {what}: {error}")))?;
    for Link { source, target } in links {
        // Relative, because the directory is moved. Both are in the same one.
        let (Some(name), Ok(inside)) = (source.file_name(), target.strip_prefix("native")) else { continue };
        if source.parent() == target.parent() {
            symlink(name, within(directory, inside)?).context(format_args!("link {}", target.display()))?;
        }
    }
    Ok(())
}

/// `inside` below `directory`; an error if it leads out of it.
fn within(directory: &Path, inside: &Path) -> Result<PathBuf> {
    if inside.components().all(|component| matches!(component, Component::Normal(_))) {
        return Ok(directory.join(inside));
    }
    Err(Error::Program(format!("the package has a file with the path {}, so it was not installed", inside.display())))
}

/// The umask was applied to the directories.
fn open_to_all(directory: &Path) -> io::Result<()> {
    std::fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_to_all(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(directory: &Path, files: &[(&str, &str, u32)]) -> PathBuf {
        let path = directory.join("package.tgz");
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast()));
        for (name, text, mode) in files {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(text.len() as u64);
            header.set_mode(*mode);
            header.set_cksum();
            builder.append(&header, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        path
    }

    #[test]
    fn programs_libraries_and_links_are_unpacked_for_everybody_to_read() {
        let directory = tempfile::tempdir().unwrap();
        let links = r#"[{"source": "native/lib/libpq.so.5.18", "target": "native/lib/libpq.so.5"}]"#;
        let archive = package(
            directory.path(),
            &[
                ("package/package.json", "{}", 0o600),
                ("package/native/bin/postgres", "program", 0o700),
                ("package/native/lib/libpq.so.5.18", "library", 0o600),
                ("package/native/pg-symlinks.json", links, 0o600),
            ],
        );
        let target = directory.path().join("18");
        unpack(&archive, &target).unwrap();
        let mode = |name: &str| target.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("bin/postgres"), mode("lib/libpq.so.5.18"), mode("lib"), mode("")), (0o755, 0o644, 0o755, 0o755));
        assert_eq!(std::fs::read_to_string(target.join("lib/libpq.so.5")).unwrap(), "library");
        assert!(!target.join("package.json").exists());
    }

    #[test]
    fn nothing_is_written_outside_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let archive = package(directory.path(), &[("package/native/../../../evil", "x", 0o644)]);
        let error = unpack(&archive, &directory.path().join("a/b/18")).unwrap_err().to_string();
        assert!(error.contains("../../../evil") && !directory.path().join("evil").exists(), "{error}");
    }

    #[test]
    fn a_file_that_the_registry_does_not_describe_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "hello").unwrap();
        let right = "sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==";
        check(&file, right).unwrap();
        std::fs::write(&file, "hullo").unwrap();
        assert!(check(&file, right).unwrap_err().contains("instead of m3HSJL1i"));
        assert!(check(&file, "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=").unwrap_err().contains("no SHA-512"));
    }
}
