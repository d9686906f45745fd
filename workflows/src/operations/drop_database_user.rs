//! DropDatabaseUser: gives what a role owns to another one, and drops it. After a failure the user is still there, and may own less than before;
//! a retry goes on.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::operation::{OperationKind, StepName, drop_database_user};
use toygres_postgres::users::{self, Clients};
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
pub(crate) struct DropDatabaseUser;

impl OperationWorkflow for DropDatabaseUser {
    const KIND: OperationKind = OperationKind::DropDatabaseUser;
    const NAME: &'static str = "toygres-workflows::orchestration::drop-database-user";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.at_endpoint::<DropUser>().await
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<DropUser>(context)
    }
}

/// Drops the role.
struct DropUser;

impl Activity for DropUser {
    const NAME: &'static str = "toygres-workflows::activity::drop-database-user";
    type Input = Input;
    /// Whether it was dropped; otherwise the instance is not ready at this endpoint any more.
    type Output = bool;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<bool, Failure> {
        let name = StepName::DropDatabaseUser;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(true);
        }
        let id = work.instance.id;
        let dropped = context.as_step(&run, name, async {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: after the end of the operation nothing may be dropped.
            let work = context.wanted(&run).await?;
            let params: drop_database_user::Params = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
            let superuser = context.superuser(&work, &endpoint).await?;
            let mut others = context.store.other_users(&work.instance).await?;
            others.retain(|user| *user != params.name);
            let clients = Clients { owner: &work.instance.spec.username, users: &others };
            let findings = insist(|| users::drop_user(&superuser, &params.name, &params.reassign_to, clients, TIMEOUT)).await?;
            if !findings.is_empty() {
                context.store.note_findings(&run.operation, run.run, name, &findings).await?;
            }
            Ok(())
        });
        context.done_at(id, &endpoint, dropped.await).await
    }
}
