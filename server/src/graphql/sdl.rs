//! The contract in the schema definition language: the content of `schema.graphql`.

use async_graphql::SDLExportOptions;

/// The built-in directives. According to the specification, a schema should omit their definitions.
const BUILT_IN_DIRECTIVES: [&str; 5] = ["deprecated", "include", "oneOf", "skip", "specifiedBy"];

/// The contract as text.
#[must_use]
pub fn sdl() -> String {
    without_built_in_directives(&super::builder().finish().sdl_with_options(SDLExportOptions::new().include_specified_by()))
}

fn without_built_in_directives(sdl: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in sdl.lines() {
        let definition = line.strip_prefix("directive @").and_then(|rest| rest.split(['(', ' ']).next());
        if !definition.is_some_and(|name| BUILT_IN_DIRECTIVES.contains(&name)) {
            kept.push(line);
        } else if kept.last() == Some(&"\"\"\"") {
            // Its description is removed with it.
            kept.pop();
            while kept.pop().is_some_and(|line| line != "\"\"\"") {}
        }
    }
    kept.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{
        parse_schema,
        types::{TypeKind, TypeSystemDefinition},
    };
    use toygres_domain::operation::OperationKind;

    use super::*;
    use crate::app::{
        limits::{self, IntRange},
        restart_instance,
    };

    #[test]
    fn built_in_directives_are_left_out_with_their_descriptions() {
        let sdl = "type Q {\n\ta: Int\n}\n\"\"\"\nSkips.\n\"\"\"\ndirective @skip(if: Boolean!) on FIELD\n\"\"\"\nOurs.\n\"\"\"\ndirective @ours on FIELD\n";
        assert_eq!(without_built_in_directives(sdl), "type Q {\n\ta: Int\n}\n\"\"\"\nOurs.\n\"\"\"\ndirective @ours on FIELD\n");
    }

    #[test]
    fn descriptions_name_the_defaults_that_apply() {
        let sdl = sdl();
        let described = |what: &str, limit: IntRange| {
            let text = format!("{what} (default {}).", limit.default.unwrap());
            assert!(sdl.contains(&text), "{text}");
        };
        described("The size of the volume in GiB", limits::STORAGE_GB);
        described("The CPU in millicores", limits::CPU_MILLIS);
        described("The memory in MiB", limits::MEMORY_MB);
        described("The days after which the token expires, 1 to 3650", limits::TOKEN_EXPIRES_IN_DAYS);
        described("The seconds that the server may take to shut down gracefully before it is stopped immediately", restart_instance::TIMEOUT_SECONDS);
    }

    /// An operation without its mutation fails here.
    #[test]
    fn every_kind_of_operation_has_a_mutation() {
        let document = parse_schema(sdl()).unwrap();
        let types: Vec<_> = document
            .definitions
            .into_iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(definition) => Some(definition.node),
                _ => None,
            })
            .collect();
        let mutation = types.iter().find(|ty| ty.name.node == "Mutation").unwrap();
        let TypeKind::Object(mutation) = &mutation.kind else { panic!("Mutation is not an object") };
        for kind in OperationKind::ALL {
            let pascal: String = kind.as_str().split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            // A kind that names what it changes has a mutation of its own name.
            let pascal = if kind.as_str().contains('_') { pascal } else { pascal + "Instance" };
            let field = format!("{}{}", pascal[..1].to_lowercase(), &pascal[1..]);
            let found = mutation.fields.iter().find(|definition| definition.node.name.node == field);
            let found = &found.unwrap_or_else(|| panic!("{kind} has no mutation {field}")).node;
            let input = found.arguments.iter().find(|argument| argument.node.name.node == "input").map(|input| input.node.ty.node.to_string());
            assert_eq!(input, Some(format!("{pascal}Input!")), "{field}");
            assert_eq!(found.ty.node.to_string(), format!("{pascal}Payload!"), "{field}");
        }
    }
}
