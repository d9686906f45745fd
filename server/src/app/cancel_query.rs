//! Cancels the statement that a session runs.

use toygres_domain::Result;
use toygres_postgres::sessions;

use super::{
    App,
    inspection::Inspection,
    terminate_session::{SessionInput, check},
};

impl App {
    /// Cancels the statement that a session of a client runs; the session goes on. Returns the ID of the session.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`]: `NotFound` if there is no such session (any more), `Conflict` if it runs no statement, is one of the
    /// platform, or the server does not answer.
    pub async fn cancel_query(&self, input: SessionInput, requested_by: Option<&str>) -> Result<String> {
        let (instance, session) = self.session_of(&input).await?;
        let outcome =
            self.inspect(Inspection::CancelQuery, &instance, async |logins, timeout| sessions::cancel(logins, session, timeout).await).await?;
        check(outcome)?;
        tracing::info!(instance = %instance.id, %session, requested_by, "a statement was cancelled on request");
        Ok(session.to_string())
    }
}
