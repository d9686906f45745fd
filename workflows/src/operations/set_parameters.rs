//! SetParameters: gives a running server a changed configuration, restarts it if that is needed and allowed, and asks it whether it has
//! the values. A server that does not come back with them gets its former configuration again.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::operation::OperationKind;
use toygres_store::Reached;

use super::{
    OperationWorkflow,
    reconfigure::{Applied, ApplyConfiguration, RevertConfiguration, VerifyConfiguration},
    restart::RestartPostgres,
};
use crate::{
    Failure,
    activity::{ActivityContext, Register as _},
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct SetParameters;

impl OperationWorkflow for SetParameters {
    const KIND: OperationKind = OperationKind::SetParameters;
    const NAME: &'static str = "toygres-workflows::orchestration::set-parameters";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        let Applied { restart, stopped } = run.call::<ApplyConfiguration>(run.run).await?;
        if stopped {
            return Ok(None);
        }
        if restart {
            run.until_done::<RestartPostgres>(run.run).await?;
        }
        let reached = run.reachable().await?;
        run.until_done::<VerifyConfiguration>(run.run).await?;
        Ok(Some(reached))
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.until_done::<RevertConfiguration>(run.run).await
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<ApplyConfiguration>(context).activity::<VerifyConfiguration>(context).activity::<RevertConfiguration>(context)
    }
}
