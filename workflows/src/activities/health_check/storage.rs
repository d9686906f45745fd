//! What an instance uses of its volume: measured now and then by a check that is answered, over the connection of the check.
//!
//! What has to be done follows from the measurement and from what the server says of itself, every time anew, so nothing has to be remembered
//! about a server that takes no writes: it is let go by whichever check finds space, also after a restoration, a resumption, or a restart
//! of the control plane.

use std::time::{Duration, Instant};

use metrics::counter;
use toygres_domain::{
    Error,
    instance::{Instance, Reason, ReasonCode},
    notice::NoticeCode,
    operation::{Params, resize},
    storage::{Plan, Situation, Usage, VolumeSpace, is_urgent, read_only_reason},
};
use toygres_postgres::{
    Answer,
    storage::{Measurement, hold, release},
};
use toygres_store::{Measured, Request, StorageMeasurement, Subject};

use crate::{
    Failure,
    activity::ActivityContext,
    configuration::superuser,
    instance_metrics::VolumeSizes,
    notices::{is_another_notice, update_notice},
};

/// How long it may take to have the server take no writes, or take them again.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The shortest pause between two checks.
const SHORTEST: Duration = Duration::from_secs(1);

/// The volume of an instance before its check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Volume {
    space: VolumeSpace,
    before: Option<Measured>,
}

/// The latest measurement of a volume, as of the time when it was read or made.
#[derive(Clone, Copy, Debug)]
pub(super) struct VolumeMemory {
    before: Option<Measured>,
    as_of: Instant,
}

/// What a check has found about a volume.
#[derive(Clone, Debug, Default)]
pub(super) struct StorageFinding {
    /// Why the server takes no writes.
    pub(super) read_only: Option<Reason>,
    /// When the next check is due at the latest.
    pub(super) soon: Option<Duration>,
}

impl Volume {
    /// The volume of an instance; `None` if its host limits nothing.
    pub(super) async fn of(context: &ActivityContext, instance: &Instance) -> Result<Option<Self>, Failure> {
        let Some(space) = context.runtime.volume_space(instance.spec.storage_gb) else { return Ok(None) };
        Ok(Some(Self { space, before: context.store.measured(instance.id).await? }))
    }

    /// The volume of an instance as it is remembered; `None` if its host limits nothing.
    pub(super) async fn remembered(context: &ActivityContext, instance: &Instance, memory: Option<VolumeMemory>) -> Result<Option<Self>, Failure> {
        let Some(VolumeMemory { before, as_of }) = memory else { return Self::of(context, instance).await };
        let elapsed = as_of.elapsed();
        let before = before.map(|before| Measured { ago: before.ago + elapsed, due_in: before.due_in.saturating_sub(elapsed), ..before });
        Ok(context.runtime.volume_space(instance.spec.storage_gb).map(|space| Self { space, before }))
    }

    /// What to remember of it.
    pub(super) fn memory(self) -> VolumeMemory {
        VolumeMemory { before: self.before, as_of: Instant::now() }
    }

    /// Whether the usage is to be measured: after its time, when the volume has another size, and while the server takes no writes.
    pub(super) fn is_due(&self, instance: &Instance) -> bool {
        let is_held = instance.reason.as_ref().is_some_and(|reason| reason.code == ReasonCode::DiskFull);
        is_held || self.is_resized() || self.before.is_none_or(|before| before.due_in.is_zero())
    }

    /// Whether it has another size than when it was measured.
    pub(super) fn is_resized(&self) -> bool {
        self.before.is_some_and(|before| before.usage.capacity_bytes != self.space.usable_bytes)
    }

    /// The latest measurement, for metrics.
    pub(super) fn sizes(&self, answer: &Answer) -> Option<VolumeSizes> {
        VolumeSizes::of(self.space.usable_bytes, answer.storage.as_ref(), self.before.as_ref())
    }

    /// Does what the answer of a check requires.
    pub(super) async fn attend(&self, context: &ActivityContext, instance: &Instance, answer: &Answer) -> Result<StorageFinding, Failure> {
        let Some(Measurement { used_bytes, database_bytes, took }) = answer.storage else {
            let reason = answer.is_held.then(|| {
                let usage = self.before.map_or(Usage { used_bytes: 0, capacity_bytes: self.space.usable_bytes }, |before| before.usage);
                read_only_reason(usage, instance.spec.storage_gb)
            });
            let planned = self.before.filter(|before| is_urgent(before.ago + before.due_in));
            return Ok(StorageFinding { read_only: reason, soon: planned.map(|before| before.due_in.max(SHORTEST)) });
        };
        let usage = Usage { used_bytes, capacity_bytes: self.space.usable_bytes };
        let mut situation = self.situation(context, instance, usage, answer.is_held);
        if situation.wants_growth() {
            situation.failed = context.store.failed_growth(instance.id).await?;
        }
        let plan = situation.plan();
        let is_held = set_writes(context, instance, answer.is_held, plan.read_only).await?;
        let at = context.store.now();
        let measurement =
            StorageMeasurement { instance: instance.id, usage, database_bytes, is_read_only: is_held, at, due_in: plan.next_measurement(took) };
        context.store.record_storage(&measurement).await?;
        note(context, instance, &plan).await?;
        if let Some(storage_gb) = plan.grow_to {
            grow(context, instance, storage_gb).await?;
        }
        let reason = is_held.then(|| read_only_reason(usage, instance.spec.storage_gb));
        Ok(StorageFinding { read_only: reason, soon: plan.is_urgent().then_some(plan.measure_in) })
    }

