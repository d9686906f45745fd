//! Base backups.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use tokio::task::JoinSet;
use toygres_postgres::{
    Target,
    replication::{BackupData, BaseBackup, ReplicationConnection},
};

use crate::{
    Archive, BackupError,
    compression::{self, sha256},
    error::blocking,
    layout::{BackupId, MANIFEST, RECORD, part_name},
    listing::{BackupRecord, PartRecord, StandbySettings},
    manifest::Manifest,
};

/// Bytes of the tar archive in each object.
const PART: usize = 32 << 20;
/// Parts that are compressed and uploaded at the same time. Each takes up to twice its size of memory.
const PARALLEL: usize = 2;
/// Bytes that a manifest may have: about 150 for each file, for two million.
pub(crate) const MAX_MANIFEST: usize = 256 << 20;

/// How to take a base backup.
#[derive(Clone, Debug)]
pub struct BaseBackupOptions {
    /// Its id, which must be new.
    pub id: BackupId,
    /// Bytes that its archive may have: the size of the volume, because the server is not trusted.
    pub limit: u64,
    /// How long the server may send nothing. It begins with a checkpoint.
    pub timeout: Duration,
}

/// How far a base backup or a restore is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes so far.
    pub bytes: u64,
    /// About how many bytes it will be.
    pub total: Option<u64>,
}

/// Takes a base backup. The WAL must be followed already: the backup can be restored once the WAL up to its end is in the archive. If this
/// fails or is cancelled, the files that were written stay until [`crate::expire`] names them, and are no backup.
///
/// # Errors
/// See [`BackupError`].
pub async fn take_base_backup(
    target: &Target,
    archive: &Archive,
    options: &BaseBackupOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<BackupRecord, BackupError> {
    let started_at = Utc::now();
    let mut connection = ReplicationConnection::connect(target, options.timeout).await?;
    let actual = connection.identify_system().await?.system_identifier;
    if actual != archive.system_identifier() {
        return Err(BackupError::OtherCluster { archived: archive.system_identifier(), actual });
    }
    let settings = standby_settings(&mut connection).await?;
    let server_version = number(&mut connection, "server_version_num").await?;
    let mut backup = connection.base_backup(&options.id.to_string()).await?;
    let (start, start_timeline) = (backup.start(), backup.timeline());
    let (parts, manifest) = receive(&mut backup, archive, options, progress).await?;
    let (connection, end) = backup.finish().await?;
    let finished_at = connection.server_time().await?;
    // What was committed between the end and that time lies before this position.
    let mut connection = ReplicationConnection::connect(target, options.timeout).await?;
    let after = connection.identify_system().await?;
    connection.close().await;
    if [end.timeline, after.timeline] != [start_timeline; 2] {
        return Err(BackupError::Damaged("the timeline has changed during the base backup".to_owned()));
    }
    let (manifest, manifest_sha256, compressed) = blocking(move || {
        let parsed = Manifest::parse(&manifest);
        let compressed = compression::compress_reader(manifest.as_ref());
        (parsed, sha256(&manifest), compressed)
    })
    .await;
    manifest?;
    let compressed = compressed.map_err(BackupError::io("compressing backup_manifest"))?;
    archive.store().create(&archive.layout().base_file(options.id, MANIFEST), compressed).await?;
    let record = BackupRecord {
        id: options.id,
        server_version,
        timeline: end.timeline,
        start,
        end: end.lsn.max(after.flushed),
        started_at,
        finished_at,
        settings,
        parts,
        manifest_sha256,
    };
    let content = serde_json::to_vec_pretty(&record).map_err(|error| BackupError::Damaged(error.to_string()))?;
    archive.store().create(&archive.layout().base_file(options.id, RECORD), content.into()).await?;
    Ok(record)
}

/// Receives the archive into the store, and returns its parts and the manifest.
async fn receive(
    backup: &mut BaseBackup,
    archive: &Archive,
    options: &BaseBackupOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Vec<PartRecord>, Bytes), BackupError> {
    let archive = Arc::new(archive.clone());
    let mut uploads = JoinSet::new();
    let (mut parts, mut count) = (Vec::new(), 0);
    let (mut part, mut manifest, mut bytes) = (BytesMut::new(), BytesMut::new(), 0);
    while let Some(data) = backup.next().await? {
        match data {
            BackupData::Archive(data) => {
                bytes += data.len() as u64;
                if bytes > options.limit {
                    return Err(BackupError::TooLarge { limit: options.limit });
                }
                part.extend_from_slice(&data);
            }
            BackupData::Manifest(data) => {
                if manifest.len() + data.len() > MAX_MANIFEST {
                    return Err(BackupError::TooLarge { limit: MAX_MANIFEST as u64 });
                }
                manifest.extend_from_slice(&data);
            }
        }
        if part.len() >= PART {
            if uploads.len() >= PARALLEL {
                parts.push(uploaded(&mut uploads).await?);
            }
            uploads.spawn(upload(archive.clone(), options.id, count, part.split().freeze()));
            count += 1;
            progress(Progress { bytes, total: backup.estimated_bytes() });
        }
    }
    if !part.is_empty() {
        uploads.spawn(upload(archive, options.id, count, part.freeze()));
    }
    while !uploads.is_empty() {
        parts.push(uploaded(&mut uploads).await?);
    }
    progress(Progress { bytes, total: Some(bytes) });
    parts.sort_by_key(|(number, _)| *number);
    Ok((parts.into_iter().map(|(_, part)| part).collect(), manifest.freeze()))
}

async fn upload(archive: Arc<Archive>, id: BackupId, number: usize, content: Bytes) -> Result<(usize, PartRecord), BackupError> {
    let bytes = content.len() as u64;
    let (compressed, sha256) = blocking(move || {
        let compressed = compression::compress_reader(content.as_ref())?;
        let sha256 = sha256(&compressed);
        Ok((compressed, sha256))
    })
    .await
    .map_err(BackupError::io("compressing a base backup"))?;
    let record = PartRecord { bytes, stored_bytes: compressed.len() as u64, sha256 };
    archive.store().create(&archive.layout().base_file(id, &part_name(number)), compressed).await?;
    Ok((number, record))
}

async fn uploaded(uploads: &mut JoinSet<Result<(usize, PartRecord), BackupError>>) -> Result<(usize, PartRecord), BackupError> {
    match uploads.join_next().await {
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The control plane is stopping.
            Err(_) => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

async fn standby_settings(connection: &mut ReplicationConnection) -> Result<StandbySettings, BackupError> {
    Ok(StandbySettings {
        max_connections: number(connection, "max_connections").await?,
        max_worker_processes: number(connection, "max_worker_processes").await?,
        max_wal_senders: number(connection, "max_wal_senders").await?,
        max_prepared_transactions: number(connection, "max_prepared_transactions").await?,
        max_locks_per_transaction: number(connection, "max_locks_per_transaction").await?,
    })
}

async fn number(connection: &mut ReplicationConnection, setting: &str) -> Result<u32, BackupError> {
    let value = connection.show(setting).await?;
    value.parse().map_err(|_| BackupError::Damaged(format!("the server's {setting} is not a number")))
}
