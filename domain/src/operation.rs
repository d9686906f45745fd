//! An operation: one accepted request that takes time, and the record of its progress.
//!
//! What is particular to a kind of operation is data: its [`Policy`] and its parameters, in one file per kind below
//! `operation/`. Everything else (the plan of steps, what is accepted when, what it leads to, metrics) follows from that.

mod policy;
mod record;
mod step;

pub use policy::{Cancellation, InstanceAfter, OnFailure, Policy};
pub use record::{Operation, OperationStatus};
pub use step::{Step, StepName, StepStatus};

use serde::de::Error as _;

use crate::instance::InstanceSpec;

/// Declares the kinds of operations. Each has a module with its `Params` and its `POLICY`.
macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $kind:ident => $module:ident),* $(,)?) => {
        $(pub mod $module;)*

        crate::instance::text_enum! {
            /// What an operation does.
            pub enum OperationKind { $($(#[doc = $doc])+ $kind),* }
        }

        impl OperationKind {
            /// The rules of this kind of operation.
            #[must_use]
            pub fn policy(self) -> &'static Policy {
                match self { $(Self::$kind => &$module::POLICY),* }
            }
        }

        /// The parameters of an operation, one type per kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Params { $($(#[doc = $doc])+ $kind($module::Params)),* }

        impl Params {
            /// The kind of operation that these parameters are for.
            #[must_use]
            pub fn kind(&self) -> OperationKind {
                match self { $(Self::$kind(_) => OperationKind::$kind),* }
            }

            /// What the metadata database keeps of them.
            ///
            /// # Errors
            /// None in practice: parameters are plain structs.
            pub fn to_json(&self) -> serde_json::Result<serde_json::Value> {
                match self { $(Self::$kind(params) => serde_json::to_value(params)),* }
            }

            /// Reads what [`Self::to_json`] wrote.
            ///
            /// # Errors
            /// That the value does not hold the parameters of this kind.
            pub fn from_json(kind: OperationKind, value: serde_json::Value) -> serde_json::Result<Self> {
                match kind { $(OperationKind::$kind => serde_json::from_value(value).map(Self::$kind)),* }
            }
        }

        $(impl TryFrom<Params> for $module::Params {
            type Error = serde_json::Error;
            fn try_from(params: Params) -> serde_json::Result<Self> {
                match params {
                    Params::$kind(params) => Ok(params),
                    #[allow(unreachable_patterns)]
                    other => Err(serde_json::Error::custom(format!("these are the parameters of {}", other.kind()))),
                }
            }
        })*
    };
}

operations! {
    /// Creates an instance.
    Create => create,
    /// Deletes an instance.
    Delete => delete,
    /// Stops the server of an instance and starts it again.
    Restart => restart,
    /// Puts back what somebody has deleted or edited of an instance.
    Repair => repair,
    /// Stops the server of an instance and keeps it stopped.
    Suspend => suspend,
    /// Starts the server of a suspended instance.
    Resume => resume,
    /// Changes the CPU, the memory and the volume of an instance.
    Resize => resize,
    /// Changes parameters of the server of an instance.
    SetParameters => set_parameters,
    /// Gives the owner's role of an instance another password.
    RotatePassword => rotate_password,
    /// Makes a user in an instance.
    CreateDatabaseUser => create_database_user,
    /// Drops a user of an instance.
    DropDatabaseUser => drop_database_user,
    /// Makes a database in an instance.
    CreateDatabase => create_database,
    /// Drops a database of an instance.
    DropDatabase => drop_database,
    /// Takes a base backup of an instance.
    CreateBackup => create_backup,
    /// Creates an instance with the data of a backup, or of another instance.
    Restore => restore,
    /// Upgrades an instance to another major version of PostgreSQL, or finds out whether that is possible.
    Upgrade => upgrade,
}

impl Params {
    /// What an instance is to be deployed with while the operation works on it, and once it has succeeded. The row of the instance gets
    /// it at the end, so that a failure leaves the former.
    #[must_use]
    pub fn target(&self, spec: &InstanceSpec) -> InstanceSpec {
        let parameters = match self {
            Self::SetParameters(params) => spec.parameters.changed(spec.postgres_version, &params.changes, params.allow_restart),
            // Parameters that wait for a restart have it now.
            Self::Restart(_) | Self::Resume(_) => spec.parameters.restarted(),
            Self::Resize(params) => return params.applied_to(spec),
            Self::Upgrade(params) => return params.applied_to(spec),
            _ => return spec.clone(),
        };
        InstanceSpec { parameters, ..spec.clone() }
    }
}
