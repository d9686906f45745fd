//! Names the field of an `Int` that is out of range (pure).
//!
//! The executor (async-graphql 7.2.1) validates only that an `Int` is a whole number of 64 bits. One of more than 32 bits is refused when the
//! argument is read, with the range that is accepted and the position of the argument, but without the name of the field. If the complexity depends
//! on the argument, the position is that of the selection. The document and the variables have the name.

use async_graphql::{
    Pos, Positioned, Response, Variables,
    parser::{
        parse_query,
        types::{ExecutableDocument, Field, Selection, SelectionSet},
    },
};
use async_graphql_value::{ConstValue, Number, Value};

use super::{FieldTypes, nulls::Source};

/// What such an error of the executor contains.
const OUT_OF_RANGE: &str = "Only integers from ";

/// The variables that have a number that is no `Int`: what [`explain`] has to know of them.
pub(super) fn out_of_range(variables: &Variables) -> Variables {
    fn has_one(value: &ConstValue) -> bool {
        match value {
            ConstValue::Number(number) => !is_int(number),
            ConstValue::List(entries) => entries.iter().any(has_one),
            ConstValue::Object(fields) => fields.values().any(has_one),
            _ => false,
        }
    }
    let found = variables.iter().filter(|(_, value)| has_one(value)).map(|(name, value)| (name.clone(), value.clone()));
    let mut kept = Variables::default();
    kept.extend(found);
    kept
}

/// Rewords the errors of a response about numbers that are no `Int`.
pub(super) fn explain(response: &mut Response, types: &FieldTypes, source: &Source) {
    if !response.errors.iter().any(|error| error.message.contains(OUT_OF_RANGE)) {
        return;
    }
    // The document was executed, so it can be parsed.
    let Ok(document) = parse_query(&source.query) else { return };
    let search = Search { types, variables: &source.out_of_range };
    for error in response.errors.iter_mut().filter(|error| error.message.contains(OUT_OF_RANGE)) {
        if let Some((path, number)) = error.locations.first().and_then(|at| search.document(&document, *at)) {
            error.message = format!("{path}: {number} is not an Int: it must be {} to {}", i32::MIN, i32::MAX);
            error.extensions.get_or_insert_default().set("code", "BAD_USER_INPUT");
        }
    }
}

fn is_int(number: &Number) -> bool {
    number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
}

/// Finds the path and the number of an `Int` that is out of range.
struct Search<'a> {
    types: &'a FieldTypes,
    variables: &'a Variables,
}

impl Search<'_> {
    /// Within the argument whose value is at this position, or those of the selection that is there.
    fn document(&self, document: &ExecutableDocument, at: Pos) -> Option<(String, String)> {
        let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
        let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
        operations.chain(fragments).find_map(|selected| self.selection(selected, at))
    }

    fn selection(&self, selected: &SelectionSet, at: Pos) -> Option<(String, String)> {
        selected.items.iter().find_map(|item| match &item.node {
            Selection::Field(field) => self.arguments(field, at).or_else(|| self.selection(&field.node.selection_set.node, at)),
            Selection::InlineFragment(inline) => self.selection(&inline.node.selection_set.node, at),
            Selection::FragmentSpread(_) => None,
        })
    }

    fn arguments(&self, field: &Positioned<Field>, at: Pos) -> Option<(String, String)> {
        let mut meant = field.node.arguments.iter().filter(|(_, value)| value.pos == at || field.pos == at);
        meant.find_map(|(name, value)| self.value(&name.node, &name.node, &value.node))
    }

    /// `name` is that of the argument or input field which the value is of.
    fn value(&self, path: &str, name: &str, value: &Value) -> Option<(String, String)> {
        match value {
            Value::Number(number) => (!is_int(number) && self.types.is_int(name)).then(|| (path.to_owned(), number.to_string())),
            Value::List(entries) => entries.iter().enumerate().find_map(|(at, entry)| self.value(&format!("{path}.{at}"), name, entry)),
            Value::Object(fields) => fields.iter().find_map(|(name, value)| self.value(&format!("{path}.{name}"), name, value)),
            Value::Variable(variable) => self.value(path, name, &self.variables.get(variable)?.clone().into_value()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, InputObject, Object, Request, Schema};

    use super::*;

    #[derive(InputObject)]
    struct Inner {
        size: i32,
    }

    #[derive(InputObject)]
    struct Input {
        /// Not an `Int`: any number is fine.
        factor: Option<f64>,
        inner: Vec<Inner>,
    }

    struct Query;

    #[Object]
    impl Query {
        #[graphql(complexity = "usize::try_from(first).unwrap_or(1)")]
        async fn list(&self, name: Option<String>, first: i32) -> usize {
            name.map_or(0, |name| name.len()) + usize::try_from(first).unwrap_or(0)
        }

        async fn sum(&self, first: Option<i32>, input: Option<Input>) -> i32 {
            let Input { factor, inner } = input.unwrap_or(Input { factor: None, inner: Vec::new() });
            first.unwrap_or(0) + factor.map_or(0, |_| 1) + inner.iter().map(|inner| inner.size).sum::<i32>()
        }
    }

    #[tokio::test]
    async fn a_number_that_is_out_of_range_is_named_with_its_field() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let types = FieldTypes::of(&schema.sdl());
        let variables = || {
            Variables::from_json(serde_json::json!({ "fine": 1, "first": -99_999_999_999_i64, "size": 1_i64 << 31, "input": {
                "factor": 99_999_999_999_i64, "inner": [{ "size": 3_000_000_000_i64 }] } }))
        };
        for (query, expected) in [
            ("{ sum(first: 99999999999) }", "first: 99999999999 is not an Int: it must be -2147483648 to 2147483647"),
            (
                "{ a: sum ...f } fragment f on Query { ... { sum(input: { factor: 99999999999, inner: [{ size: 1 }, { size: -3000000000 }] }) } }",
                "input.inner.1.size: -3000000000 is not an Int: it must be -2147483648 to 2147483647",
            ),
            (
                "query($fine: Int, $first: Int) { a: sum(first: $fine) sum(first: $first) }",
                "first: -99999999999 is not an Int: it must be -2147483648 to 2147483647",
            ),
            ("{ a: list(name: \"a\", first: 99999999999) }", "first: 99999999999 is not an Int: it must be -2147483648 to 2147483647"),
            ("query($input: Input) { sum(input: $input) }", "input.inner.0.size: 3000000000 is not an Int: it must be -2147483648 to 2147483647"),
            (
                "query($size: Int!) { sum(input: { inner: [{ size: $size }] }) }",
                "input.inner.0.size: 2147483648 is not an Int: it must be -2147483648 to 2147483647",
            ),
        ] {
            let mut response = schema.execute(Request::new(query).variables(variables())).await;
            let source = Source { query: query.to_owned(), operation_name: None, out_of_range: out_of_range(&variables()) };
            explain(&mut response, &types, &source);
            let [error] = &response.errors[..] else { panic!("{response:?}") };
            assert_eq!(error.message, expected);
            assert_eq!(error.extensions.as_ref().and_then(|extensions| extensions.get("code")), Some(&"BAD_USER_INPUT".into()));
        }
    }

    #[test]
    fn variables_within_the_range_are_not_kept() {
        let variables = Variables::from_json(serde_json::json!({ "a": i32::MAX, "b": [{ "c": i64::from(i32::MIN) - 1 }], "d": { "e": "f" } }));
        assert_eq!(out_of_range(&variables).keys().collect::<Vec<_>>(), ["b"]);
    }
}
