//! The one field of a subscription (pure). GraphQL allows it to be selected through fragments, but the executor (async-graphql 7.2.1)
//! sees only fields: with a fragment, it would complete the subscription at once.

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use async_graphql_value::Value;

use super::execute::{operation, operation_mut};

/// The argument that says after which cursor a subscription begins.
const START: &str = "after";

/// Replaces the fragments around the root field of the subscription `name` by the field. They must have no directives, and be on the
/// type `root`. Returns whether there is exactly one field.
pub(super) fn lift(document: &mut ExecutableDocument, name: Option<&str>, root: Option<&Name>) -> bool {
    let Some(subscription) = operation(document, name) else { return true };
    let mut lifting = Lifting { document, root, fields: Vec::new(), fragments: Vec::new() };
    if lifting.collect(&subscription.selection_set.node).is_none() || lifting.fields.len() != 1 {
        return false;
    }
    let Lifting { fields, fragments, .. } = lifting;
    if let Some(subscription) = operation_mut(document, name) {
        subscription.selection_set.node.items = fields;
    }
    // Validation refuses fragments that nothing spreads. The outer ones come first.
    for fragment in fragments {
        let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
        let others = document.fragments.iter().filter(|(other, _)| **other != fragment).map(|(_, other)| &other.node.selection_set.node);
        if !operations.chain(others).any(|set| spreads(set, &fragment)) {
            document.fragments.remove(&fragment);
        }
    }
    true
}

/// The variables without the one that only says where the subscription `name` begins, which determines no result. `query` is the text of
/// the document.
pub(super) fn variables_except_start(document: &ExecutableDocument, name: Option<&str>, query: &str, variables: &Variables) -> Variables {
    let mut others = variables.clone();
    if let Some(start) = start(document, name)
        // Its definition and its use.
        && query.matches(&format!("${start}")).count() == 2
    {
        others.remove(start);
    }
    others
}

/// The variable that is the start of the subscription.
fn start<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a Name> {
    let Selection::Field(field) = &operation(document, name)?.selection_set.node.items.first()?.node else { return None };
    match &field.node.get_argument(START)?.node {
        Value::Variable(variable) => Some(variable),
        _ => None,
    }
}

struct Lifting<'a> {
    document: &'a ExecutableDocument,
    root: Option<&'a Name>,
    fields: Vec<Positioned<Selection>>,
    fragments: Vec<Name>,
}

impl Lifting<'_> {
    /// `None` if a fragment is not on the root type, has directives, or if there is a second field.
    fn collect(&mut self, set: &SelectionSet) -> Option<()> {
        for item in &set.items {
            let (directives, on, nested) = match &item.node {
                Selection::Field(_) => {
                    self.fields.push(item.clone());
                    if self.fields.len() > 1 {
                        return None;
                    }
                    continue;
                }
                Selection::InlineFragment(inline) => (&inline.node.directives, inline.node.type_condition.as_ref(), &inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let fragment = &self.document.fragments.get(name)?.node;
                    self.fragments.push(name.clone());
                    if !fragment.directives.is_empty() {
                        return None;
                    }
                    (&spread.node.directives, Some(&fragment.type_condition), &fragment.selection_set.node)
                }
            };
            if !directives.is_empty() || on.is_some_and(|on| Some(&on.node.on.node) != self.root) {
                return None;
            }
            self.collect(nested)?;
        }
        Some(())
    }
}

fn spreads(set: &SelectionSet, fragment: &Name) -> bool {
    set.items.iter().any(|item| match &item.node {
        Selection::Field(field) => spreads(&field.node.selection_set.node, fragment),
        Selection::InlineFragment(inline) => spreads(&inline.node.selection_set.node, fragment),
        Selection::FragmentSpread(spread) => spread.node.fragment_name.node == *fragment,
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    /// The names of the root fields and of the fragments that are left; `None` if it is refused.
    fn lifted(text: &str) -> Option<(String, Vec<String>)> {
        let mut document = parse_query(text).unwrap();
        if !lift(&mut document, None, Some(&Name::new("S"))) {
            return None;
        }
        let [field] = operation(&document, None).unwrap().selection_set.node.items.as_slice() else { panic!("{text}") };
        let Selection::Field(field) = &field.node else { panic!("{text}") };
        let mut left: Vec<_> = document.fragments.keys().map(ToString::to_string).collect();
        left.sort();
        Some((field.node.name.node.to_string(), left))
    }

    #[test]
    fn the_field_takes_the_place_of_the_fragments_that_it_is_in() {
        let field = |left: &[&str]| Some(("one".to_owned(), left.iter().map(ToString::to_string).collect()));
        assert_eq!(lifted("subscription { one }"), field(&[]));
        assert_eq!(lifted("subscription { ...F } fragment F on S { one }"), field(&[]));
        assert_eq!(lifted("subscription { ... { ... on S { one } } }"), field(&[]));
        assert_eq!(lifted("subscription { ...F } fragment F on S { ...G } fragment G on S { one { ...H } } fragment H on T { a }"), field(&["H"]));
        assert_eq!(lifted("subscription { ...F } fragment F on S { one } fragment G on S { two }"), field(&["G"]), "validation reports it");
    }

    #[test]
    fn what_is_not_one_field_of_the_root_is_refused() {
        for text in [
            "subscription { ...F two } fragment F on S { one }",
            "subscription { ...F } fragment F on S { one two }",
            "subscription { ...F } fragment F on Q { one }",
            "subscription { ... on Q { one } }",
            "subscription { ...F @include(if: true) } fragment F on S { one }",
            "subscription { ...Missing }",
        ] {
            assert_eq!(lifted(text), None, "{text}");
        }
    }

    #[test]
    fn the_variables_that_only_say_where_to_begin_are_left_out() {
        let left = |query: &str| {
            let variables = Variables::from_json(serde_json::json!({ "from": "7", "id": "1" }));
            let left = variables_except_start(&parse_query(query).unwrap(), None, query, &variables);
            left.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(left("subscription($from: ID, $id: ID) { events(id: $id, after: $from) { a } }"), "id");
        assert_eq!(left("subscription($from: ID, $id: ID) { events(id: $from, after: $id) { a } }"), "from");
        assert_eq!(left("subscription($from: ID) { events(after: $from) { a(b: $from) } }"), "from id", "the result depends on it");
        assert_eq!(left("subscription($from: ID) { events(before: $from) { a } }"), "from id");
        assert_eq!(left("subscription { events(after: 1) { a } }"), "from id");
    }
}
