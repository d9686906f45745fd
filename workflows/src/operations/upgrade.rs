//! UpgradeInstance: gives an instance another major or minor version of PostgreSQL, or finds out whether that is possible. A minor version is a
//! restart, and has nothing to confirm. Until a major version is confirmed by a login, clients are kept out, and a failure, the deadline or a
//! cancellation puts the former version with its data back. Then the row gets the new version, so that whatever happens later deploys that.

mod roles;
mod suspended;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use duroxide::runtime::registry::ActivityRegistryBuilder;
use toygres_domain::{
    OperationId,
    instance::{Instance, PostgresVersion, Reason, ReasonCode},
    operation::{Operation, OperationKind, StepName, upgrade},
    runtime::{Deployment, Observation, Progress, Restart},
    upgrade::Upgrade as Request,
};
use toygres_store::{OperationFilter, PageRequest, Reached, Work};

use self::{
    roles::adapt_roles,
    suspended::{StartForUpgrade, Started, StopAfterUpgrade},
};
use super::{OperationWorkflow, reconfigure::refuse_when_reverting};
use crate::{
    Failure,
    activities::{
        delete_postgres::in_time,
        deploy_postgres::{deployment, target},
        generate_connection_string::log_in,
        get_instance_status::poll,
    },
    activity::{Activity, ActivityContext, Register as _, Run, catch_panic},
    backups::until_released,
    workflow::OperationRun,
};

/// The workflow.
pub(crate) struct Upgrade;

impl OperationWorkflow for Upgrade {
    const KIND: OperationKind = OperationKind::Upgrade;
    const NAME: &'static str = "toygres-workflows::orchestration::upgrade-instance";

    /// If it is only checked, the steps after that have nothing to do.
    async fn provision(run: &OperationRun<'_>) -> Result<Option<Reached>, Failure> {
        let mut pauses = run.pauses();
        let is_suspended = loop {
            match run.call::<StartForUpgrade>(run.run).await? {
                Started::NotNeeded => break false,
                Started::Done => break true,
                Started::InProgress(_) => pauses.wait().await,
            }
        };
        run.until_done::<CheckUpgrade>(run.run).await?;
        run.until_done::<UpgradePostgres>(run.run).await?;
        run.until_done::<ConfirmUpgrade>(run.run).await?;
        if is_suspended {
            run.until_done::<AnalyzeDatabases>(run.run).await?;
            run.until_done::<StopAfterUpgrade>(run.run).await?;
            return Ok(None);
        }
        let reached = run.reachable().await?;
        run.until_done::<AnalyzeDatabases>(run.run).await?;
        Ok(Some(reached))
    }

    async fn compensate(run: &OperationRun<'_>) -> Result<(), Failure> {
        run.until_done::<RollBack>(run.run).await
    }

    fn activities(builder: ActivityRegistryBuilder, context: &ActivityContext) -> ActivityRegistryBuilder {
        let builder = builder.activity::<CheckUpgrade>(context).activity::<UpgradePostgres>(context).activity::<ConfirmUpgrade>(context);
        let builder = builder.activity::<StartForUpgrade>(context).activity::<StopAfterUpgrade>(context);
        builder.activity::<AnalyzeDatabases>(context).activity::<RollBack>(context)
    }
}

/// How long the server may take to shut down gracefully.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(120);
/// The first version whose logical replication slots `pg_upgrade` takes over.
const KEEPS_SLOTS: PostgresVersion = PostgresVersion(17);
/// Backups may end this long before the upgrade begins.
const BACKED_UP_WITHIN: TimeDelta = TimeDelta::minutes(5);

fn params(operation: &Operation) -> Result<upgrade::Params, Failure> {
    operation.params.clone().try_into().map_err(|_| Failure::incompatible())
}

/// What an upgrade asks of the runtime.
fn request(work: &Work) -> Result<Request, Failure> {
    let upgrade::Params { version, check_only, minor: _, drop_logical_slots: _ } = params(&work.operation)?;
    let from = work.instance.spec.postgres_version;
    Ok(Request { operation: work.operation.id.clone(), from, to: version, check_only, timeout: SHUTDOWN_TIMEOUT })
}

