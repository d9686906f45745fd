//! What introspection may select (pure).
//!
//! Its fields are lists of everything in the schema, but each costs as little as a field, so a document of moderate complexity could
//! ask for an answer of any size. These rules bound the answer to a few times that of a client's introspection (GraphiQL, Apollo,
//! code generators), which selects about 150 fields once its fragments are expanded, within three lists.

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};

/// The fields of introspection that are lists of objects.
const LISTS: [&str; 8] = ["args", "directives", "enumValues", "fields", "inputFields", "interfaces", "possibleTypes", "types"];
/// Lists within each other: `types`, `fields` and `args`.
const NESTED_LISTS: usize = 3;
/// `__type` in one operation; each collects all types of the schema first.
const TYPES: usize = 10;

/// Checks what the operations select below `__schema` and `__type`: at most `selections` fields, with fragments expanded. The error
/// is for the caller. The document has no fragments that spread themselves.
pub(super) fn check(document: &ExecutableDocument, selections: usize) -> Result<(), String> {
    for (_, operation) in document.operations.iter() {
        let mut walk = Walk { document, limit: selections, selected: 0 };
        let (mut schemas, mut types) = (0, 0);
        let mut roots = Vec::new();
        each_field(document, &operation.node.selection_set.node, &mut |field| {
            match field.name.node.as_str() {
                "__schema" => schemas += 1,
                "__type" => types += 1,
                _ => return Ok(()),
            }
            roots.push(field);
            Ok(())
        })?;
        if schemas > 1 || types > TYPES {
            return Err(format!("An operation selects `__schema` at most once, and `__type` at most {TYPES} times."));
        }
        for root in roots {
            walk.below(root, &mut Vec::new())?;
        }
    }
    Ok(())
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    limit: usize,
    selected: usize,
}

impl<'a> Walk<'a> {
    /// Checks what is selected of `field`, which is within `lists`.
    fn below(&mut self, field: &'a Field, lists: &mut Vec<&'a str>) -> Result<(), String> {
        let mut selected: Vec<&Field> = Vec::new();
        let (document, limit) = (self.document, self.limit);
        each_field(document, &field.selection_set.node, &mut |field| {
            self.selected += 1;
            if self.selected > limit {
                return Err(format!("An operation selects at most {limit} fields below `__schema` and `__type`."));
            }
            let name = field.name.node.as_str();
            if name == "__typename" {
                return Ok(());
            }
            if selected.iter().any(|other| other.name.node == name) {
                return Err(format!("Below `__schema` and `__type`, `{name}` is selected more than once of the same object."));
            }
            selected.push(field);
            Ok(())
        })?;
        for field in selected {
            let name = field.name.node.as_str();
            let list = LISTS.contains(&name);
            if list {
                if lists.contains(&name) || lists.len() == NESTED_LISTS {
                    return Err(format!("Below `__schema` and `__type`, lists are nested at most {NESTED_LISTS} deep, and none within itself."));
                }
                lists.push(name);
            }
            self.below(field, lists)?;
            if list {
                lists.pop();
            }
        }
        Ok(())
    }
}

/// Calls `visit` with every field that a selection set selects of its object, through fragments too.
fn each_field<'a, F>(document: &'a ExecutableDocument, set: &'a SelectionSet, visit: &mut F) -> Result<(), String>
where
    F: FnMut(&'a Field) -> Result<(), String>,
{
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => visit(&field.node)?,
            Selection::InlineFragment(fragment) => each_field(document, &fragment.node.selection_set.node, visit)?,
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    each_field(document, &fragment.node.selection_set.node, visit)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn verdict(document: &str) -> Result<(), String> {
        check(&parse_query(document).unwrap(), 500)
    }

    #[test]
    fn what_people_ask_passes() {
        for document in [
            include_str!("introspection/client.graphql"),
            "{ __schema { queryType { name } types { name kind fields(includeDeprecated: true) { name args { name type { name } } } } } }",
            "{ __type(name: \"Query\") { name fields { name type { name kind ofType { name } } } } other: __type(name: \"Node\") { possibleTypes { name } } }",
            "{ instances { nodes { a: id b: id fields { fields { id } } } } }",
            "query A { ...F } query B { ...F } fragment F on Query { __schema { __typename types { __typename name } } }",
        ] {
            assert_eq!(verdict(document), Ok(()), "{document}");
        }
    }

    #[test]
    fn what_multiplies_the_answer_is_refused() {
        let aliases: String = (0..600).map(|n| format!(" t{n}: __typename")).collect();
        for document in [
            "{ a: __schema { description } b: __schema { description } }".to_owned(),
            format!("{{ {} }}", (0..11).map(|n| format!("t{n}: __type(name: \"A\") {{ name }}")).collect::<String>()),
            format!("{{ __schema {{ {aliases} }} }}"),
            "{ __schema { types { name ... { other: name } } } }".to_owned(),
            "{ __schema { types { ...F ...F } } } fragment F on __Type { name }".to_owned(),
            "{ __type(name: \"A\") { fields { type { fields { name } } } } }".to_owned(),
            "{ ... { __schema { types { interfaces { possibleTypes { fields { name } } } } } } }".to_owned(),
        ] {
            assert!(verdict(&document).is_err(), "{document}");
        }
        let deep = format!("{{ __schema {{ types {{ {} {} }} }} }}", "ofType { name ".repeat(20), "}".repeat(20));
        assert_eq!(verdict(&deep), Ok(()));
        assert!(check(&parse_query(&deep).unwrap(), 40).is_err());
    }
}
