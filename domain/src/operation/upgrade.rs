//! Upgrade: gives an instance another major version of PostgreSQL, or another minor one, which is a restart. Until the new server has let a
//! client in, a failure puts back the former version with its data; from then on the row has the new version, and nothing leads back. The
//! server of a suspended instance is started for it without letting clients in, and stopped at the end.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{
    FieldError, UserErrorCode,
    instance::{InstanceSpec, InstanceState, PostgresVersion},
    parameter::{self, Change, PRELOADABLE},
};

/// The parameters of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// The version to upgrade to.
    pub version: PostgresVersion,
    /// Whether it is only found out whether that is possible.
    #[serde(default)]
    pub check_only: bool,
    /// Whether the major version stays, and the server is only started again with what its host has for that now.
    #[serde(default)]
    pub minor: bool,
    /// Whether logical replication slots that cannot be taken over may be lost.
    #[serde(default)]
    pub drop_logical_slots: bool,
}

impl Params {
    /// The specification after the upgrade.
    #[must_use]
    pub fn applied_to(&self, spec: &InstanceSpec) -> InstanceSpec {
        if self.check_only || self.minor {
            return spec.clone();
        }
        // Parameters that wait for a restart have it then.
        InstanceSpec { postgres_version: self.version, parameters: spec.parameters.restarted(), ..spec.clone() }
    }

    /// Checks the upgrade of an instance with this specification.
    ///
    /// # Errors
    /// That the version is no newer one, or that parameters which the owner has set are not those of the new version.
    pub fn check(&self, spec: &InstanceSpec) -> Result<(), Vec<FieldError>> {
        let (from, to) = (spec.postgres_version, self.version);
        let refuse = |message: String| Err(vec![FieldError::new(UserErrorCode::Invalid, "version", message)]);
        if self.minor {
            return if to == from { Ok(()) } else { refuse(format!("the instance has PostgreSQL {from} meanwhile; look at it again")) };
        }
        if to == from {
            return refuse(format!("the instance has PostgreSQL {from} already; name a newer major version"));
        }
        if to < from {
            return refuse(format!(
                "the instance has PostgreSQL {from}, and data cannot go back to {to}: create an instance of version {to}, and copy the data with \
                 pg_dump and pg_restore"
            ));
        }
        let target = InstanceSpec { postgres_version: to, ..spec.clone() };
        let values = spec.parameters.restarted().values;
        let changes: Vec<_> = values.into_iter().map(|(name, value)| Change { name, value: Some(value) }).collect();
        let Err(found) = parameter::check(&target, PRELOADABLE, &changes) else { return Ok(()) };
        let error = |message| FieldError::new(UserErrorCode::Invalid, "version", format!("{message}; reset the parameter before the upgrade"));
        Err(found.into_iter().map(|found| error(found.message)).collect())
    }
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[
        StepName::StartPostgres,
        StepName::CheckUpgrade,
        StepName::UpgradePostgres,
        StepName::ConfirmUpgrade,
        StepName::GetInstanceStatus,
        StepName::GenerateConnectionString,
        StepName::AnalyzeDatabases,
        StepName::StopPostgres,
        StepName::UpdateMetadata,
    ],
    from: &[InstanceState::Running, InstanceState::Suspended],
    during: Some(InstanceState::Updating),
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::ByWorkflowBefore(StepName::ConfirmUpgrade),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{instance::tests::spec, parameter::Parameters};

    fn to(version: u16) -> Params {
        Params { version: PostgresVersion(version), check_only: false, minor: false, drop_logical_slots: false }
    }

    #[test]
    fn only_a_newer_version_is_an_upgrade() {
        let spec = spec();
        assert_eq!(to(18).check(&spec), Ok(()));
        for (version, remedy) in [(17, "name a newer"), (16, "pg_dump")] {
            let errors = to(version).check(&spec).unwrap_err();
            assert!(errors[0].field == ["version"] && errors[0].message.contains(remedy), "{errors:?}");
        }
    }

    #[test]
    fn an_update_keeps_the_major_version() {
        let (spec, update) = (spec(), Params { minor: true, ..to(17) });
        assert_eq!((update.check(&spec), update.applied_to(&spec)), (Ok(()), spec.clone()));
        assert!(Params { minor: true, ..to(18) }.check(&spec).is_err());
    }

    #[test]
    fn a_parameter_that_the_new_version_lacks_is_named() {
        let values = [("old_snapshot_threshold".to_owned(), "60min".to_owned()), ("work_mem".to_owned(), "8MB".to_owned())];
        let old = InstanceSpec {
            postgres_version: PostgresVersion(16),
            parameters: Parameters { values: values.into(), ..Parameters::default() },
            ..spec()
        };
        let errors = to(17).check(&old).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].message.contains("old_snapshot_threshold") && errors[0].message.contains("reset"), "{errors:?}");
    }

    #[test]
    fn a_check_changes_nothing() {
        let spec = spec();
        assert_eq!(Params { check_only: true, ..to(18) }.applied_to(&spec), spec);
        assert_eq!(to(18).applied_to(&spec).postgres_version, PostgresVersion(18));
    }
}
