//! CreateDatabaseUser: makes a role that logs in, with the verifier that is sealed in the metadata since the operation was accepted.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    instance::Reason,
    operation::{OperationKind, StepName, create_database_user},
};
use toygres_postgres::users::{self, Clients, NewUser};
use toygres_store::Reached;

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::generate_connection_string::{Input, insist},
    activity::{Activity, ActivityContext, Register as _, Run},
    administration::TIMEOUT,
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct CreateDatabaseUser;

impl OperationWorkflow for CreateDatabaseUser {
    const KIND: OperationKind = OperationKind::CreateDatabaseUser;
    const NAME: &'static str = "toygres-workflows::orchestration::create-database-user";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.at_endpoint::<MakeUser>().await
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.call::<RemoveUser>(run.run).await
    }

    fn uncompensated(reason: &Reason) -> String {
        format!("dropping the user again failed too ({})", reason.message)
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<MakeUser>(context).activity::<RemoveUser>(context)
    }
}

/// Makes the role.
struct MakeUser;

impl Activity for MakeUser {
    const NAME: &'static str = "toygres-workflows::activity::create-database-user";
    type Input = Input;
    /// Whether it was made; otherwise the instance is not ready at this endpoint any more.
    type Output = bool;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<bool, Failure> {
        let name = StepName::CreateDatabaseUser;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(true);
        }
        let id = work.instance.id;
        let made = context.as_step(&run, name, async {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: after the end of the operation nothing may be made.
            let work = context.wanted(&run).await?;
            let params: create_database_user::Params = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
            let (superuser, verifier) = (context.superuser(&work, &endpoint).await?, context.store.new_verifier(id).await?);
            let mut others = context.store.other_users(&work.instance).await?;
            others.push(params.name.clone());
            let clients = Clients { owner: &work.instance.spec.username, users: &others };
            let user = NewUser { name: &params.name, verifier: &verifier, access: params.access, database: params.database.as_ref() };
            insist(|| users::create(&superuser, &user, clients, TIMEOUT)).await
        });
        context.done_at(id, &endpoint, made.await).await
    }
}

/// Drops the role that a failed creation made.
struct RemoveUser;

impl Activity for RemoveUser {
    const NAME: &'static str = "toygres-workflows::activity::remove-created-user";
    type Input = Run;
    type Output = ();

    async fn run(context: ActivityContext, run: Run) -> Result<(), Failure> {
        let work = context.store.work(&run.operation, run.run).await?;
        if !work.operation.has_begun(StepName::CreateDatabaseUser) {
            return Ok(());
        }
        let id = work.instance.id;
        let remove = async {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: a later operation or run is not interfered with.
            let work = context.store.work(&run.operation, run.run).await?;
            let params: create_database_user::Params = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
            let superuser = context.superuser(&work, &context.endpoint_now(id).await?).await?;
            let (verifier, others) = (context.store.new_verifier(id).await?, context.store.other_users(&work.instance).await?);
            let clients = Clients { owner: &work.instance.spec.username, users: &others };
            insist(|| users::undo(&superuser, &params.name, &verifier, clients, TIMEOUT)).await
        };
        context.as_compensation(&run, StepName::CleanUp, &work, remove).await
    }
}
