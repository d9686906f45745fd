//! The check of an instance between those of its workflow: the same examination, but what is to change is left to the workflow.

use std::pin::pin;

use toygres_domain::instance::{HealthStatus, Instance, ReasonCode};
use toygres_postgres::Measure;
use toygres_store::SuccessfulCheck;

use super::{
    attend, count,
    examination::{Examination, Finding},
    idle::{begin_anew, suspend_if_idle},
    record, seconds,
    storage::{Volume, VolumeMemory},
};
use crate::{Failure, activity::ActivityContext};

/// What is remembered of an instance between two probes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    volume: Option<VolumeMemory>,
}

/// What a probe found.
#[derive(Debug)]
pub(crate) enum Probed {
    /// The instance is healthy, as the metadata say.
    Expected {
        /// The sample.
        success: SuccessfulCheck,
        /// For the next probe.
        memory: Memory,
        /// When the next probe is due at the latest.
        soon: Option<std::time::Duration>,
    },
    /// There is something for the workflow to find.
    Unexpected,
}

/// Probes a healthy instance. One that does not answer promptly is told to `late` before the end of its time-out.
pub(crate) async fn probe<F: Future<Output = ()>>(
    context: &ActivityContext,
    instance: &Instance,
    memory: Memory,
    late: impl FnOnce() -> F,
) -> Result<Probed, Failure> {
    let Some(endpoint) = &instance.endpoint else { return Ok(Probed::Unexpected) };
    let volume = Volume::remembered(context, instance, memory.volume).await?;
    let storage = volume.is_some_and(|volume| volume.is_due(instance));
    let metrics = context.metrics.is_due(instance.id);
    let measure = Measure { storage, vitals: storage || metrics };
    let examination = Examination { context, instance, endpoint, anew: false, keep: true, measure };
    let mut examining = pin!(examination.run(seconds(instance.spec.health_check.timeout_seconds)));
    let finding = match tokio::time::timeout(context.timing.prompt, examining.as_mut()).await {
        Ok(finding) => finding?,
        Err(_) => {
            late().await;
            examining.await?
        }
    };
    match finding {
        Finding::Answered { answer, settled: true } => {
            let (volume, soon) = match volume {
                Some(volume) => match volume.note(context, instance, &answer).await? {
                    Some((volume, soon)) => (Some(volume), soon),
                    None => return Ok(Probed::Unexpected),
                },
                None => (None, None),
            };
            attend(context, instance, volume, &answer, metrics).await?;
            suspend_if_idle(context, instance, &answer.activity, true).await?;
            let success = SuccessfulCheck { latency: answer.latency, logged_in: answer.logged_in };
            count(Some(success), None);
            Ok(Probed::Expected { success, memory: Memory { volume: volume.map(Volume::memory) }, soon })
        }
        Finding::Failed(reason) | Finding::Moved(reason, _) => {
            if reason.code == ReasonCode::TlsFailed {
                context.suspect_certificates.add(instance.id);
            }
            record(context, instance, HealthStatus::Unhealthy, None, Some(&reason)).await?;
            begin_anew(context, instance).await?;
            Ok(Probed::Unexpected)
        }
        Finding::Unusable(_) | Finding::Died => {
            begin_anew(context, instance).await?;
            Ok(Probed::Unexpected)
        }
        Finding::Answered { settled: false, .. } => Ok(Probed::Unexpected),
    }
}
