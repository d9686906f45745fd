//! Checks the limits of a document: what it would cost is known before it is validated (pure).

use async_graphql::{
    Variables,
    parser::types::{BaseType, ExecutableDocument, Type},
};

use super::{
    FieldTypes, Limits,
    expansion::{Unexpandable, expanded_size},
    introspection,
    lexical::Shape,
};

/// Why a document is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The code of the error.
    pub(super) code: &'static str,
    /// For the caller.
    pub(super) message: String,
}

impl Refused {
    fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }
}

/// Checks the text of a document, which bounds what parsing it costs. Returns its tokens.
pub(super) fn check_text(text: &str, limits: &Limits) -> Result<usize, Refused> {
    let shape = Shape::of(text);
    if shape.tokens > limits.tokens {
        let message = format!("The document has {} tokens; at most {} are allowed.", shape.tokens, limits.tokens);
        return Err(Refused::new("TOO_MANY_TOKENS", message));
    }
    if shape.nesting > limits.nesting {
        let message = format!("The document is nested {} levels deep; at most {} are allowed.", shape.nesting, limits.nesting);
        return Err(Refused::new("TOO_DEEP", message));
    }
    if shape.longest_name > limits.name_bytes {
        let message = format!("The document has a name of {} bytes; at most {} are allowed.", shape.longest_name, limits.name_bytes);
        return Err(Refused::new("TOO_LARGE", message));
    }
    Ok(shape.tokens)
}

/// Checks a document, which bounds what its validation costs, and what is not part of its complexity. Returns its expanded size.
pub(super) fn check(document: &ExecutableDocument, variables: &Variables, types: &FieldTypes, limits: &Limits) -> Result<u64, Refused> {
    let operations = document.operations.iter().count();
    if operations > limits.operations {
        let message = format!("The document has {operations} operations; at most {} are allowed.", limits.operations);
        return Err(Refused::new("TOO_LARGE", message));
    }
    check_types(document, types)?;
    let size = match expanded_size(document, variables, types, limits) {
        Ok(size) => size,
        Err(Unexpandable::TooDeep) => {
            let message = format!("The document is nested more than {} levels deep through its fragments.", limits.nesting);
            return Err(Refused::new("TOO_DEEP", message));
        }
        Err(Unexpandable::Cycle(fragment)) => {
            return Err(Refused::new("BAD_REQUEST", format!("Cannot spread the fragment '{fragment}' within itself.")));
        }
        Err(Unexpandable::TooManyTypenames) => {
            let message = format!("The document selects `__typename` more than {} times of the same object.", limits.typenames);
            return Err(Refused::new("TOO_LARGE", message));
        }
    };
    if size > limits.expanded_size {
        let message = format!(
            "The document has {size} fields, arguments, values, variables and directives once its fragments are expanded, unknown fields \
             counted several times; at most {} are allowed.",
            limits.expanded_size
        );
        return Err(Refused::new("TOO_LARGE", message));
    }
    introspection::check(document, limits.introspection).map_err(|message| Refused::new("TOO_LARGE", message))?;
    Ok(size)
}

/// Refuses variables of types that do not exist. The executor panics if one is a list and has a default value (async-graphql 7.2.1).
fn check_types(document: &ExecutableDocument, types: &FieldTypes) -> Result<(), Refused> {
    let mut definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    match definitions.find_map(|definition| unknown_element(&definition.node.var_type.node, types)) {
        Some(unknown) => Err(Refused::new("BAD_REQUEST", format!("Unknown type \"{unknown}\""))),
        None => Ok(()),
    }
}

/// The name of the type of a list's elements, if there is no such type.
fn unknown_element<'a>(ty: &'a Type, types: &FieldTypes) -> Option<&'a str> {
    let BaseType::List(element) = &ty.base else { return None };
    match &element.base {
        BaseType::Named(name) => types.lacks_type(name).then_some(name.as_str()),
        BaseType::List(_) => unknown_element(element, types),
    }
}