/// Whether it was decided for the new version.
fn is_confirmed(work: &Work) -> bool {
    params(&work.operation).is_ok_and(|params| !params.check_only && !params.minor && params.version == work.instance.spec.postgres_version)
}

/// Finds out whether the instance can be upgraded: what its server says while it runs, and, if the operation is a check, what `pg_upgrade` says.
struct CheckUpgrade;

impl Activity for CheckUpgrade {
    const NAME: &'static str = "toygres-workflows::activity::check-upgrade";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let check = async {
            let work = context.wanted(&run).await?;
            let asked = work.operation.step(StepName::CheckUpgrade).is_some_and(|step| !step.findings.is_empty());
            if !asked {
                let found = ask(&context, &work).await?;
                context.store.note_findings(&run.operation, run.run, StepName::CheckUpgrade, &found).await?;
            }
            if !params(&work.operation)?.check_only {
                return Ok(Progress::Done);
            }
            until_released(&context, work.instance.id).await?;
            let _lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: after a deletion nothing may be stopped.
            let work = context.wanted(&run).await?;
            refuse_when_reverting(&work.operation)?;
            let request = request(&work)?;
            let deployment = to_deploy(&context, target(work)).await?;
            context.verb(context.runtime.upgrade(&deployment, &request)).await
        };
        step(&context, &run, StepName::CheckUpgrade, check).await
    }
}

/// What the server says, and whether it is backed up, before anything is stopped.
async fn ask(context: &ActivityContext, work: &Work) -> Result<Vec<String>, Failure> {
    let Work { instance, operation } = work;
    let refuse = |code, message: String| Err(Failure::Failed(Reason::new(code, message)));
    let upgrade::Params { version, minor, drop_logical_slots, .. } = params(operation)?;
    let former = instance.spec.postgres_version;
    if minor {
        let update = instance.update_available.as_ref().map(|update| format!("the server runs {}, and {} is there", update.from, update.to));
        return Ok(vec![update.unwrap_or_else(|| format!("the instance has PostgreSQL {former}"))]);
    }
    context.runtime.upgrades(former, version).map_err(|why| Failure::Failed(Reason::new(ReasonCode::PostgresMissing, why)))?;
    let mut found = vec![format!("the instance has PostgreSQL {former}")];
    let endpoint = context.endpoint_now(instance.id).await?;
    let superuser = context.superuser(work, &endpoint).await?;
    let slots = context.configuration.logical_slots(instance.id, &superuser).await.map_err(Failure::Retry)?;
    if former < KEEPS_SLOTS && !slots.is_empty() {
        let names = slots.join(", ");
        if !drop_logical_slots {
            let message = format!(
                "PostgreSQL {former} cannot take logical replication slots along, and there are: {names}. Drop them with \
                 pg_drop_replication_slot, or repeat the upgrade with dropLogicalSlots"
            );
            return refuse(ReasonCode::NotUpgradable, message);
        }
        found.push(format!("these logical replication slots are lost: {names}"));
    }
    if instance.backups.enabled != Some(false)
        && let Some(archive) = context.store.archives_of(&[instance.id]).await?.remove(&instance.id)
    {
        let first = if operation.keeps_stopped() { "resume the instance, and " } else { "" };
        let remedy = format!("{first}wait until the instance is protected again, or turn its backups off, before the upgrade");
        match archive.intervals().last() {
            None => return refuse(ReasonCode::BackupFailed, format!("the instance has no complete backup yet: {remedy}")),
            Some(last) if last.to + BACKED_UP_WITHIN < last_written(context, work).await? => {
                let to = last.to.format("%Y-%m-%d %H:%M:%S UTC");
                return refuse(ReasonCode::BackupFailed, format!("the backups of the instance end at {to}: {remedy}"));
            }
            Some(last) => found.push(format!("the former version can be restored up to {}", last.to.format("%Y-%m-%d %H:%M:%S UTC"))),
        }
    }
    Ok(found)
}