    /// Takes note of the answer of a probe. Returns the volume as it is now, and when the next probe is due at the latest; `None` if there is
    /// something to do for the workflow, which then measures too.
    pub(super) async fn note(
        &self,
        context: &ActivityContext,
        instance: &Instance,
        answer: &Answer,
    ) -> Result<Option<(Self, Option<Duration>)>, Failure> {
        if answer.is_held {
            return Ok(None);
        }
        let Some(Measurement { used_bytes, database_bytes, took }) = answer.storage else {
            let planned = self.before.filter(|before| is_urgent(before.ago + before.due_in));
            return Ok(Some((*self, planned.map(|before| before.due_in.max(SHORTEST)))));
        };
        let usage = Usage { used_bytes, capacity_bytes: self.space.usable_bytes };
        let mut situation = self.situation(context, instance, usage, false);
        if situation.wants_growth() {
            situation.failed = context.store.failed_growth(instance.id).await?;
        }
        let plan = situation.plan();
        if plan.read_only || plan.grow_to.is_some() {
            return Ok(None);
        }
        let due_in = plan.next_measurement(took);
        let measurement = StorageMeasurement { instance: instance.id, usage, database_bytes, is_read_only: false, at: context.store.now(), due_in };
        if is_another_notice(instance, NoticeCode::StorageLow, plan.notice.as_deref()) {
            // Whoever reads the notice reads the usage with it.
            context.store.record_storage(&measurement).await?;
            note(context, instance, &plan).await?;
        } else {
            context.probing.record_storage(measurement);
        }
        let before = Measured { usage, database_bytes: Some(database_bytes), ago: Duration::ZERO, due_in };
        Ok(Some((Self { before: Some(before), ..*self }, plan.is_urgent().then_some(plan.measure_in))))
    }

    /// Has a volume grow whose server is down because it is full. In a directory another size does not help.
    pub(super) async fn rescue(&self, context: &ActivityContext, instance: &Instance) -> Result<(), Failure> {
        if !self.space.is_enforced || instance.storage_auto_grow.is_none() {
            return Ok(());
        }
        let usage = Usage { used_bytes: self.space.usable_bytes, capacity_bytes: self.space.usable_bytes };
        let failed = context.store.failed_growth(instance.id).await?;
        let plan = Situation { failed, ..self.situation(context, instance, usage, false) }.plan();
        note(context, instance, &plan).await?;
        match plan.grow_to {
            Some(storage_gb) => grow(context, instance, storage_gb).await,
            None => Ok(()),
        }
    }

    fn situation(&self, context: &ActivityContext, instance: &Instance, usage: Usage, is_read_only: bool) -> Situation {
        Situation {
            usage,
            is_enforced: self.space.is_enforced,
            before: self.before.map(|before| (before.usage.used_bytes, before.ago)),
            is_read_only,
            has_notice: instance.has_notice(NoticeCode::StorageLow),
            storage_gb: instance.spec.storage_gb,
            auto_grow: instance.storage_auto_grow,
            failed: None,
            now: context.store.now(),
        }
    }
}

/// Keeps the server from taking writes, or lets it go. Returns whether it is kept from it now: a server that cannot be told is as healthy as
/// before, and the next check tries again.
async fn set_writes(context: &ActivityContext, instance: &Instance, is_held: bool, read_only: bool) -> Result<bool, Failure> {
    if !is_held && !read_only {
        return Ok(false);
    }
    let Some(target) = superuser(context, instance).await? else { return Ok(is_held) };
    let outcome = if read_only { hold(&target, TIMEOUT).await } else { release(&target, TIMEOUT).await };
    match outcome {
        Ok(()) => {
            match (is_held, read_only) {
                (false, true) => tracing::warn!(instance = %instance.id, "the volume of an instance is nearly full, so its server takes no writes"),
                (true, false) => tracing::info!(instance = %instance.id, "the volume of an instance has space again, so its server takes writes"),
                _ => {}
            }
            Ok(read_only)
        }
        Err(reason) => {
            tracing::warn!(instance = %instance.id, read_only, cause = reason.message, "a server could not be told whether it takes writes");
            Ok(is_held)
        }
    }
}

/// Sets or removes the notice that little space is left.
async fn note(context: &ActivityContext, instance: &Instance, plan: &Plan) -> Result<(), Failure> {
    Ok(update_notice(context, instance, NoticeCode::StorageLow, plan.notice.as_deref()).await?)
}

/// Requests a resize like any caller.
async fn grow(context: &ActivityContext, instance: &Instance, storage_gb: i32) -> Result<(), Failure> {
    let params = resize::Params { storage_gb: Some(storage_gb), automatic: true, ..resize::Params::default() };
    let request = Request {
        idempotency: None,
        password: None,
        // The measurement may have changed it, and another size in between is refused as one that is no growth.
        revision: None,
        requested_by: Some("the control plane, because the volume is nearly full".to_owned()),
        deadline: context.timing.operation,
    };
    match context.store.accept(Subject::Existing(instance.id), &Params::Resize(params), &request).await {
        Ok(accepted) => {
            counter!("toygres_storage_growths_total").increment(1);
            tracing::info!(instance = %instance.id, operation = %accepted.operation.id, storage_gb, "a volume grows by itself");
            Ok(())
        }
        // Another operation is in progress, or the instance has changed: the next check decides.
        Err(Error::User(_) | Error::Superseded) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
