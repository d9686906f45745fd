//! RepairInstance: puts back what differs from what was deployed, as [`crate::repairs`] does without being asked, waits until the
//! instance is ready, and logs in.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use metrics::counter;
use toygres_domain::{
    drift::{Drift, Expected, Inspection, put_back},
    operation::{OperationKind, StepName},
    runtime::Deployment,
};
use toygres_store::Reached;

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::deploy_postgres::deployment,
    activity::{Activity, ActivityContext, Register as _, Run},
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Repair;

impl OperationWorkflow for Repair {
    const KIND: OperationKind = OperationKind::Repair;
    const NAME: &'static str = "toygres-workflows::orchestration::repair-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.call::<RepairPostgres>(run.run).await?;
        run.reachable().await.map(Some)
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<RepairPostgres>(context)
    }
}

/// The finding if there is no other.
const NOTHING: &str = "nothing differs from what was deployed";

/// Compares the instance with what was deployed, and puts back what differs. Without its data it fails for good.
struct RepairPostgres;

impl Activity for RepairPostgres {
    const NAME: &'static str = "toygres-workflows::activity::repair-postgres";
    type Input = Run;
    type Output = ();

    async fn run(context: ActivityContext, run: Run) -> Result<(), Failure> {
        let name = StepName::RepairPostgres;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(());
        }
        // From here on the repair can no longer be cancelled.
        let repair = async {
            let _lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: after a deletion nothing may be put back.
            let work = context.wanted(&run).await?;
            let data = context.store.data(&work.instance).await?;
            let deployment = deployment(&context, work.instance, data).await?;
            // An earlier attempt may have put something back without having said so.
            let mut findings = work.operation.step(name).map(|step| step.findings.clone()).unwrap_or_default();
            findings.retain(|finding| finding != NOTHING);
            add(&mut findings, &inspect(&context, &deployment).await?);
            context.store.note_findings(&run.operation, run.run, name, &findings).await?;
            let repaired = context.verb(context.runtime.repair(&deployment)).await?;
            for drift in &repaired {
                counter!("toygres_repairs_total", "what" => drift.kind.as_str()).increment(1);
            }
            add(&mut findings, &repaired);
            if findings.is_empty() {
                findings.push(NOTHING.to_owned());
            } else {
                context.store.record_repair(deployment.id, Some(&run.operation), &put_back(&findings)).await?;
            }
            Ok(context.store.note_findings(&run.operation, run.run, name, &findings).await?)
        };
        context.as_step(&run, name, repair).await
    }
}

/// What differs and can be put back. Data that is lost, or is about to be, ends the operation with that reason.
async fn inspect(context: &ActivityContext, deployment: &Deployment) -> Result<Vec<Drift>, Failure> {
    let found = context.verb(context.runtime.inspect(&[Expected::from(deployment)])).await?;
    match found.into_iter().next() {
        Some(Inspection { data: Some(reason), .. }) => Err(Failure::Failed(reason)),
        Some(Inspection { drift, .. }) => Ok(drift),
        None => Ok(Vec::new()),
    }
}

fn add(findings: &mut Vec<String>, drift: &[Drift]) {
    for found in drift.iter().map(Drift::to_string) {
        if !findings.contains(&found) {
            findings.push(found);
        }
    }
}
