//! Notices about how the metrics of an instance have developed: looked at now and then, by a check that is answered.

use toygres_domain::{
    instance::Instance,
    notice::{Growth, NoticeCode, Trend, Vitals},
};

use super::storage::Volume;
use crate::{Failure, activity::ActivityContext, notices::update_notice};

/// Sets or removes the notices about the trend of an instance, when it is due: after its time, when the volume has another size, and as long as there
/// is such a notice, with each measurement.
pub(super) async fn note_trend(context: &ActivityContext, instance: &Instance, vitals: &Vitals, volume: Option<Volume>) -> Result<(), Failure> {
    let is_noticed = instance.has_notice(NoticeCode::StorageFilling) || instance.has_notice(NoticeCode::CacheHitLow);
    if !context.metrics.is_trend_due(instance.id) && !is_noticed && !volume.is_some_and(|volume| volume.is_resized()) {
        return Ok(());
    }
    let now = context.store.now();
    let (times, tolerance) = Trend::times(now);
    let trend = Trend {
        readings: context.store.metric_readings_at(instance.id, &times, tolerance).await?,
        now,
        shared_buffers: vitals.shared_buffers,
        memory_mb: instance.spec.memory_mb,
        volume: growth(context, instance),
    };
    for (code, message) in trend.notices(|code| instance.has_notice(code)) {
        update_notice(context, instance, code, message.as_deref()).await?;
    }
    Ok(())
}

/// How far the volume of an instance can grow; `None` if its host limits nothing.
fn growth(context: &ActivityContext, instance: &Instance) -> Option<Growth> {
    let largest = instance.storage_auto_grow.map(|auto| auto.max_gb.max(instance.spec.storage_gb));
    let storage_gb = largest.unwrap_or(instance.spec.storage_gb);
    let usable_bytes = context.runtime.volume_space(storage_gb)?.usable_bytes;
    Some(Growth { storage_gb, usable_bytes, is_automatic: largest.is_some() })
}
