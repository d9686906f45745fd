//! DropDatabase: drops a database with everything in it.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::operation::{OperationKind, StepName, drop_database};
use toygres_postgres::databases;
use toygres_store::Reached;

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::generate_connection_string::{Input, insist},
    activity::{Activity, ActivityContext, Register as _},
    administration::TIMEOUT,
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct DropDatabase;

impl OperationWorkflow for DropDatabase {
    const KIND: OperationKind = OperationKind::DropDatabase;
    const NAME: &'static str = "toygres-workflows::orchestration::drop-database";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.at_endpoint::<RemoveDatabase>().await
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<RemoveDatabase>(context)
    }
}

/// Drops the database.
struct RemoveDatabase;

impl Activity for RemoveDatabase {
    const NAME: &'static str = "toygres-workflows::activity::drop-database";
    type Input = Input;
    /// Whether it was dropped; otherwise the instance is not ready at this endpoint any more.
    type Output = bool;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<bool, Failure> {
        let name = StepName::DropDatabase;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(true);
        }
        let id = work.instance.id;
        let dropped = context.as_step(&run, name, async {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: after the end of the operation nothing may be dropped.
            let work = context.wanted(&run).await?;
            let params: drop_database::Params = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
            let superuser = context.superuser(&work, &endpoint).await?;
            insist(|| databases::drop_database(&superuser, &params.name, params.force, TIMEOUT)).await
        });
        context.done_at(id, &endpoint, dropped.await).await
    }
}