/// Until when clients could write: to a suspended instance not since its server was stopped.
async fn last_written(context: &ActivityContext, Work { instance, operation }: &Work) -> Result<DateTime<Utc>, Failure> {
    if !operation.keeps_stopped() {
        return Ok(operation.created_at);
    }
    let kinds = Some(vec![OperationKind::Suspend, OperationKind::Resume]);
    let filter = OperationFilter { instance: Some(instance.id), kinds, statuses: None };
    let last = context.store.operations(&filter, &PageRequest::first(1)).await?.items.pop();
    Ok(last.map_or(operation.created_at, |last| last.finished_at.unwrap_or(last.created_at)))
}

/// Has the runtime upgrade the data, starts the new server without letting clients in, and logs in as a health check does.
struct UpgradePostgres;

impl Activity for UpgradePostgres {
    const NAME: &'static str = "toygres-workflows::activity::upgrade-postgres";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let work = context.wanted(&run).await?;
        if params(&work.operation)?.check_only {
            return Ok(Progress::Done);
        }
        let upgrade = async {
            until_released(&context, work.instance.id).await?;
            let lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: after a deletion, or a rollback, nothing may be upgraded.
            let work = context.wanted(&run).await?;
            refuse_when_reverting(&work.operation)?;
            if params(&work.operation)?.minor {
                let (id, deployment) = (work.instance.id, to_deploy(&context, work.instance).await?);
                let restart = Restart { operation: run.operation.clone(), timeout: SHUTDOWN_TIMEOUT };
                let progress = context.verb(context.runtime.update(&deployment, &restart)).await?;
                // The same version may have been built without TLS, or with it: then its certificate follows.
                if progress == Progress::Done && !context.runtime.speaks_tls(params(&work.operation)?.version) {
                    context.store.forget_certificate(id).await?;
                }
                // Whether it works, the next steps find out, as after a restart: this one is not to be repeated.
                return Ok(progress);
            }
            let request = request(&work)?;
            let deployment = Deployment { closed: true, ..to_deploy(&context, target(work)).await? };
            let progress = context.verb(context.runtime.upgrade(&deployment, &request)).await?;
            if progress != Progress::Done {
                return Ok(progress);
            }
            context.verb(context.runtime.deploy(&deployment)).await?;
            drop(lock);
            works(&context, &run).await
        };
        step(&context, &run, StepName::UpgradePostgres, upgrade).await
    }
}

/// Whether the new server is ready, and lets in a health check. One that exits is not waited for.
async fn works(context: &ActivityContext, run: &Run) -> Result<Progress, Failure> {
    let work = context.wanted(run).await?;
    match poll(context, work.instance.id).await? {
        Observation::Ready(endpoint) => {
            let internal_endpoint = context.runtime.internal_endpoint(&work.instance.address(), &endpoint);
            log_in(context, &work, internal_endpoint.clone()).await?;
            adapt_roles(context, &work, internal_endpoint).await.map(|()| Progress::Done)
        }
        Observation::Pending(reason) if !matches!(reason.code, ReasonCode::ProcessExited | ReasonCode::CrashLoop | ReasonCode::OutOfMemory) => {
            Ok(Progress::InProgress(reason))
        }
        Observation::Pending(reason) | Observation::Failed(reason) => Err(Failure::Failed(reason)),
        // The next call deploys it again.
        Observation::Absent => Ok(Progress::InProgress(Reason::new(ReasonCode::Internal, "what was deployed has vanished; deploying it again"))),
    }
}

/// Decides for the new version, and lets clients in.
struct ConfirmUpgrade;

