//! Resize: changes the CPU, the memory and the volume of an instance. A failure puts back the CPU and the memory that it had; a volume
//! that has grown stays as it is, because volumes do not shrink. A suspended server is started with its new size by its resumption.

use serde::{Deserialize, Serialize};

use super::{Cancellation, InstanceAfter, OnFailure, Policy, StepName};
use crate::{
    FieldError, UserErrorCode,
    instance::{InstanceSpec, InstanceState},
    parameter::{self, Change, PRELOADABLE},
};

/// The parameters of a resize. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Processor share in millicores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_millis: Option<i32>,
    /// Memory in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<i32>,
    /// Size of the volume in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_gb: Option<i32>,
    /// Whether the control plane requested it, because the volume was nearly full.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
}

impl Params {
    /// The specification after the resize.
    #[must_use]
    pub fn applied_to(&self, spec: &InstanceSpec) -> InstanceSpec {
        InstanceSpec {
            cpu_millis: self.cpu_millis.unwrap_or(spec.cpu_millis),
            memory_mb: self.memory_mb.unwrap_or(spec.memory_mb),
            storage_gb: self.storage_gb.unwrap_or(spec.storage_gb),
            ..spec.clone()
        }
    }

    /// Checks the resize of an instance with this specification.
    ///
    /// # Errors
    /// That the volume would shrink, that a parameter that the owner has set would not fit the memory, or that nothing would change.
    pub fn check(&self, spec: &InstanceSpec) -> Result<(), FieldError> {
        let InstanceSpec { cpu_millis, memory_mb, storage_gb, .. } = spec;
        if let Some(wanted) = self.storage_gb.filter(|wanted| wanted < storage_gb) {
            return Err(FieldError::new(
                UserErrorCode::Invalid,
                "storageGb",
                format!(
                    "the volume has {storage_gb} GiB and cannot shrink to {wanted} GiB; create an instance with the smaller volume, copy the data \
                     with pg_dump and pg_restore, and delete this one"
                ),
            ));
        }
        let target = self.applied_to(spec);
        // Only less memory makes a value too large: one that was stored when more was allowed hinders nothing else.
        if target.memory_mb < spec.memory_mb
            && let Some(error) = outgrown_parameter(&target)
        {
            return Err(FieldError::new(UserErrorCode::Invalid, "memoryMb", format!("{error}; set the parameter to a smaller value first")));
        }
        if target == *spec {
            return Err(FieldError::new(
                UserErrorCode::Invalid,
                "id",
                format!(
                    "nothing would change: it has {cpu_millis} millicores, {memory_mb} MiB of memory and {storage_gb} GiB of storage; \
                     give another cpuMillis, memoryMb or storageGb"
                ),
            ));
        }
        Ok(())
    }
}

/// What is wrong with a parameter of the owner in this specification, including those that wait for a restart.
fn outgrown_parameter(spec: &InstanceSpec) -> Option<String> {
    let set = spec.parameters.restarted().values.into_iter();
    let changes: Vec<_> = set.map(|(name, value)| Change { name, value: Some(value) }).collect();
    parameter::check(spec, PRELOADABLE, &changes).err()?.into_iter().next().map(|error| error.message)
}

/// See [`Policy`].
pub const POLICY: Policy = Policy {
    steps: &[
        StepName::ResizePostgres,
        StepName::GetInstanceStatus,
        StepName::GenerateConnectionString,
        StepName::LoadConfiguration,
        StepName::UpdateMetadata,
    ],
    from: &[InstanceState::Running, InstanceState::Suspended],
    during: Some(InstanceState::Updating),
    success: InstanceAfter::Former,
    failure: OnFailure::End(InstanceAfter::Former),
    cancellation: Cancellation::Before(StepName::ResizePostgres),
    supersedes: false,
    excludes: true,
    refused_when_protected: false,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        instance::{Exposure, HealthCheckPolicy, PostgresVersion},
        name::SqlName,
        parameter::Parameters,
    };

    fn spec() -> InstanceSpec {
        InstanceSpec {
            postgres_version: PostgresVersion(17),
            storage_gb: 10,
            cpu_millis: 500,
            memory_mb: 512,
            username: SqlName::role("app").unwrap(),
            database: SqlName::database("app").unwrap(),
            exposure: Exposure::Cluster,
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
            parameters: Parameters::default(),
        }
    }

    #[test]
    fn the_memory_does_not_shrink_below_what_a_parameter_takes() {
        let mut spec = spec();
        spec.parameters.values.insert("shared_buffers".to_owned(), "200MB".to_owned());
        let to = |memory_mb| Params { memory_mb: Some(memory_mb), ..Params::default() }.check(&spec);
        assert_eq!(to(400), Ok(()), "half of it is enough");
        let error = to(398).unwrap_err();
        assert_eq!((error.field, error.message.contains("shared_buffers")), (vec!["memoryMb".to_owned()], true));
    }

    #[test]
    fn a_parameter_that_is_larger_than_is_allowed_now_hinders_only_less_memory() {
        let mut spec = spec();
        spec.parameters.values.insert("max_worker_processes".to_owned(), "5000".to_owned());
        let check = |params: Params| params.check(&spec).map_err(|error| error.field.join("."));
        assert_eq!(check(Params { storage_gb: Some(20), automatic: true, ..Params::default() }), Ok(()));
        assert_eq!(check(Params { cpu_millis: Some(1000), ..Params::default() }), Ok(()));
        assert_eq!(check(Params { memory_mb: Some(1024), ..Params::default() }), Ok(()));
        assert_eq!(check(Params { memory_mb: Some(400), ..Params::default() }), Err("memoryMb".to_owned()));
    }

    #[test]
    fn a_volume_does_not_shrink_and_something_must_change() {
        let spec = spec();
        let check = |cpu_millis, memory_mb, storage_gb| {
            let params = Params { cpu_millis, memory_mb, storage_gb, automatic: false };
            params.check(&spec).map_err(|error| error.field.join("."))
        };
        assert_eq!(check(Some(250), Some(1024), Some(20)), Ok(()));
        assert_eq!(check(Some(250), None, Some(10)), Ok(()), "what stays may be given");
        assert_eq!(check(Some(250), None, Some(9)), Err("storageGb".to_owned()));
        for nothing in [(None, None, None), (Some(500), Some(512), Some(10))] {
            assert_eq!(check(nothing.0, nothing.1, nothing.2), Err("id".to_owned()));
        }
    }
}
