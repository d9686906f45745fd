//! The notices of the crates that are linked into the binary: their licences must be distributed with it.
//!
//! The texts are those that the crates ship, read from the sources that cargo compiles. A crate that ships none, as parts of a
//! repository often do, gets the standard text of its licence.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Compression, write::DeflateEncoder};

/// The beginnings of the names of files that are passed on, in lower case.
const FILES: [&str; 5] = ["licen", "copying", "copyright", "notice", "unlicense"];

/// Writes `notices.deflate` to the output directory.
pub fn write() -> Result<(), String> {
    for input in ["../Cargo.lock", "Cargo.toml", "build"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let target = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("notices.deflate");
    let text = notices(&crates()?)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let compressed = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    compressed.and_then(|bytes| fs::write(&target, bytes)).map_err(|error| format!("{}: {error}", target.display()))
}

/// A crate that is linked, or whose code generates code that is.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    license: String,
    repository: String,
}

/// All crates of registries in the tree of this package, without those that only builds and tests need.
fn crates() -> Result<BTreeSet<Crate>, String> {
    let target = env::var("TARGET").map_err(|error| error.to_string())?;
    let output = Command::new(env::var_os("CARGO").ok_or("CARGO is not set")?)
        .args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--target", &target])
        .args(["--format", "{p}\t{l}\t{r}\t"])
        // Clippy's wrapper is for compiling.
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .output()
        .map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let fields = lines.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    // "name vVERSION (proc-macro) (PATH)"
    let crates = fields.filter_map(|fields| {
        let [package, license, repository, ..] = fields[..] else { return None };
        let (name, rest) = package.split_once(" v")?;
        let version = rest.split(' ').next().unwrap_or_default();
        let is_ours = name.starts_with("toygres-");
        let crate_ = || Crate { name: name.into(), version: version.into(), license: license.into(), repository: repository.into() };
        (!is_ours).then(crate_)
    });
    Ok(crates.collect())
}

/// The list of crates, then each text once, after the crates that it belongs to.
fn notices(crates: &BTreeSet<Crate>) -> Result<String, String> {
    let sources = sources();
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut list = String::new();
    for package in crates {
        let Crate { name, version, license, repository } = package;
        list.push_str(&format!("{name} {version}\t{license}\t{repository}\n"));
        let directory = sources.iter().map(|source| source.join(format!("{name}-{version}"))).find(|directory| directory.is_dir());
        let mut found = directory.map(|directory| shipped(&directory)).unwrap_or_default();
        if found.is_empty() {
            found = standard(license).map_err(|error| format!("{name} {version}: {error}"))?;
        }
        for text in found {
            texts.entry(text).or_default().insert(format!("{name} {version}"));
        }
    }
    for (text, of) in texts {
        let of: Vec<String> = of.into_iter().collect();
        list.push_str(&format!("\n{}\n{}\n\n{text}", "-".repeat(80), of.join(", ")));
    }
    Ok(list)
}

/// The directories in which cargo unpacks registries. Sources elsewhere (`cargo vendor`) are not found, and their crates get standard
/// texts.
fn sources() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    registries.into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The texts in the directory of a crate, and in directories such as `LICENSES`.
fn shipped(directory: &Path) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name().to_string_lossy().to_lowercase(), entry.path());
        if !FILES.iter().any(|file| name.starts_with(file)) {
            continue;
        }
        let files = if path.is_dir() { fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()).collect() } else { vec![path] };
        for bytes in files.iter().filter_map(|file| fs::read(file).ok()) {
            texts.insert(lines(&String::from_utf8_lossy(&bytes)));
        }
    }
    texts
}

/// The standard texts of all licences in an SPDX expression.
fn standard(expression: &str) -> Result<BTreeSet<String>, String> {
    let parsed = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX).map_err(|error| format!("'{expression}': {error}"))?;
    let ids = parsed.requirements().filter_map(|requirement| requirement.req.license.id());
    let texts: BTreeSet<String> = ids.map(|id| format!("{} (the standard text; the crate ships none)\n\n{}", id.name, lines(id.text()))).collect();
    if texts.is_empty() { Err(format!("no licence in '{expression}'")) } else { Ok(texts) }
}

/// The same text for the same lines, whatever their ends.
fn lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim_matches('\n'))
}
