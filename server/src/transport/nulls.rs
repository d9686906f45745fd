//! Fields that failed, as the specification wants them (pure).
//!
//! The executor (async-graphql 7.2.1) leaves a field that failed out of its object; a client may rely on every field that it
//! selected being there. The errors' paths say where a `null` is missing.

use async_graphql::{Name, PathSegment, Response, Value};

/// Puts `null` where a field is absent because it failed.
pub(super) fn fill(response: &mut Response) {
    let Response { data, errors, .. } = response;
    for error in errors {
        fill_one(data, &error.path);
    }
}

fn fill_one(mut value: &mut Value, path: &[PathSegment]) {
    let Some((last, before)) = path.split_last() else { return };
    for segment in before {
        value = match (value, segment) {
            (Value::Object(object), PathSegment::Field(name)) => match object.get_mut(name.as_str()) {
                Some(field) => field,
                None => return,
            },
            (Value::List(list), PathSegment::Index(index)) => match list.get_mut(*index) {
                Some(item) => item,
                None => return,
            },
            // An object above the field is null already, as it must be when the field cannot be.
            _ => return,
        };
    }
    if let (Value::Object(object), PathSegment::Field(name)) = (value, last) {
        object.entry(Name::new(name)).or_insert(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{ServerError, value};

    use super::*;

    #[test]
    fn a_failed_field_is_null_where_its_object_is() {
        let field = |name: &str| PathSegment::Field(name.to_owned());
        let mut response = Response::new(value!({"a": [{"x": 1}, {}], "b": null, "c": {"y": 2}}));
        response.errors = [
            vec![field("a"), PathSegment::Index(1), field("x")],
            vec![field("a"), PathSegment::Index(7), field("x")],
            vec![field("b"), field("x")],
            vec![field("c"), field("y")],
            vec![field("d"), field("x")],
            vec![field("e")],
            vec![],
        ]
        .into_iter()
        .map(|path| ServerError::new("failed", None).with_path(path))
        .collect();
        fill(&mut response);
        assert_eq!(response.data, value!({"a": [{"x": 1}, {"x": null}], "b": null, "c": {"y": 2}, "e": null}));
    }
}
