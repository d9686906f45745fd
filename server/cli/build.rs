//! Registers `schema.graphql` with cynic, and generates the enums of the contract from it.

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

use cynic_parser::type_system::{Definition, EnumDefinition, TypeDefinition};

fn main() -> Result<(), Box<dyn Error>> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema.graphql");
    // Also tells Cargo to run this again when the file changes.
    cynic_codegen::register_schema("toygres").from_sdl_file(&schema)?.as_default()?;
    let enums = enums(&fs::read_to_string(&schema)?)?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("enums.rs"), enums)?;
    Ok(())
}

/// A Rust enum for each enum of the schema. Each has a fallback, so that this client also works with a newer server.
fn enums(sdl: &str) -> Result<String, Box<dyn Error>> {
    let document = cynic_parser::parse_type_system_document(sdl)?;
    let mut code = String::new();
    for definition in document.definitions() {
        if let Definition::Type(TypeDefinition::Enum(definition)) = definition {
            generate(&mut code, definition)?;
        }
    }
    Ok(code)
}

fn generate(code: &mut String, definition: EnumDefinition<'_>) -> Result<(), Box<dyn Error>> {
    writeln!(code, "#[derive(Clone, Debug, PartialEq, Eq, clap::ValueEnum, cynic::Enum)]")?;
    writeln!(code, "pub(crate) enum {} {{", definition.name())?;
    for value in definition.values() {
        if let Some(description) = value.description() {
            // The help text of the value, where it is one of an argument.
            writeln!(code, "#[doc = {:?}]", description.literal().to_cow())?;
        }
        writeln!(code, "{},", pascal_case(value.value()))?;
    }
    writeln!(code, "#[cynic(fallback)] #[value(skip)] Other(String),\n}}")?;
    Ok(())
}

fn pascal_case(name: &str) -> String {
    name.split('_').map(|word| word[..1].to_owned() + &word[1..].to_lowercase()).collect()
}
