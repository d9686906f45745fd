//! `toygres instances`

use crate::{
    contract::{Instance, InstanceState, lower_case},
    failure::{Failure, Kind},
    output::{Table, age},
    subcommands::subcommands,
};

mod backups;
mod filter;
mod like_source;
mod maintenance;
mod resolve;
mod storage;

pub(crate) use connect::psql;
pub(crate) use list::all_with_label;
pub(crate) use resolve::{find, find_id, until};

subcommands! {
    /// A subcommand of `toygres instances`.
    pub enum InstancesCommand {
        create::Create,
        list::List,
        get::Get,
        watch::Watch,
        update::Update,
        restart::Restart,
        repair::Repair,
        suspend::Suspend,
        resume::Resume,
        resize::Resize,
        upgrade::Upgrade,
        set_parameters::SetParameters,
        parameters::Parameters,
        rotate_password::RotatePassword,
        restore::Restore,
        clone::Clone,
        delete::Delete,
        connect::Connect,
        logs::Logs,
        activity::Activity,
        queries::Queries,
        cancel::Cancel,
        terminate::Terminate,
        top::Top,
        metrics::Metrics,
    }
}

/// The table of instances. It has their ids if one of them is deleted, which is found by its id alone.
pub(crate) fn table<'a>(instances: impl IntoIterator<Item = &'a Instance>) -> Table {
    const COLUMNS: [&str; 8] = ["NAME", "STATE", "HEALTH", "VERSION", "STORAGE", "ENDPOINT", "AGE", "REASON"];
    let instances: Vec<_> = instances.into_iter().collect();
    let has_ids = instances.iter().any(|instance| instance.state == InstanceState::Deleted);
    let mut table = match (has_ids, COLUMNS) {
        (true, [name, rest @ ..]) => Table::of_columns([name, "ID"].into_iter().chain(rest)),
        (false, columns) => Table::with_header(columns),
    };
    for instance in instances {
        let endpoint = instance.endpoint.as_ref().map_or_else(|| "-".to_owned(), |endpoint| format!("{}:{}", endpoint.host, endpoint.port));
        let id = has_ids.then(|| instance.id.inner().to_owned());
        let cells = [
            lower_case(&instance.state),
            lower_case(&instance.health),
            instance.postgres_version.clone(),
            match &instance.storage_usage {
                Some(usage) => format!("{} GiB ({}%)", instance.storage_gb, usage.used_percent),
                None => format!("{} GiB", instance.storage_gb),
            },
            endpoint,
            age(instance.created_at),
            instance.reason.as_ref().map(|reason| reason.text()).unwrap_or_default(),
        ];
        table.cells([instance.name.clone()].into_iter().chain(id).chain(cells));
    }
    table
}

pub(crate) fn not_found(name: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("there is no instance {name}; `toygres instances list` lists the instances"))
}

#[cfg(test)]
mod tests {
    use clap::{Command, Subcommand as _, ValueEnum as _};

    use super::{InstancesCommand, table};
    use crate::{
        backups::BackupsCommand,
        contract::{Instance, InstanceState, OperationKind},
        databases::DatabasesCommand,
        users::UsersCommand,
    };
    use toygres_domain::operation::restart;

    fn command() -> Command {
        InstancesCommand::augment_subcommands(Command::new("instances"))
    }

    /// The build script reads the kinds from `schema.graphql`.
    #[test]
    fn every_kind_of_operation_has_a_subcommand() {
        for kind in OperationKind::value_variants() {
            let verb = kind.to_possible_value().expect("only the fallback is skipped");
            let found = match verb.get_name().split_once("-database") {
                // Those on users, databases and backups are subcommands of `toygres users`, `toygres databases` and `toygres backups`.
                Some((verb, "-user")) => UsersCommand::has_subcommand(verb),
                Some((verb, "")) => DatabasesCommand::has_subcommand(verb),
                None if verb.get_name().ends_with("-backup") => BackupsCommand::has_subcommand(verb.get_name().trim_end_matches("-backup")),
                _ => InstancesCommand::has_subcommand(verb.get_name()),
            };
            assert!(found, "schema.graphql has the operation {kind:?}, which no subcommand starts");
        }
    }

    #[test]
    fn every_subcommand_and_argument_has_a_help_text() {
        command().debug_assert();
        for subcommand in command().get_subcommands() {
            assert!(subcommand.get_about().is_some(), "{}", subcommand.get_name());
            for argument in subcommand.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", subcommand.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn the_table_has_the_ids_of_deleted_instances() {
        let mut instance: Instance = serde_json::from_value(serde_json::json!({
            "id": "01a210fd", "name": "orders", "state": "RUNNING", "health": "HEALTHY", "reason": null, "notices": [], "postgresVersion": "17",
            "updateAvailable": null, "storageGb": 10, "cpuMillis": 500, "memoryMb": 512, "username": "app", "database": "app",
            "exposure": { "type": "CLUSTER", "sourceRanges": [], "dnsLabel": null }, "endpoint": null, "labels": [], "deletionProtected": false,
            "idleSuspendMinutes": null, "maintenanceWindow": null, "storageAutoGrow": null, "storageUsage": null, "revision": "1",
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "deletedAt": null,
        }))
        .unwrap();
        assert!(!table([&instance]).to_string().contains("01a210fd"));
        let running = instance.clone();
        instance.state = InstanceState::Deleted;
        let both = table([&running, &instance]).to_string();
        let lines: Vec<Vec<_>> = both.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
        assert_eq!(lines, [["NAME", "ID", "STATE"], ["orders", "01a210fd", "running"], ["orders", "01a210fd", "deleted"]]);
    }

    #[test]
    fn sizes_have_the_same_options_everywhere() {
        for arguments in [&["create", "orders"][..], &["clone", "orders", "copy"], &["restore", "orders", "copy"], &["resize", "orders"]] {
            for sizes in [["--cpu", "500", "--memory", "512", "--storage", "20"], ["--cpu-millis", "500", "--memory-mb", "512", "--storage-gb", "20"]]
            {
                command().try_get_matches_from([&["instances"], arguments, &sizes].concat()).unwrap();
            }
        }
    }

    #[test]
    fn the_options_of_restart() {
        let help = command().find_subcommand_mut("restart").unwrap().render_help().to_string();
        assert!(help.contains(&format!("[default: {}]", restart::Params::DEFAULT_TIMEOUT_SECONDS)), "{help}");
        let restart = |arguments: &[&str]| command().try_get_matches_from([&["instances", "restart"], arguments].concat()).map(drop);
        restart(&["orders", "--timeout", "30", "--revision", "7", "--idempotency-key", "k", "--wait", "--wait-timeout", "5m", "-o", "json"]).unwrap();
        for wrong in [&[][..], &["orders", "--timeout", "0"], &["orders", "--timeout", "5m"], &["orders", "--wait-timeout", "5m"]] {
            assert!(restart(wrong).is_err(), "{wrong:?}");
        }
    }
}
