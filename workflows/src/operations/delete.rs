//! DeleteInstance: removes an instance in any state and verifies it. It is repeated until everything is removed.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::operation::OperationKind;
use toygres_store::Reached;

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::{DeletePostgres, delete_postgres},
    activity::{ActivityContext, Register as _},
    engine::StopWorkflows,
    workflow::{OperationRun, call},
};

/// The workflow.
pub(crate) struct Delete;

impl OperationWorkflow for Delete {
    const KIND: OperationKind = OperationKind::Delete;
    const NAME: &'static str = "toygres-workflows::orchestration::delete-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        call::<StopWorkflows>(run.ctx, run.run, run.timing.metadata).await?;
        run.until_done::<DeletePostgres>(&delete_postgres::Input { run: run.run.clone(), clean_up: false }).await?;
        Ok(None)
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<StopWorkflows>(context)
    }
}
