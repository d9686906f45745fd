//! An archive: the backups of one cluster.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use toygres_domain::wal::{SegmentSize, Timeline};
use toygres_postgres::replication::ReplicationConnection;

use crate::{
    BackupError, compression,
    layout::{Layout, WalObject},
    store::{Store, StoreError, StoreErrorKind},
};

/// The backups of one cluster.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Store,
    layout: Layout,
    description: Description,
}

/// The contents of `archive.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    system_identifier: u64,
    segment_size: SegmentSize,
}

impl Archive {
    /// Opens an archive that exists.
    ///
    /// # Errors
    /// The store fails, or the archive does not exist.
    pub async fn open(store: Store, layout: Layout) -> Result<Self, BackupError> {
        let path = layout.description();
        let content = store.read(&path).await?;
        let description = serde_json::from_slice(&content).map_err(|error| store.damaged(&path, error))?;
        Ok(Self { store, layout, description })
    }

    /// Opens the archive of a cluster, or begins it.
    ///
    /// # Errors
    /// The store or the server fails, or the archive is of another cluster.
    pub async fn of_cluster(store: Store, layout: Layout, connection: &mut ReplicationConnection) -> Result<Self, BackupError> {
        let system_identifier = connection.identify_system().await?.system_identifier;
        let setting = connection.show("wal_segment_size").await?;
        let segment_size = SegmentSize::parse_setting(&setting).map_err(|error| BackupError::Damaged(error.to_string()))?;
        let description = Description { system_identifier, segment_size };
        let content = serde_json::to_vec_pretty(&description).map_err(|error| BackupError::Damaged(error.to_string()))?;
        match store.create(&layout.description(), content.into()).await {
            Ok(()) => Ok(Self { store, layout, description }),
            Err(StoreError { kind: StoreErrorKind::Conflict, .. }) => {
                let archive = Self::open(store, layout).await?;
                let archived = archive.description.system_identifier;
                let same = archived == system_identifier && archive.description.segment_size == segment_size;
                if same { Ok(archive) } else { Err(BackupError::OtherCluster { archived, actual: system_identifier }) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The names of its objects.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The size of its WAL segments.
    #[must_use]
    pub fn segment_size(&self) -> SegmentSize {
        self.description.segment_size
    }

    /// The system identifier of its cluster.
    #[must_use]
    pub fn system_identifier(&self) -> u64 {
        self.description.system_identifier
    }

    /// The path of an object of the WAL.
    pub(crate) fn wal_path(&self, object: WalObject) -> String {
        self.layout.wal_object(object, self.segment_size())
    }

    /// Creates a compressed object, or succeeds if there is one with the same content.
    pub(crate) async fn create_compressed(&self, path: &str, object: Bytes, limit: u64) -> Result<(), StoreError> {
        let content = object.clone();
        self.store.create_unless(path, object, |existing| compression::same_content(&existing, &content, limit)).await
    }

    /// Archives the history of a timeline.
    pub(crate) async fn create_history(&self, timeline: Timeline, content: Bytes) -> Result<(), BackupError> {
        let object = compression::compress(content).await.map_err(BackupError::io("compressing a history"))?;
        let path = self.wal_path(WalObject::History(timeline));
        Ok(self.create_compressed(&path, object, compression::MAX_SMALL).await?)
    }
}
