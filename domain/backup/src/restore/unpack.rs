//! Unpacks a base backup.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Component, Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use bytes::{Buf, Bytes};
use futures::{FutureExt, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::{
    Archive, BackupError, BackupRecord,
    base::MAX_MANIFEST,
    compression::{self, hex, sha256},
    error::blocking,
    layout::{MANIFEST, part_name},
    listing::PartRecord,
    manifest::Manifest,
};

/// Parts that are fetched at the same time.
const PARALLEL: usize = 2;
/// Bytes that are decompressed before they are handed over.
const BLOCK: usize = 1 << 20;
/// Blocks that wait to be written.
const BLOCKS: usize = 4;

/// A user and a group of the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOwner {
    /// The id of the user.
    pub uid: u32,
    /// The id of the group.
    pub gid: u32,
}

/// Makes a directory in which a base backup can be unpacked, and `pg_wal` in it.
pub(super) async fn begin(
    archive: &Archive,
    backup: &BackupRecord,
    directory: Arc<Path>,
    owner: Option<FileOwner>,
) -> Result<Unpacking, BackupError> {
    let path = archive.layout().base_file(backup.id, MANIFEST);
    let manifest = compression::decompress(archive.store().read(&path).await?, MAX_MANIFEST as u64).await;
    let manifest = manifest.map_err(|error| archive.store().damaged(&path, error))?;
    if sha256(&manifest) != backup.manifest_sha256 {
        return Err(archive.store().damaged(&path, "its SHA-256 is another one than recorded").into());
    }
    blocking(move || Unpacking::new(directory, owner, &manifest)).await
}

/// Unpacks a base backup and compares every file with the manifest. Returns the bytes of the files.
pub(super) async fn unpack(
    archive: &Archive,
    backup: &BackupRecord,
    unpacking: Unpacking,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64, BackupError> {
    let (sender, parts) = mpsc::channel(1);
    let label = format!("START WAL LOCATION: {} ", backup.start);
    // One thread decompresses while the other hashes and writes.
    let (blocks, decompressed) = sync_channel(BLOCKS);
    let decompressing = blocking(move || decompress(parts, &blocks));
    let unpacking = blocking(move || unpacking.run(BlockReader { blocks: decompressed, block: Bytes::new(), ended: false }, &label));
    let fetching = async move {
        let part = |(number, record)| fetch(archive, archive.layout().base_file(backup.id, &part_name(number)), record).boxed();
        let parts: Vec<_> = backup.parts.iter().enumerate().map(part).collect();
        let mut parts = futures::stream::iter(parts).buffered(PARALLEL);
        let mut bytes = 0;
        while let Some((content, length)) = parts.try_next().await? {
            if sender.send(content).await.is_err() {
                // The other side has failed, and says why.
                return Ok(());
            }
            bytes += length;
            progress(bytes);
        }
        // The end of the parts, which their absence alone is not.
        let _ = sender.send(Bytes::new()).await;
        Ok::<(), BackupError>(())
    };
    let (unpacked, (), fetched) = tokio::join!(unpacking, decompressing, fetching);
    fetched?;
    unpacked
}

/// A part, compressed, and the bytes of the archive in it.
async fn fetch(archive: &Archive, path: String, record: &PartRecord) -> Result<(Bytes, u64), BackupError> {
    let content = archive.store().read(&path).await?;
    let hashed = content.clone();
    if blocking(move || sha256(&hashed)).await != record.sha256 {
        return Err(archive.store().damaged(&path, "its SHA-256 is another one than recorded").into());
    }
    Ok((content, record.bytes))
}

/// Gives a file to its owner.
pub(super) fn give(path: &Path, owner: Option<FileOwner>) -> Result<(), BackupError> {
    let Some(FileOwner { uid, gid }) = owner else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(uid), Some(gid)).map_err(BackupError::io(format!("changing the owner of {}", path.display())))
}

/// A directory that is being filled.
pub(super) struct Unpacking {
    directory: Arc<Path>,
    owner: Option<FileOwner>,
    manifest: Manifest,
    bytes: u64,
}

