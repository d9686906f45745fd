//! CreateDatabase: makes a database in an instance.

use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    instance::{Reason, ReasonCode},
    name::SqlName,
    operation::{OperationKind, StepName, create_database},
};
use toygres_postgres::{
    Target,
    databases::{self, Presence},
};
use toygres_store::{Reached, Work};

use super::OperationWorkflow;
use crate::{
    Failure,
    activities::generate_connection_string::{Input, insist},
    activity::{Activity, ActivityContext, Register as _, Run},
    administration::TIMEOUT,
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct CreateDatabase;

/// What the step found first: from then on a database of this name to which nobody can connect is one that this operation made. The owner may
/// make one of this name by SQL at any time, to which clients can connect: that is never touched.
const ABSENT: &str = "there was no database of this name";
/// What the step has done before it lets clients connect: from then on a database of this name is the one that this operation made.
const MADE: &str = "it was made";
/// What it found otherwise.
const CAME_ALONG: &str = "the database came with the data of another instance, and is left as it is";

impl OperationWorkflow for CreateDatabase {
    const KIND: OperationKind = OperationKind::CreateDatabase;
    const NAME: &'static str = "toygres-workflows::orchestration::create-database";

    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        run.at_endpoint::<MakeDatabase>().await
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.call::<RemoveDatabase>(run.run).await
    }

    fn uncompensated(reason: &Reason) -> String {
        format!("dropping the database again failed too ({})", reason.message)
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        builder.activity::<MakeDatabase>(context).activity::<RemoveDatabase>(context)
    }
}

/// Whether a database is one that this operation made. It is not asked for its owner or its contents: both can be those of one made by SQL.
fn is_made(work: &Work, presence: Presence) -> bool {
    match presence {
        Presence::Absent => false,
        Presence::Closed => has_found(work, ABSENT),
        Presence::Open => has_found(work, MADE),
    }
}

fn has_found(work: &Work, what: &str) -> bool {
    work.operation.step(StepName::CreateDatabase).is_some_and(|step| step.findings.iter().any(|finding| finding == what))
}

/// Makes the database.
struct MakeDatabase;

impl Activity for MakeDatabase {
    const NAME: &'static str = "toygres-workflows::activity::create-database";
    type Input = Input;
    /// Whether it was made; otherwise the instance is not ready at this endpoint any more.
    type Output = bool;

    async fn run(context: ActivityContext, Input { run, endpoint }: Input) -> Result<bool, Failure> {
        let name = StepName::CreateDatabase;
        let work = context.wanted(&run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(true);
        }
        let id = work.instance.id;
        let made = context.as_step(&run, name, async {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: after the end of the operation nothing may be made.
            let work = context.wanted(&run).await?;
            let create_database::Params { name: database, owner } = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
            let superuser = context.superuser(&work, &endpoint).await?;
            let note = async |findings: &[&str]| {
                let findings: Vec<_> = findings.iter().map(|finding| (*finding).to_owned()).collect();
                context.store.note_findings(&run.operation, run.run, name, &findings).await
            };
            let presence = insist(|| databases::presence(&superuser, &database, TIMEOUT)).await?;
            if presence != Presence::Absent && !is_made(&work, presence) {
                let present = insist(|| databases::owner(&superuser, &database, TIMEOUT)).await?;
                // Users other than the owner of the instance make no databases by SQL.
                if presence == Presence::Open && present.as_deref() == Some(owner.as_str()) && owner != work.instance.spec.username {
                    note(&[CAME_ALONG]).await?;
                    return Ok(());
                }
                let message = format!("a database named {database} exists already, made by SQL: choose another name");
                return Err(Failure::Failed(Reason::new(ReasonCode::QueryFailed, message)));
            }
            if presence == Presence::Absent {
                note(&[ABSENT]).await?;
                insist(|| make(&superuser, &database, &owner)).await?;
            }
            note(&[ABSENT, MADE]).await?;
            insist(|| databases::admit(&superuser, &database, TIMEOUT)).await
        });
        context.done_at(id, &endpoint, made.await).await
    }
}

/// Makes the database, unless an attempt whose answer was lost has.
async fn make(superuser: &Target, database: &SqlName, owner: &SqlName) -> Result<(), Reason> {
    match databases::presence(superuser, database, TIMEOUT).await? {
        Presence::Closed => Ok(()),
        // If somebody has made one meanwhile, the server says so.
        Presence::Absent | Presence::Open => databases::create(superuser, database, owner, TIMEOUT).await,
    }
}

/// Drops the database that a failed creation made, unless somebody uses it.
struct RemoveDatabase;

impl Activity for RemoveDatabase {
    const NAME: &'static str = "toygres-workflows::activity::remove-created-database";
    type Input = Run;
    type Output = ();

    async fn run(context: ActivityContext, run: Run) -> Result<(), Failure> {
        let work = context.store.work(&run.operation, run.run).await?;
        if !has_found(&work, ABSENT) {
            return Ok(());
        }
        let id = work.instance.id;
        let remove = async {
            let _lock = context.store.lock_instance(id).await?;
            // Checked again under the lock: a later operation or run is not interfered with.
            let work = context.store.work(&run.operation, run.run).await?;
            let params: create_database::Params = work.operation.params.clone().try_into().map_err(|_| Failure::incompatible())?;
            let superuser = context.superuser(&work, &context.endpoint_now(id).await?).await?;
            let presence = insist(|| databases::presence(&superuser, &params.name, TIMEOUT)).await?;
            if !is_made(&work, presence) {
                return Ok(());
            }
            insist(|| databases::drop_database(&superuser, &params.name, false, TIMEOUT)).await
        };
        context.as_compensation(&run, StepName::CleanUp, &work, remove).await
    }
}
