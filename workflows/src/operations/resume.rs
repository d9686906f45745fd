//! ResumeInstance: starts the server of a suspended instance and logs in, or stops it again after a failure.

use toygres_domain::operation::OperationKind;
use toygres_store::Reached;

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::{StartPostgres, StopPostgres, start_postgres, stop_postgres},
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Resume;

impl OperationWorkflow for Resume {
    const KIND: OperationKind = OperationKind::Resume;
    const NAME: &'static str = "toygres-workflows::orchestration::resume-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.call::<StartPostgres>(&start_postgres::Input { run: run.run.clone(), revert: false }).await?;
        run.reachable().await.map(Some)
    }

    /// Stops the server again. The activity gives up some time after the operation's deadline.
    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.until_done::<StopPostgres>(&stop_postgres::Input { run: run.run.clone(), revert: true }).await
    }
}
