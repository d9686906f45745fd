//! The configuration files of clusters, computed from the specification (pure).

use std::path::Path;

use toygres_domain::{
    hba::{Access, pg_hba},
    instance::{Exposure, InstanceSpec},
    parameter,
    roles::Roles,
    server_settings::{self, Size},
    volume::WalLimits,
};

use super::{
    certificate,
    cluster::configure,
    digest::with_digest,
    error::{Error, Result},
    port::PORT_FILE,
};

/// The names of the files.
pub(super) const CONFIGURATION: &str = "postgresql.conf";
pub(super) const HBA: &str = "pg_hba.conf";

/// Why an instance that requires TLS cannot be here.
const WITHOUT_TLS: &str = "this PostgreSQL was built without TLS: install one that has it (the packages of the distributions do)";

/// The rules of an instance of an earlier release, and of the metadata database, with no roles of the platform.
const HBA_WITHOUT_ROLES: &str = "# Written by toygres.\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// The configuration files of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    conf: String,
    hba: String,
}

impl Configuration {
    fn new(conf: &str, hba: &str) -> Self {
        Self { conf: with_digest(conf), hba: with_digest(hba) }
    }

    /// Each file: its name and its text.
    pub(super) fn files(&self) -> [(&'static str, &str); 2] {
        [(CONFIGURATION, &self.conf), (HBA, &self.hba)]
    }

    /// The text of [`CONFIGURATION`].
    pub(super) fn conf(&self) -> &str {
        &self.conf
    }

    /// Writes the files that differ. Returns whether one did.
    pub(super) fn write(&self, home: &Path) -> Result<bool> {
        self.files().into_iter().try_fold(false, |changed, (name, text)| Ok(configure(home, name, text)? | changed))
    }
}

/// PostgreSQL holds `temp_file_limit` as a 32-bit number of kB.
const MAX_TEMP_FILE_LIMIT_MB: i64 = i32::MAX as i64 / 1024;

/// The shared buffers of an instance, so that many instances have room on a developer's machine.
const MOST_BUFFERS_MB: i64 = 1024;

/// What an installation has that not every one has. A server that is told to use what it lacks does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Features {
    /// [`server_settings::STATISTICS_LIBRARY`].
    pub(super) statistics: bool,
    /// TLS.
    pub(super) tls: bool,
}

/// The files of an instance, with its size as far as settings can limit a process.
pub(super) fn instance(spec: &InstanceSpec, roles: Roles, features: Features) -> Result<Configuration> {
    with_access(spec, roles, features, false)
}