impl Activity for ConfirmUpgrade {
    const NAME: &'static str = "toygres-workflows::activity::confirm-upgrade";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::ConfirmUpgrade;
        let work = context.wanted(&run).await?;
        let params = params(&work.operation)?;
        if params.check_only || params.minor || ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        refuse_when_reverting(&work.operation)?;
        if !context.store.confirm_upgrade(&run.operation, run.run, context.runtime.speaks_tls(params.version)).await? {
            return Err(Failure::Cancelled);
        }
        let confirm = async {
            let _lock = context.store.lock_instance(work.instance.id).await?;
            // Checked again under the lock: after a deletion nothing may be deployed.
            let work = context.wanted(&run).await?;
            refuse_when_reverting(&work.operation)?;
            // One that was suspended is stopped soon.
            if work.operation.keeps_stopped() { Ok(Progress::Done) } else { open(&context, work, "open").await }
        };
        step(&context, &run, name, confirm).await
    }
}

/// Deploys the instance as its row says, which lets clients in, and restarts its server: on Kubernetes a server that runs would have the rules
/// for logins a minute later. The caller holds the lock of the instance.
async fn open(context: &ActivityContext, Work { instance, operation }: Work, restart: &str) -> Result<Progress, Failure> {
    let (id, deployment) = (instance.id, to_deploy(context, instance).await?);
    context.verb(context.runtime.deploy(&deployment)).await?;
    let restart = Restart { operation: OperationId::from_any(&format!("{}-{restart}", operation.id)), timeout: SHUTDOWN_TIMEOUT };
    context.verb(context.runtime.restart(id, &restart)).await
}

/// How long one call may collect statistics, and how long all of them together. Meanwhile the WAL is not archived.
const ANALYZE_SLICE: Duration = Duration::from_secs(60);
const ANALYZE_WITHIN: TimeDelta = TimeDelta::minutes(10);

/// Has the former data removed where the host has not, and collects the statistics of every database, which clients use meanwhile. What does
/// not work is no reason to fail.
struct AnalyzeDatabases;

impl Activity for AnalyzeDatabases {
    const NAME: &'static str = "toygres-workflows::activity::analyze-databases";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::AnalyzeDatabases;
        let work = context.wanted(&run).await?;
        let params = params(&work.operation)?;
        if params.check_only || params.minor || ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        let began = work.operation.step(name).and_then(|step| step.started_at);
        context.store.resume_step(&run.operation, run.run, name).await?;
        let analyzed = catch_panic(async {
            let endpoint = context.endpoint_now(work.instance.id).await?;
            let superuser = context.superuser(&work, &endpoint).await?;
            if let Some(former) = context.runtime.former_data() {
                context.configuration.discard(work.instance.id, &superuser, former).await.map_err(Failure::Retry)?;
            }
            context.configuration.analyze(work.instance.id, &superuser, ANALYZE_SLICE).await.map_err(Failure::Retry)
        })
        .await;
        let is_over = began.is_some_and(|began| context.store.now() > began + ANALYZE_WITHIN);
        match analyzed {
            Ok(0) => {}
            Ok(left) if !is_over => {
                let waits_for = Reason::new(ReasonCode::StartingUp, format!("{left} tables have no statistics yet"));
                context.store.note_step(&run.operation, run.run, name, &waits_for).await?;
                return Ok(Progress::InProgress(waits_for));
            }
            Err(failure @ Failure::Retry(_)) if !is_over => {
                context.fail_step(&run, name, &failure).await?;
                return Err(failure);
            }
            Ok(_) | Err(_) => {
                let finding = "not every table has statistics; run ANALYZE in each database".to_owned();
                context.store.note_findings(&run.operation, run.run, name, &[finding]).await?;
            }
        }
        context.store.finish_step(&run.operation, run.run, name).await?;
        Ok(Progress::Done)
    }
}

/// Puts the former version with its data back, unless the upgrade was confirmed: then the new one is deployed, as the row says. It also runs
/// after the deadline, and has its own time limit.
struct RollBack;

impl Activity for RollBack {
    const NAME: &'static str = "toygres-workflows::activity::roll-back-upgrade";
    type Input = Run;
    type Output = Progress;