impl Unpacking {
    /// Creates the directory.
    fn new(directory: Arc<Path>, owner: Option<FileOwner>, manifest: &[u8]) -> Result<Self, BackupError> {
        let parsed = Manifest::parse(manifest)?;
        let failed = || BackupError::io(format!("creating {}", directory.display()));
        match DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if std::fs::read_dir(&directory).map_err(failed())?.next().is_some() {
                    return Err(BackupError::NotEmpty(directory.display().to_string()));
                }
            }
            outcome => outcome.map_err(failed())?,
        }
        give(&directory, owner)?;
        let unpacking = Self { directory, owner, manifest: parsed, bytes: 0 };
        let path = unpacking.directory.join("backup_manifest");
        unpacking.write(&path, &mut &*manifest)?;
        unpacking.create_directory(&unpacking.directory.join("pg_wal"))?;
        Ok(unpacking)
    }

    fn run(mut self, content: BlockReader, label: &str) -> Result<u64, BackupError> {
        let failed = || BackupError::io("unpacking the base backup");
        let mut archive = tar::Archive::new(content);
        for entry in archive.entries().map_err(failed())? {
            let mut entry = entry.map_err(failed())?;
            let name = entry.path().map_err(failed())?.into_owned();
            let path = self.path(&name)?;
            match entry.header().entry_type() {
                tar::EntryType::Directory => self.create_directory(&path)?,
                tar::EntryType::Regular => {
                    let (bytes, digest) = self.write(&path, &mut entry)?;
                    self.bytes += bytes;
                    self.manifest.compare(&name.to_string_lossy(), bytes, &digest)?;
                }
                _ => return Err(BackupError::Damaged(format!("{} is neither a file nor a directory", name.display()))),
            }
        }
        // What follows the last entry, so that whoever sends the parts can send all of them.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(failed())?;
        self.manifest.finish()?;
        let text = std::fs::read_to_string(self.directory.join("backup_label")).map_err(BackupError::io("reading backup_label"))?;
        if !text.starts_with(label) {
            return Err(BackupError::Damaged("backup_label has another position than recorded".to_owned()));
        }
        Ok(self.bytes)
    }

    /// Where an entry of the archive goes: only below the directory.
    fn path(&self, name: &Path) -> Result<PathBuf, BackupError> {
        let inside = name.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
        if inside { Ok(self.directory.join(name)) } else { Err(BackupError::Damaged(format!("{} is outside of the data directory", name.display()))) }
    }

    fn create_directory(&self, path: &Path) -> Result<(), BackupError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(BackupError::io(format!("creating {}", path.display())))?;
        give(path, self.owner)
    }

    /// Writes a file that must not exist. Returns its length and its SHA-256.
    fn write(&self, path: &Path, content: &mut dyn Read) -> Result<(u64, String), BackupError> {
        let write = || {
            let mut file = HashedFile { file: OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?, digest: Sha256::new() };
            let bytes = io::copy(&mut io::BufReader::with_capacity(256 << 10, content), &mut file)?;
            Ok((bytes, hex(&file.digest.finalize())))
        };
        let written = write().map_err(BackupError::io(format!("writing {}", path.display())))?;
        give(path, self.owner)?;
        Ok(written)
    }
}

struct HashedFile {
    file: File,
    digest: Sha256,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Decompresses the parts one after the other, and sends blocks of what is in them. The end of the parts, an empty one, is passed on; an error
/// is the last thing that is sent.
fn decompress(mut parts: mpsc::Receiver<Bytes>, blocks: &SyncSender<io::Result<Bytes>>) {
    while let Some(part) = parts.blocking_recv() {
        let is_end = part.is_empty();
        let outcome = if is_end { Ok(blocks.send(Ok(part)).is_ok()) } else { decompress_part(part, blocks) };
        match outcome {
            Ok(true) if !is_end => {}
            // The other side has everything, or has failed and says why.
            Ok(_) => return,
            Err(error) => {
                let _ = blocks.send(Err(error));
                return;
            }
        }
    }
}

/// Returns `false` if nobody receives the blocks any more.
fn decompress_part(part: Bytes, blocks: &SyncSender<io::Result<Bytes>>) -> io::Result<bool> {
    let mut decoder = zstd::Decoder::with_buffer(part.reader())?.take(0);
    loop {
        let mut block = Vec::with_capacity(BLOCK);
        decoder.set_limit(BLOCK as u64);
        if decoder.read_to_end(&mut block)? == 0 {
            return Ok(true);
        }
        if blocks.send(Ok(block.into())).is_err() {
            return Ok(false);
        }
    }
}

/// Reads what [`decompress`] sends.
struct BlockReader {
    blocks: Receiver<io::Result<Bytes>>,
    block: Bytes,
    ended: bool,
}

impl Read for BlockReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() && !self.ended {
            // If fetching has failed, it says why, and there is no end.
            self.block = self.blocks.recv().map_err(|_| io::ErrorKind::UnexpectedEof)??;
            self.ended = self.block.is_empty();
        }
        let length = self.block.len().min(buffer.len());
        self.block.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
