//! What the sessions of an instance do.

use toygres_domain::{
    Result,
    instance::{Instance, Reason},
    session::ClientSessions,
};
use toygres_postgres::sessions;

use super::{App, input::FieldErrors, inspection::Inspection, limits};

impl App {
    /// Reads the sessions of clients from the server of an instance. The inner error is why they could not be read.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] if `first` is outside of [`limits::ACTIVITY_SESSIONS`].
    pub async fn activity(&self, instance: &Instance, first: Option<i32>) -> Result<Result<ClientSessions, Reason>> {
        let limit = limit("sessions", "first", first, limits::ACTIVITY_SESSIONS)?;
        self.inspect(Inspection::Activity, instance, async |logins, timeout| sessions::list(logins, limit, timeout).await).await
    }
}

/// The number of entries that are asked for in a field.
pub(super) fn limit(unit: &str, field: &str, first: Option<i32>, range: limits::IntRange) -> Result<u16> {
    let mut errors = FieldErrors::default();
    let first = errors.in_range(field, unit, first, range);
    errors.check(first.and_then(|first| u16::try_from(first).ok()))
}
