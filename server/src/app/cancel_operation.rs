//! Cancels an operation.

use toygres_domain::{OperationId, Result};
use toygres_store::Accepted;

use super::App;

/// The input, unchecked.
#[derive(Clone, Debug, Default)]
pub struct CancelOperation {
    /// The id of the operation.
    pub id: String,
}

impl App {
    /// Cancels an operation, or asks its workflow to.
    ///
    /// # Errors
    /// [`toygres_domain::Error::User`] as [`toygres_store::Store::cancel_operation`] has it.
    pub async fn cancel_operation(&self, input: CancelOperation) -> Result<Accepted> {
        self.store.cancel_operation(&OperationId::from_any(&input.id)).await
    }
}
