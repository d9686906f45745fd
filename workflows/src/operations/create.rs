//! CreateInstance: deploys an instance in the state `creating`, or removes it again after a failure and records the reason.

use toygres_domain::operation::OperationKind;
use toygres_store::Reached;

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::{DeletePostgres, DeployPostgres, delete_postgres},
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Create;

impl OperationWorkflow for Create {
    const KIND: OperationKind = OperationKind::Create;
    const NAME: &'static str = "toygres-workflows::orchestration::create-instance";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.call::<DeployPostgres>(run.run).await?;
        run.reachable().await.map(Some)
    }

    /// Removes the deployment. The activity gives up some time after the operation's deadline.
    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.until_done::<DeletePostgres>(&delete_postgres::Input { run: run.run.clone(), clean_up: true }).await
    }
}
