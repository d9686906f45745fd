//! Completes the data of responses with errors as section 6.4.4 of the GraphQL specification requires (pure).
//!
//! The executor (async-graphql 7.2.1; its issue 531) omits a field that failed from its object, makes an object `null` when all its
//! fields failed, and does not propagate the failure of a non-null field to its parent. It has no hook for this: extensions see the
//! results of resolvers but neither siblings nor parents. The response is therefore completed afterwards, from the paths of its
//! errors, the document and the types of the schema. Setting every path to `null` is not enough: it would put `null` into fields
//! that the schema declares non-null, which typed clients reject.

use std::{cmp::Reverse, collections::HashMap};

use async_graphql::{
    Name, PathSegment, Response, Value, Variables,
    indexmap::IndexMap,
    parser::{
        parse_query,
        types::{BaseType, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet, Type},
    },
};

use super::{FieldTypes, execute::operation};

/// The document and the operation that were executed.
pub(super) struct Source {
    pub(super) query: String,
    pub(super) operation_name: Option<String>,
    /// The variables that have numbers out of the range of `Int`.
    pub(super) out_of_range: Variables,
}

/// Sets to `null` what the errors of a response require to be `null`.
pub(super) fn complete(response: &mut Response, types: &FieldTypes, source: &Source) {
    if response.errors.is_empty() && response.data == Value::Null {
        // Every field was skipped.
        response.data = Value::Object(IndexMap::new());
    }
    if response.errors.iter().all(|error| error.path.is_empty()) {
        return;
    }
    // The document was executed, so it can be parsed.
    let document = parse_query(&source.query).ok();
    let document = document.as_ref().and_then(|document| Some((document, operation(document, source.operation_name.as_deref())?)));
    let Response { data, errors, .. } = response;
    // Nullable fields first: they restore objects that the executor made null because all their fields failed.
    let mut beyond = Vec::new();
    // The same field fails in many entries of a list. How far that reaches does not depend on the positions.
    let mut known = HashMap::new();
    for path in errors.iter().map(|error| error.path.as_slice()).filter(|path| !path.is_empty()) {
        let reach = *known.entry(names(path)).or_insert_with(|| {
            document.and_then(|(document, operation)| reach(types, document, operation, path)).unwrap_or(Reach::To(Reverse(path.len())))
        });
        match reach {
            Reach::To(Reverse(length)) if length == path.len() => put_null(data, path),
            further => beyond.push((further, path)),
        }
    }
    // The furthest last, so that no field is restored within an object that is already null.
    beyond.sort_by_key(|(reach, _)| *reach);
    for (reach, path) in beyond {
        match reach {
            Reach::Everything => *data = Value::Null,
            Reach::To(Reverse(length)) => put_null(data, &path[..length]),
        }
    }
}

/// The names of a path, with `None` for each position in a list.
fn names(path: &[PathSegment]) -> Vec<Option<&str>> {
    path.iter()
        .map(|segment| match segment {
            PathSegment::Field(name) => Some(name.as_str()),
            PathSegment::Index(_) => None,
        })
        .collect()
}

/// How far up the failure of a field reaches, from near to far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// The value at this length of the path becomes null.
    To(Reverse<usize>),
    /// Nothing on the path can be null, so `data` as a whole becomes null.
    Everything,
}

/// Returns `None` if a type on the path is unknown.
fn reach(types: &FieldTypes, document: &ExecutableDocument, operation: &OperationDefinition, path: &[PathSegment]) -> Option<Reach> {
    let mut reach = Reach::Everything;
    let mut selections = vec![(types.root(operation.ty)?.as_str(), &operation.selection_set.node)];
    // More than one if fragments on different types use the same response name.
    let mut here: Vec<(&Type, &Field)> = Vec::new();
    for (at, segment) in path.iter().enumerate() {
        match segment {
            PathSegment::Field(key) => {
                let mut found = Vec::new();
                for (parent, selected) in selections {
                    find(document, parent, selected, key, &mut found);
                }
                here = found.into_iter().map(|(parent, field)| Some((types.field(parent, &field.name.node)?, field))).collect::<Option<_>>()?;
            }
            PathSegment::Index(_) => {
                here = here.into_iter().map(|(ty, field)| Some((element(ty)?, field))).collect::<Option<_>>()?;
            }
        }
        if here.is_empty() {
            return None;
        }
        if here.iter().any(|(ty, _)| ty.nullable) {
            reach = Reach::To(Reverse(at + 1));
        }
        selections = here.iter().filter_map(|(ty, field)| Some((named(ty)?, &field.selection_set.node))).collect();
    }
    Some(reach)
}

/// Finds the fields of a selection with the response name `key`, each with the type it is selected on.
fn find<'a>(document: &'a ExecutableDocument, parent: &'a str, selected: &'a SelectionSet, key: &str, found: &mut Vec<(&'a str, &'a Field)>) {
    for item in &selected.items {
        match &item.node {
            Selection::Field(field) if field.node.response_key().node == key => found.push((parent, &field.node)),
            Selection::Field(_) => {}
            Selection::FragmentSpread(spread) => {
                // Validation has rejected cyclic fragments.
                if let Some(FragmentDefinition { type_condition, selection_set, .. }) =
                    document.fragments.get(&spread.node.fragment_name.node).map(|fragment| &fragment.node)
                {
                    find(document, &type_condition.node.on.node, &selection_set.node, key, found);
                }
            }
            Selection::InlineFragment(inline) => {
                let parent = inline.node.type_condition.as_ref().map_or(parent, |condition| &condition.node.on.node);
                find(document, parent, &inline.node.selection_set.node, key, found);
            }
        }
    }
}

