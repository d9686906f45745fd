//! SuspendInstance: stops the server of a running instance and keeps it stopped, or starts it again after a failure.

use toygres_domain::operation::OperationKind;
use toygres_store::Reached;

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::{StartPostgres, StopPostgres, start_postgres, stop_postgres},
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Suspend;

impl OperationWorkflow for Suspend {
    const KIND: OperationKind = OperationKind::Suspend;
    const NAME: &'static str = "toygres-workflows::orchestration::suspend-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.until_done::<StopPostgres>(&stop_postgres::Input { run: run.run.clone(), revert: false }).await?;
        Ok(None)
    }

    /// Starts the server again. The health check goes on and tells whether it comes back.
    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.call::<StartPostgres>(&start_postgres::Input { run: run.run.clone(), revert: true }).await
    }
}
