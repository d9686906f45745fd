//! The volumes of instances that have run.

use super::{Store, errors::Classify};
use toygres_domain::{
    InstanceId, Result,
    data::{Data, VolumeId},
    instance::Instance,
};

impl Store {
    /// Whether an instance has run, and with which volume. A volume that was recorded by a creation that failed later does not count.
    pub async fn data(&self, instance: &Instance) -> Result<Data> {
        if !instance.has_run() {
            return Ok(Data::New);
        }
        let volume = sqlx::query_scalar!("SELECT volume_id FROM instance_volumes WHERE instance_id = $1", instance.id.0)
            .fetch_optional(&self.pool)
            .await
            .classify()?;
        Ok(Data::Existing(volume.map(VolumeId)))
    }

    /// Records the volume that holds the data of an instance.
    pub async fn record_volume(&self, id: InstanceId, volume: &VolumeId) -> Result<()> {
        sqlx::query!(
            "INSERT INTO instance_volumes (instance_id, volume_id) VALUES ($1, $2)
             ON CONFLICT (instance_id) DO UPDATE SET volume_id = excluded.volume_id, recorded_at = now()
             WHERE instance_volumes.volume_id <> excluded.volume_id",
            id.0,
            volume.0
        )
        .execute(&self.pool)
        .await
        .classify()?;
        Ok(())
    }
}