    async fn run(context: ActivityContext, run: Run) -> Result<Progress, Failure> {
        let name = StepName::RollBack;
        let work = context.store.work(&run.operation, run.run).await?;
        if ActivityContext::is_done(&work, name) {
            return Ok(Progress::Done);
        }
        let params = params(&work.operation)?;
        let began = if params.check_only { StepName::CheckUpgrade } else { StepName::UpgradePostgres };
        let has_begun = [StepName::StartPostgres, began].into_iter().any(|step| work.operation.has_begun(step));
        // An update has changed no data, and the server is started with what the host has, as after a restart.
        let is_untouched = params.minor || !has_begun;
        // From here on nothing leads forward any more.
        context.store.resume_step(&run.operation, run.run, name).await?;
        let outcome = if is_untouched { Ok(Progress::Done) } else { catch_panic(roll_back(&context, &run)).await };
        let outcome = in_time(&context, &work, outcome);
        match &outcome {
            Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
            // The instance keeps the reason of the failure.
            Ok(Progress::InProgress(reason)) => context.store.note_step(&run.operation, run.run, name, reason).await?,
            Err(failure) => context.fail_step(&run, name, failure).await?,
        }
        outcome
    }
}

/// The finding of the step once the former server was asked for.
const REVERTED: &str = "what ran before is deployed again";

async fn roll_back(context: &ActivityContext, run: &Run) -> Result<Progress, Failure> {
    let name = StepName::RollBack;
    let lock = context.store.lock_instance(context.store.work(&run.operation, run.run).await?.instance.id).await?;
    // Under the lock: after a deletion nothing may be deployed.
    let work = context.store.work(&run.operation, run.run).await?;
    let (id, suspended) = (work.instance.id, work.operation.keeps_stopped());
    if work.operation.step(name).is_none_or(|step| step.findings.is_empty()) {
        let progress = if is_confirmed(&work) {
            if suspended { Progress::Done } else { open(context, work, "open-again").await? }
        } else {
            let request = request(&work)?;
            let deployment = Deployment { suspended, closed: suspended, ..to_deploy(context, work.instance).await? };
            context.verb(context.runtime.revert_upgrade(&deployment, &request)).await?
        };
        if progress != Progress::Done {
            return Ok(progress);
        }
        context.store.note_findings(&run.operation, run.run, name, &[REVERTED.to_owned()]).await?;
    }
    drop(lock);
    if suspended {
        return suspended::stop(context, run, true).await;
    }
    match context.verb(context.runtime.observe(id)).await? {
        Observation::Ready(_) => Ok(Progress::Done),
        Observation::Pending(reason) => Ok(Progress::InProgress(reason)),
        Observation::Failed(reason) => Err(Failure::Failed(reason)),
        Observation::Absent => {
            context.store.note_findings(&run.operation, run.run, name, &[]).await?;
            Ok(Progress::InProgress(Reason::new(ReasonCode::Internal, "what was deployed has vanished; deploying it again")))
        }
    }
}

/// Runs a step of the operation, unless it is done or the operation is being reverted.
async fn step(
    context: &ActivityContext,
    run: &Run,
    name: StepName,
    work: impl Future<Output = Result<Progress, Failure>>,
) -> Result<Progress, Failure> {
    let now = context.wanted(run).await?;
    refuse_when_reverting(&now.operation)?;
    if ActivityContext::is_done(&now, name) {
        return Ok(Progress::Done);
    }
    context.store.resume_step(&run.operation, run.run, name).await?;
    let outcome = catch_panic(work).await;
    match &outcome {
        Ok(Progress::Done) => context.store.finish_step(&run.operation, run.run, name).await?,
        Ok(Progress::InProgress(reason)) => context.note_waiting(run, name, reason).await?,
        Err(failure) => context.note_failure(run, name, failure).await?,
    }
    outcome
}

async fn to_deploy(context: &ActivityContext, instance: Instance) -> Result<Deployment, Failure> {
    let data = context.store.data(&instance).await?;
    deployment(context, instance, data).await
}
