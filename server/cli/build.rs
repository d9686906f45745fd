//! Hands `schema.graphql` to the macros that check the requests of this crate against it.

use std::path::Path;

fn main() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema.graphql");
    let registered =
        cynic_codegen::register_schema("toygres").from_sdl_file(&schema).and_then(cynic_codegen::registration::SchemaRegistration::as_default);
    if let Err(error) = registered {
        println!("cargo::error={} cannot be used: {error}", schema.display());
    }
}
