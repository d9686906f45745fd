//! Makes sure that there is a playground to embed, the built one or a page that says how to build it, and writes the notices of the
//! crates in the binary.

mod notices;

use std::{fs, path::Path};

const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Toygres</title>\
<body style=\"font-family:sans-serif;max-width:40em;margin:4em auto\"><h1>Toygres runs</h1>\
<p>The playground is not in this build, because Node.js 20.19 or newer was not found when it was made. \
Install Node.js with npm and run <code>scripts/run</code> again.</p>\
<p>The API is at <code>/graphql</code>, its schema at <a href=\"/schema.graphql\">/schema.graphql</a>.</p></body></html>\n";

fn main() {
    ensure_playground();
    if let Err(error) = notices::write() {
        println!("cargo::error=cannot collect the licences of the dependencies: {error}");
    }
}

fn ensure_playground() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web-playground/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    if !dist.join("index.html").exists() {
        let written = fs::create_dir_all(&dist).and_then(|()| fs::write(dist.join("index.html"), PLACEHOLDER));
        if let Err(error) = written {
            println!("cargo::error=cannot write a placeholder for the playground to {}: {error}", dist.display());
        }
    }
}
