//! The steps of operations, as workflows report them. Each write is conditional on the operation's run.

use chrono::Utc;
use sqlx::{PgConnection, types::Json};
use toygres_domain::{
    Error, OperationId, Result,
    instance::Reason,
    operation::{Operation, Step, StepName, StepStatus},
    restoration::RestoreMethod,
};

use super::{
    Store,
    errors::Classify,
    operations,
    runs::{seen_run, superseded_if_gone},
};

/// Each fails with [`Error::Superseded`] when the operation is finished or another run has taken over.
impl Store {
    /// Records that a step was started (again). A step that is not in the plan is appended.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn begin_step(&self, id: &OperationId, run: i32, name: StepName) -> Result<()> {
        self.change_step(id, run, name, Step::begin).await
    }

    /// Records that a step is polled again, which is not a new attempt unless the last one failed.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn resume_step(&self, id: &OperationId, run: i32, name: StepName) -> Result<()> {
        self.change_step(id, run, name, Step::resume).await
    }

    /// Records what a step waits for.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn note_step(&self, id: &OperationId, run: i32, name: StepName, why: &Reason) -> Result<()> {
        self.change_step(id, run, name, |step| {
            step.resume();
            step.error = Some(why.clone());
        })
        .await
    }

    /// Records that an attempt of a step failed. The step is still running, because the workflow decides whether it is retried.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn fail_step(&self, id: &OperationId, run: i32, name: StepName, why: &Reason) -> Result<()> {
        self.change_step(id, run, name, |step| {
            step.resume();
            step.finished_at = Some(Utc::now());
            step.error = Some(why.clone());
        })
        .await
    }

    /// Records what a step found.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn note_findings(&self, id: &OperationId, run: i32, name: StepName, findings: &[String]) -> Result<()> {
        self.change_step(id, run, name, |step| findings.clone_into(&mut step.findings)).await
    }

    /// Records that a step is done.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn finish_step(&self, id: &OperationId, run: i32, name: StepName) -> Result<()> {
        self.change_step(id, run, name, |step| {
            step.resume();
            step.status = StepStatus::Succeeded;
            step.finished_at = Some(Utc::now());
            step.error = None;
        })
        .await
    }

    /// Records that a step is not needed, or not any more.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn skip_step(&self, id: &OperationId, run: i32, name: StepName) -> Result<()> {
        self.change_step(id, run, name, |step| {
            step.status = StepStatus::Skipped;
            step.finished_at = step.started_at.map(|_| Utc::now());
            step.error = None;
        })
        .await
    }

    /// Records how the data of a restored instance got there.
    ///
    /// # Errors
    /// [`Error::Superseded`] when the operation is finished or another run has taken over.
    pub async fn note_restore_method(&self, id: &OperationId, run: i32, method: RestoreMethod) -> Result<()> {
        let written = sqlx::query!(
            "UPDATE operations SET params = jsonb_set(params, '{method}', to_jsonb($3::text))
             WHERE id = $1 AND run = $2 AND status IN ('pending', 'running')",
            id.as_str(),
            run,
            method.as_str()
        )
        .execute(&self.pool)
        .await
        .classify()?;
        if written.rows_affected() > 0 { Ok(()) } else { Err(Error::Superseded) }
    }

    async fn change_step(&self, id: &OperationId, run: i32, name: StepName, change: impl Fn(&mut Step)) -> Result<()> {
        // Concurrent writes are rare, so the row is not locked first, which takes two round trips instead of four.
        let mut connection = self.pool.acquire().await.classify()?;
        let now = seen_run(&mut connection, id, run).await?;
        let Some(steps) = changed(&now.steps, name, &change) else { return Ok(()) };
        let written = sqlx::query!(
            "UPDATE operations SET steps = $2 WHERE id = $1 AND run = $3 AND status IN ('pending', 'running') AND steps = $4",
            id.as_str(),
            Json(steps) as _,
            run,
            Json(now.steps) as _
        )
        .execute(&mut *connection)
        .await
        .classify()?;
        drop(connection);
        if written.rows_affected() > 0 {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        let now = live_run(&mut transaction, id, run).await?;
        if let Some(steps) = changed(&now.steps, name, &change) {
            sqlx::query!("UPDATE operations SET steps = $2 WHERE id = $1", id.as_str(), Json(steps) as _)
                .execute(&mut *transaction)
                .await
                .classify()?;
            transaction.commit().await.classify()?;
        }
        Ok(())
    }
}

/// The steps after a change of one of them; `None` if that changes nothing.
pub(super) fn changed(steps: &[Step], name: StepName, change: impl Fn(&mut Step)) -> Option<Vec<Step>> {
    let mut after = steps.to_vec();
    let index = after.iter().position(|step| step.name == name).unwrap_or_else(|| {
        after.push(Step::planned(name));
        after.len() - 1
    });
    change(&mut after[index]);
    (after != steps).then_some(after)
}

/// For writes to the operation alone.
async fn live_run(connection: &mut PgConnection, id: &OperationId, run: i32) -> Result<Operation> {
    let now = operations::locked(connection, id).await.map_err(superseded_if_gone)?;
    if now.run != run || now.status.is_terminal() { Err(Error::Superseded) } else { Ok(now) }
}
