//! `toygres postgres`: the PostgreSQL installations of this machine. It needs no server.

use std::path::Path;

use serde::Serialize;
use toygres_cli::Table;
use toygres_domain::instance::PostgresVersion;
use toygres_process::{Binaries, Installation, Installed, Packages, Release, Source};

use crate::{
    config::{PostgresCommand, PostgresPlaces},
    console,
};

/// Runs one of the commands.
///
/// # Errors
/// One sentence for people.
pub(crate) fn run(command: PostgresCommand) -> Result<(), String> {
    match command {
        PostgresCommand::List { places, output } => {
            let list = listed(&survey(&places)?);
            console::print_line(output.text(&list, |list| table(list).to_string())?.trim_end())
        }
        PostgresCommand::Install { releases, if_missing, places } => install(releases, if_missing, &places),
        PostgresCommand::Remove { version, places } => {
            Packages::new(&places.data_dir()).remove(version, places.pg_bin.as_deref()).map_err(|error| error.to_string())?;
            console::print_line(&format!("PostgreSQL {version} is removed."))
        }
    }
}

fn install(mut releases: Vec<Release>, if_missing: bool, places: &PostgresPlaces) -> Result<(), String> {
    if releases.is_empty() {
        releases.extend(PostgresVersion::offered().next().map(Release::newest_of));
    }
    let packages = Packages::new(&places.data_dir());
    for release in releases {
        if if_missing && survey(places)?.iter().any(|installation| installation.major == release.major) {
            continue;
        }
        let installed = packages.install(release, &|step| console::report(&format!("toygres: {step}"))).map_err(|error| error.to_string())?;
        console::print_line(&match installed {
            Installed::New(it) => {
                format!("PostgreSQL {} is installed in {}.{}", it.version, home(&it.bin).display(), shadowed(&it, &survey(places)?))
            }
            Installed::Present(it) => format!("PostgreSQL {} is there already, in {}.", it.version, home(&it.bin).display()),
            Installed::Unchecked(it, why) => {
                format!(
                    "PostgreSQL {} is installed in {}; whether there is a newer release is not known: {why}.",
                    it.version,
                    home(&it.bin).display()
                )
            }
        })?;
    }
    Ok(())
}

fn survey(places: &PostgresPlaces) -> Result<Vec<Installation>, String> {
    Binaries::survey(places.pg_bin.as_deref(), &places.data_dir()).map_err(|error| error.to_string())
}

/// What to know if another installation of the version is used.
fn shadowed(installed: &Installation, all: &[Installation]) -> String {
    match all.iter().find(|installation| installation.major == installed.major) {
        Some(used) if used.bin != installed.bin => {
            format!(" Instances use {} of {} as long as it is there.", used.version, used.bin.display())
        }
        _ => String::new(),
    }
}

fn home(bin: &Path) -> &Path {
    bin.parent().unwrap_or(bin)
}

/// A row of the list: an installation, or a version on offer that is not installed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    major: u16,
    /// `null` if it is not installed.
    release: Option<String>,
    source: Option<&'static str>,
    bin: Option<String>,
    /// Whether instances of the major version use it.
    used: bool,
    missing: Vec<Missing>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Missing {
    name: &'static str,
    needed_for: &'static str,
}

fn listed(found: &[Installation]) -> Vec<Listed> {
    let is_used = |at: usize| found[..at].iter().all(|earlier| earlier.major != found[at].major);
    let installed = found.iter().enumerate().map(|(at, it)| Listed {
        major: it.major.0,
        release: Some(it.version.clone()),
        source: Some(match it.source {
            Source::Configured => "TOYGRES_PG_BIN",
            Source::System => "system",
            Source::DataDir => "toygres",
        }),
        bin: Some(it.bin.display().to_string()),
        used: is_used(at),
        missing: it.missing_parts().into_iter().map(|part| Missing { name: part.name, needed_for: part.needed_for }).collect(),
    });
    let absent = PostgresVersion::offered().filter(|version| found.iter().all(|it| it.major != *version));
    let absent = absent.map(|version| Listed { major: version.0, release: None, source: None, bin: None, used: false, missing: Vec::new() });
    let mut list: Vec<_> = installed.chain(absent).collect();
    // Stable: what is used comes before what is not.
    list.sort_by_key(|row| std::cmp::Reverse(row.major));
    list
}

/// Below the table, each missing part is explained once.
fn table(list: &[Listed]) -> String {
    let mut table = Table::with_header(["VERSION", "RELEASE", "FROM", "USED", "DIRECTORY", "LACKS"]);
    for Listed { major, release, source, bin, used, missing } in list {
        let names: Vec<_> = missing.iter().map(|part| part.name).collect();
        let place = bin.clone().unwrap_or_else(|| format!("not installed: toygres postgres install {major}"));
        let (release, source) = (release.clone().unwrap_or_default(), source.unwrap_or_default().to_owned());
        table.row([major.to_string(), release, source, if *used { "yes" } else { "" }.to_owned(), place, names.join(", ")]);
    }
    let mut text = table.to_string();
    let mut explained = Vec::new();
    for part in list.iter().flat_map(|row| &row.missing) {
        if !explained.contains(&part.name) {
            explained.push(part.name);
            text += &format!("{}{} is needed for {}.\n", if explained.len() == 1 { "\n" } else { "" }, part.name, part.needed_for);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(major: u16, release: Option<&str>, missing: Vec<Missing>) -> Listed {
        let (source, bin) = (release.map(|_| "toygres"), release.map(|_| format!("/data/postgresql/{major}/bin")));
        Listed { major, release: release.map(str::to_owned), source, bin, used: release.is_some(), missing }
    }

    #[test]
    fn what_is_missing_is_explained_once() {
        let missing = || vec![Missing { name: "pg_upgrade", needed_for: "upgrades of instances to this version" }];
        assert_eq!(
            table(&[row(18, Some("18.4"), missing()), row(17, Some("17.10"), missing()), row(16, None, Vec::new())]),
            "VERSION  RELEASE  FROM     USED  DIRECTORY                                   LACKS\n\
             18       18.4     toygres  yes   /data/postgresql/18/bin                     pg_upgrade\n\
             17       17.10    toygres  yes   /data/postgresql/17/bin                     pg_upgrade\n\
             16                               not installed: toygres postgres install 16\n\
             \n\
             pg_upgrade is needed for upgrades of instances to this version.\n"
        );
    }
}
