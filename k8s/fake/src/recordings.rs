//! Responses of a real Kubernetes 1.34: the files in `tests/observed`.

use std::{fs, path::PathBuf};

use serde_json::Value;

/// One recorded response.
pub fn read(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The events of a recorded watch.
pub fn read_lines(file: &str) -> Vec<Value> {
    text(file).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The recorded objects of one kind.
pub fn items(file: &str, kind: &str) -> Vec<Value> {
    let list = read(file);
    list["items"].as_array().unwrap().iter().filter(|item| item["kind"] == kind).cloned().collect()
}

fn text(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/observed").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
