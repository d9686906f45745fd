//! `toygres licenses`: whose code is in the binary, on which terms.

use std::process::{Command, Stdio};

/// The crates of `cargo tree -e normal` with their licences.
fn linked() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}\t{l}\t"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let fields = lines.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let crates = fields.map(|fields| (fields[0].split(' ').take(2).collect::<Vec<_>>().join(" ").replacen(" v", " ", 1), fields[1].to_owned()));
    let mut crates: Vec<(String, String)> = crates.filter(|(name, _)| !name.starts_with("toygres-")).collect();
    crates.sort();
    crates.dedup();
    crates
}

#[test]
fn every_linked_crate_is_named_with_its_licence() {
    let output = Command::new(env!("CARGO_BIN_EXE_toygres")).arg("licenses").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let line = "-".repeat(80);
    let (list, texts) = printed.split_once(&line).unwrap();
    // The crates of a text stand above it.
    let parts: Vec<(Vec<&str>, &str)> =
        texts.split(&line).map(|part| (part.trim_start().lines().next().unwrap_or_default().split(", ").collect(), part)).collect();
    let of = |name: &str| parts.iter().filter(move |(crates, _)| crates.contains(&name)).map(|(_, text)| *text).collect::<String>();
    let crates = linked();
    assert!(crates.len() > 300, "{}", crates.len());
    for (name, license) in &crates {
        assert!(list.lines().any(|line| line.starts_with(&format!("{name}\t{license}\t"))), "{name} is not in the list");
        assert!(!of(name).is_empty(), "{name} has no text");
    }
    let weak_copyleft: Vec<&String> = crates.iter().filter(|(_, license)| license.contains("MPL")).map(|(name, _)| name).collect();
    assert!(!weak_copyleft.is_empty());
    for name in weak_copyleft {
        assert!(of(name).contains("Mozilla Public License Version 2.0"), "{name}");
    }
    assert!(printed.contains("Packages of the page"));
    // Where the page is built, it is as complete.
    if std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../web-playground/dist/assets").exists() {
        for package in ["\nreact 1", "\nmonaco-editor 0", "\npicomatch-browser 2", "markedjs NOTICES"] {
            assert!(printed.contains(package), "{package}");
        }
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_toygres")).arg("licenses").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}
