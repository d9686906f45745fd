//! The statements that have cost an instance most.

use toygres_domain::{
    Result,
    instance::{Instance, Reason},
    statement_statistics::{TopQueries, TopQueryOrder},
};
use toygres_postgres::statements;

use super::{App, activity::limit, inspection::Inspection, limits};

impl App {
    /// Reads the statistics of statements from the server of an instance. The inner error is why they could not be read.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] if `first` is outside of [`limits::TOP_QUERIES`].
    pub async fn top_queries(&self, instance: &Instance, order: TopQueryOrder, first: Option<i32>) -> Result<Result<TopQueries, Reason>> {
        let limit = limit("statements", "first", first, limits::TOP_QUERIES)?;
        self.inspect(Inspection::TopQueries, instance, async |logins, timeout| statements::top(logins, order, limit, timeout).await).await
    }
}
