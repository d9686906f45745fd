//! PostgreSQL's manifest of a base backup (`backup_manifest`): its files, with their sizes and digests.

use std::collections::HashMap;

use serde::Deserialize;

use crate::{BackupError, compression::sha256};

/// The files of a base backup that have not been compared yet.
#[derive(Debug)]
pub(crate) struct Manifest {
    files: HashMap<String, File>,
}

#[derive(Debug)]
struct File {
    size: u64,
    sha256: String,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Files")]
    files: Vec<DocumentFile>,
    #[serde(rename = "Manifest-Checksum")]
    checksum: String,
}

#[derive(Deserialize)]
struct DocumentFile {
    #[serde(rename = "Path")]
    path: Option<String>,
    /// A path that is not UTF-8, in hexadecimal digits.
    #[serde(rename = "Encoded-Path")]
    encoded_path: Option<String>,
    #[serde(rename = "Size")]
    size: u64,
    #[serde(rename = "Checksum-Algorithm")]
    algorithm: Option<String>,
    #[serde(rename = "Checksum")]
    checksum: Option<String>,
}

impl Manifest {
    /// Parses a manifest, and checks its own checksum.
    pub(crate) fn parse(content: &[u8]) -> Result<Self, BackupError> {
        let damaged = |why: &str| BackupError::Damaged(format!("backup_manifest {why}"));
        let document: Document = serde_json::from_slice(content).map_err(|error| damaged(&format!("is not valid: {error}")))?;
        // The checksum is of everything before the line that has it.
        let before = content.windows(19).rposition(|window| window == b"\"Manifest-Checksum\"");
        if before.is_none_or(|before| sha256(&content[..before]) != document.checksum) {
            return Err(damaged("has another checksum than it says"));
        }
        let mut files = HashMap::new();
        for file in document.files {
            let DocumentFile { path, encoded_path, size, algorithm, checksum } = file;
            let (Some(path), None) = (path, encoded_path) else { return Err(damaged("has a file whose name is not UTF-8")) };
            let (Some("SHA256"), Some(sha256)) = (algorithm.as_deref(), checksum) else { return Err(damaged("has a file without a SHA-256")) };
            files.insert(path, File { size, sha256 });
        }
        Ok(Self { files })
    }

    /// Compares a file of the backup with what the manifest says.
    pub(crate) fn compare(&mut self, path: &str, size: u64, sha256: &str) -> Result<(), BackupError> {
        match self.files.remove(path) {
            Some(file) if file.size == size && file.sha256 == sha256 => Ok(()),
            Some(_) => Err(BackupError::Damaged(format!("the file {path} is not the one in backup_manifest"))),
            None => Err(BackupError::Damaged(format!("the file {path} is not in backup_manifest"))),
        }
    }

    /// Fails if a file has not been compared.
    pub(crate) fn finish(self) -> Result<(), BackupError> {
        match self.files.into_keys().min() {
            None => Ok(()),
            Some(path) => Err(BackupError::Damaged(format!("the file {path} of backup_manifest is missing"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> String {
        let head = r#"{ "PostgreSQL-Backup-Manifest-Version": 1,
"Files": [
{ "Path": "base/1/1255", "Size": 3, "Last-Modified": "2026-11-29 05:44:31 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "abc" }
],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
],
"#;
        format!("{head}\"Manifest-Checksum\": \"{}\"}}\n", sha256(head.as_bytes()))
    }

    #[test]
    fn files_are_compared() {
        let mut parsed = Manifest::parse(manifest().as_bytes()).unwrap();
        assert!(parsed.compare("base/1/1256", 3, "abc").is_err());
        parsed.compare("base/1/1255", 3, "abc").unwrap();
        parsed.finish().unwrap();
        assert!(Manifest::parse(manifest().as_bytes()).unwrap().compare("base/1/1255", 3, "abd").is_err());
        assert!(Manifest::parse(manifest().as_bytes()).unwrap().finish().is_err());
    }

    #[test]
    fn a_changed_manifest_is_found() {
        assert!(Manifest::parse(manifest().replace("\"Size\": 3", "\"Size\": 4").as_bytes()).is_err());
        assert!(Manifest::parse(b"{}").is_err());
    }
}
