//! The configuration files of clusters, computed from the specification (pure).

use toygres_domain::{
    instance::{Exposure, InstanceSpec},
    volume::WalLimits,
};

use super::{
    certificate,
    error::{Error, Result},
    port::PORT_FILE,
};

/// Logins require a password and are only possible from this machine, over TCP.
pub(super) const HBA: &str = "# Written by toygres.\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// PostgreSQL holds `temp_file_limit` as a 32-bit number of kB.
const MAX_TEMP_FILE_LIMIT_MB: i64 = i32::MAX as i64 / 1024;

/// The `postgresql.conf` of an instance, with its size as far as settings can limit a process. `tls`: whether its server was built with
/// TLS, without which it does not start if a setting asks for it.
pub(super) fn instance(spec: &InstanceSpec, tls: bool) -> Result<String> {
    let InstanceSpec { postgres_version: _, storage_gb, cpu_millis, memory_mb, username: _, database: _, exposure, health_check: _ } = spec;
    match exposure {
        Exposure::Cluster => {}
        Exposure::LoadBalancer { source_ranges: _, dns_label: _ } => {
            return Err(Error::Refused("local processes listen on this machine only: a load balancer needs the kubernetes runtime".to_owned()));
        }
    }
    let memory = i64::from(*memory_mb).max(64);
    let storage_mb = i64::from(*storage_gb).max(1) * 1024;
    let cores = (i64::from(*cpu_millis) + 999) / 1000;
    // PostgreSQL's documentation recommends a quarter of the memory; the maximum allows many instances on a developer's machine.
    let shared_buffers = (memory / 4).clamp(16, 1024);
    // The storage of a process cannot be limited, but the size of WAL and temporary files can.
    let wal: String = WalLimits::of_volume(*storage_gb).settings().iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    // Relative to the data directory.
    let tls = if tls {
        format!(
            "ssl = on\n\
             ssl_cert_file = '../{file}'\n\
             ssl_key_file = '../{file}'\n\
             ssl_min_protocol_version = 'TLSv1.2'\n",
            file = certificate::FILE
        )
    } else {
        String::new()
    };
    Ok(format!(
        "{}\
         {tls}\
         max_connections = 100\n\
         shared_buffers = {shared_buffers}MB\n\
         effective_cache_size = {}MB\n\
         work_mem = {}kB\n\
         maintenance_work_mem = {}MB\n\
         {wal}\
         temp_file_limit = {}MB\n\
         max_parallel_workers = {}\n\
         max_parallel_workers_per_gather = {}\n\
         max_parallel_maintenance_workers = {}\n",
        common(),
        memory * 3 / 4,
        (memory * 1024 / 400).clamp(1024, 65_536),
        (memory / 16).clamp(16, 512),
        (storage_mb / 2).min(MAX_TEMP_FILE_LIMIT_MB),
        cores.clamp(0, 8),
        (cores / 2).clamp(0, 4),
        (cores / 2).clamp(0, 4),
    ))
}

/// The `postgresql.conf` of the metadata database, for many short transactions on small tables with frequent updates.
pub(super) fn metadata() -> String {
    format!(
        "{}\
         max_connections = 200\n\
         shared_buffers = 64MB\n\
         effective_cache_size = 512MB\n\
         max_wal_size = 512MB\n\
         autovacuum_naptime = 15s\n\
         jit = off\n",
        common()
    )
}

fn common() -> String {
    // Statements are not logged, because the log would contain the password of a failed `ALTER ROLE ... PASSWORD`.
    format!(
        "# Written by toygres; changes are overwritten.\n\
         include '{PORT_FILE}'\n\
         listen_addresses = '127.0.0.1'\n\
         unix_socket_directories = ''\n\
         password_encryption = 'scram-sha-256'\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         log_destination = 'stderr'\n\
         logging_collector = off\n\
         log_checkpoints = off\n\
         log_statement = 'none'\n\
         log_min_error_statement = 'panic'\n\
         update_process_title = on\n"
    )
}

#[cfg(test)]
mod tests {
    use toygres_domain::{
        instance::{HealthCheckPolicy, PostgresVersion},
        name::SqlName,
    };

    use super::*;

    fn spec() -> InstanceSpec {
        InstanceSpec {
            postgres_version: PostgresVersion(17),
            storage_gb: 10,
            cpu_millis: 2500,
            memory_mb: 1024,
            username: SqlName::role("app").unwrap(),
            database: SqlName::database("app").unwrap(),
            exposure: Exposure::Cluster,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
        }
    }

    #[test]
    fn the_size_follows_the_spec() {
        let text = instance(&spec(), true).unwrap();
        for line in [
            "shared_buffers = 256MB",
            "effective_cache_size = 768MB",
            "max_wal_size = 1024MB",
            "max_slot_wal_keep_size = 2560MB",
            "temp_file_limit = 5120MB",
            "max_parallel_workers = 3",
            "work_mem = 2621kB",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn tls_is_on_if_the_server_has_it() {
        assert!(instance(&spec(), true).unwrap().contains("ssl = on\nssl_cert_file = '../server.pem'\n"));
        assert!(!instance(&spec(), false).unwrap().contains("ssl"));
    }

    #[test]
    fn every_size_fits_the_settings_of_postgresql() {
        let text = instance(&InstanceSpec { storage_gb: 65_536, memory_mb: 1_048_576, cpu_millis: 128_000, ..spec() }, true).unwrap();
        assert!(text.contains("temp_file_limit = 2097151MB") && text.contains("max_slot_wal_keep_size = 16777216MB"), "{text}");
    }

    #[test]
    fn what_a_process_cannot_offer_is_refused() {
        let spec = InstanceSpec { exposure: Exposure::LoadBalancer { source_ranges: vec![], dns_label: None }, ..spec() };
        assert!(matches!(instance(&spec, true), Err(Error::Refused(_))));
    }
}