fn element(ty: &Type) -> Option<&Type> {
    match &ty.base {
        BaseType::List(element) => Some(element),
        BaseType::Named(_) => None,
    }
}

fn named(ty: &Type) -> Option<&str> {
    match &ty.base {
        BaseType::Named(name) => Some(name),
        BaseType::List(_) => None,
    }
}

fn put_null(mut value: &mut Value, path: &[PathSegment]) {
    let Some((last, before)) = path.split_last() else { return };
    let as_object = |value: &mut Value| {
        if *value == Value::Null {
            *value = Value::Object(IndexMap::new());
        }
    };
    for segment in before {
        value = match segment {
            PathSegment::Field(name) => {
                as_object(value);
                let Value::Object(object) = value else { return };
                match object.get_mut(name.as_str()) {
                    Some(field) => field,
                    // The list that contains it failed as a whole.
                    None => return,
                }
            }
            PathSegment::Index(index) => match value {
                Value::List(list) if *index < list.len() => &mut list[*index],
                _ => return,
            },
        };
    }
    match last {
        PathSegment::Field(name) => {
            as_object(value);
            if let Value::Object(object) = value {
                object.insert(Name::new(name), Value::Null);
            }
        }
        PathSegment::Index(index) => {
            if let Value::List(list) = value
                && let Some(item) = list.get_mut(*index)
            {
                *item = Value::Null;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{ServerError, value};

    use super::*;

    const SDL: &str = "
        schema { query: Q }
        interface I { id: ID! }
        type Q { a: [T!]!, m: [T], b: T, c: T!, d: T, e: String, i: I }
        type T implements I { id: ID!, x: Int, y: Int!, t: T, u: T!, l: [Int!], k: [Int!]! }
        type O implements I { id: ID!, y: Int }";

    /// The data of `query` after these paths failed.
    fn completed(types: &FieldTypes, query: &str, data: Value, paths: &[&str]) -> Value {
        let mut response = Response::new(data);
        let segment = |part: &str| part.parse().map_or_else(|_| PathSegment::Field(part.to_owned()), PathSegment::Index);
        response.errors = paths.iter().map(|path| ServerError::new("failed", None).with_path(path.split('.').map(segment).collect())).collect();
        complete(&mut response, types, &Source { query: query.to_owned(), operation_name: None, out_of_range: Variables::default() });
        response.data
    }

    #[test]
    fn a_failure_reaches_up_to_what_can_be_null() {
        let types = FieldTypes::of(SDL);
        let check = |query, data, paths: &[&str], wanted| assert_eq!(completed(&types, query, data, paths), wanted, "{query} {paths:?}");
        check("{ a { x } e }", value!({"a": [{"x": 1}, null]}), &["a.1.x", "e"], value!({"a": [{"x": 1}, {"x": null}], "e": null}));
        check("{ b { x y } }", value!({"b": {"x": 1}}), &["b.y"], value!({"b": null}));
        check("{ b { x y } }", value!({"b": null}), &["b.x", "b.y"], value!({"b": null}));
        check("{ c { x y } }", value!({"c": {"x": 1}}), &["c.y"], Value::Null);
        check("{ c { x } }", value!({"c": null}), &["c.x"], value!({"c": {"x": null}}));
        check("{ a { y } e }", value!({"a": [{"y": 1}, null], "e": "e"}), &["a.1.y"], Value::Null);
        check("{ m { y } }", value!({"m": [{"y": 1}, null]}), &["m.1.y"], value!({"m": [{"y": 1}, null]}));
        check("{ b { t { u { y } } } }", value!({"b": {"t": {"u": null}}}), &["b.t.u.y"], value!({"b": {"t": null}}));
        check("{ b { l x } }", value!({"b": {"x": 1}}), &["b.l.2"], value!({"b": {"x": 1, "l": null}}));
        check("{ b { k x } }", value!({"b": {"x": 1}}), &["b.k.2"], value!({"b": null}));
        check("query { n: b { ...F } } fragment F on T { z: y }", value!({"n": {}}), &["n.z"], value!({"n": null}));
        check("{ b { ... { y } } }", value!({"b": null}), &["b.y"], value!({"b": null}));
        check("{ i { id ... on T { y } } }", value!({"i": {"id": "1"}}), &["i.y"], value!({"i": null}));
        check("{ c { y } b { y } e }", value!({"e": "e"}), &["c.y", "b.y"], Value::Null);
        check("{ b { y t { y } } }", value!({"b": null}), &["b.y", "b.t.y"], value!({"b": null}));
        check("{ e @skip(if: true) }", Value::Null, &[], value!({}));
        check("{ i { id ... on O { y } } }", value!({"i": {"id": "1"}}), &["i.y"], value!({"i": {"id": "1", "y": null}}));
    }

    #[test]
    fn without_types_a_failed_field_is_null() {
        let completed = completed(&FieldTypes::of("nonsense"), "{ a { x y } }", value!({"a": [{"x": 1}]}), &["a.0.y", "a.7.x", "e"]);
        assert_eq!(completed, value!({"a": [{"x": 1, "y": null}], "e": null}));
    }
}