/// The files of an instance that clients are kept out of if it is `closed`.
pub(super) fn with_access(spec: &InstanceSpec, roles: Roles, features: Features, closed: bool) -> Result<Configuration> {
    let InstanceSpec {
        postgres_version,
        storage_gb,
        cpu_millis,
        memory_mb,
        username: _,
        database: _,
        exposure,
        require_tls,
        health_check: _,
        parameters,
    } = spec;
    if *require_tls && !features.tls {
        return Err(Error::Refused(WITHOUT_TLS.to_owned()));
    }
    match exposure {
        Exposure::Cluster => {}
        Exposure::LoadBalancer { source_ranges: _, dns_label: _ } => {
            return Err(Error::Refused("local processes listen on this machine only: a load balancer needs the kubernetes runtime".to_owned()));
        }
    }
    let size = Size { cpu_millis: *cpu_millis, memory_mb: *memory_mb };
    let storage_mb = i64::from(*storage_gb).max(1) * 1024;
    // The storage of a process cannot be limited, but the size of WAL and temporary files can.
    let wal = server_settings::lines(&WalLimits::of_volume(*storage_gb).settings());
    // Relative to the data directory.
    let tls = if features.tls {
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
    // Logins are only possible from this machine, over TCP.
    let access = Access { addresses: "127.0.0.1/32", superuser_on_socket: false, require_tls: *require_tls, closed };
    // An instance of an earlier release keeps the settings that it was created with.
    let (every, hba) = match roles {
        Roles::OwnerOnly => ("max_connections = 100\n".to_owned(), HBA_WITHOUT_ROLES.to_owned()),
        Roles::Platform => {
            let settings = server_settings::settings(*postgres_version, features.statistics);
            (server_settings::lines(&settings), pg_hba(access))
        }
    };
    // Those of the owner come last, because the last one counts.
    let preloaded: &[&str] = if roles == Roles::Platform && features.statistics { &[server_settings::STATISTICS_LIBRARY] } else { &[] };
    let own = parameter::configuration(parameters, preloaded);
    let conf = format!(
        "{}\
         {every}\
         {tls}\
         {}\
         {wal}\
         temp_file_limit = {}MB\n\
         {}\
         {own}",
        common(),
        server_settings::lines(&size.memory_settings(MOST_BUFFERS_MB)),
        (storage_mb / 2).min(MAX_TEMP_FILE_LIMIT_MB),
        server_settings::lines(&size.parallel_settings()),
    );
    Ok(Configuration::new(&conf, &hba))
}

/// The files of the metadata database, for many short transactions on small tables with frequent updates.
pub(super) fn metadata() -> Configuration {
    let conf = format!(
        "{}\
         max_connections = 200\n\
         shared_buffers = 64MB\n\
         effective_cache_size = 512MB\n\
         max_wal_size = 512MB\n\
         autovacuum_naptime = 15s\n\
         jit = off\n",
        common()
    );
    Configuration::new(&conf, HBA_WITHOUT_ROLES)
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
        parameter::Parameters,
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
            require_tls: false,
            health_check: HealthCheckPolicy { interval_seconds: 30, timeout_seconds: 5 },
            parameters: Default::default(),
        }
    }

    const ALL: Features = Features { statistics: true, tls: true };

    fn text(spec: &InstanceSpec) -> String {
        instance(spec, Roles::Platform, ALL).unwrap().conf
    }

    #[test]
    fn a_library_that_is_not_installed_is_not_preloaded() {
        assert!(text(&spec()).contains("shared_preload_libraries = 'pg_stat_statements'\n"));
        assert!(!instance(&spec(), Roles::Platform, Features { statistics: false, ..ALL }).unwrap().conf.contains("shared_preload_libraries"));
    }

    #[test]
    fn what_the_owner_has_set_counts() {
        let parameters = Parameters { values: [("shared_buffers".to_owned(), "64MB".to_owned())].into(), ..Parameters::default() };
        let changed = text(&InstanceSpec { parameters, ..spec() });
        let unchanged = text(&spec());
        let (rest, _digest) = unchanged.trim_end().rsplit_once('\n').expect("it has lines");
        let own = changed.strip_prefix(rest).expect("the rest stays").trim_start();
        assert!(own.starts_with("shared_buffers = '64MB'\ntoygres.parameters = '"), "{own}");
    }

    #[test]
    fn an_instance_of_an_earlier_release_keeps_its_files() {
        let files = instance(&spec(), Roles::OwnerOnly, ALL).unwrap();
        assert!(!files.conf.contains("reserved_connections") && !files.conf.contains("shared_preload_libraries"), "{}", files.conf);
        assert_eq!(files.hba, with_digest(HBA_WITHOUT_ROLES));
    }

    #[test]
    fn the_size_follows_the_spec() {
        let text = text(&spec());
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
        assert!(text(&spec()).contains("ssl = on\nssl_cert_file = '../server.pem'\n"));
        let without = Features { tls: false, ..ALL };
        assert!(!instance(&spec(), Roles::Platform, without).unwrap().conf.contains("ssl"));
        let demanding = InstanceSpec { require_tls: true, ..spec() };
        assert!(instance(&demanding, Roles::Platform, ALL).unwrap().hba.contains("hostssl all all 127.0.0.1/32"));
        assert!(matches!(instance(&demanding, Roles::Platform, without), Err(Error::Refused(_))));
    }

    #[test]
    fn clients_are_kept_out_while_it_is_closed() {
        let closed = with_access(&spec(), Roles::Platform, ALL, true).unwrap();
        assert_eq!(closed.conf, text(&spec()));
        assert!(!closed.hba.contains("all all") && instance(&spec(), Roles::Platform, ALL).unwrap().hba.contains("all all"));
    }

    #[test]
    fn every_size_fits_the_settings_of_postgresql() {
        let text = text(&InstanceSpec { storage_gb: 65_536, memory_mb: 1_048_576, cpu_millis: 128_000, ..spec() });
        assert!(text.contains("temp_file_limit = 2097151MB") && text.contains("max_slot_wal_keep_size = 16777216MB"), "{text}");
    }

    #[test]
    fn what_a_process_cannot_offer_is_refused() {
        let spec = InstanceSpec { exposure: Exposure::LoadBalancer { source_ranges: vec![], dns_label: None }, ..spec() };
        assert!(matches!(instance(&spec, Roles::Platform, ALL), Err(Error::Refused(_))));
    }
}
