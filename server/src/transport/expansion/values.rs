//! The cost of arguments, directives and variables (pure).
//!
//! Validation and the complexity copy the value of an argument, with the values of its variables in it, each time they reach it.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, Value as ConstValue, Variables,
    parser::types::{BaseType, Directive, ExecutableDocument, Type, VariableDefinition},
};
use async_graphql_value::Value;

/// The bytes of text that are copied in the time that a field takes.
const BYTES_PER_FIELD: usize = 64;
/// Arguments are compared with each other: more than this number at once count more than their number.
const USUAL_ARGUMENTS: u64 = 16;

/// What a part of a document costs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// A field without arguments is 1.
    pub(super) size: u64,
    /// How many variables are used.
    pub(super) variables: u64,
}

impl Cost {
    pub(super) fn of(size: u64) -> Self {
        Self { size, variables: 0 }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { size: self.size.saturating_add(other.size), variables: self.variables.saturating_add(other.variables) }
    }
}

/// What the variables of a request contain.
pub(super) struct Values<'a> {
    /// The cost of the value of each variable.
    variables: HashMap<&'a Name, u64>,
}

impl<'a> Values<'a> {
    pub(super) fn new(document: &'a ExecutableDocument, given: &'a Variables) -> Self {
        let mut variables: HashMap<&Name, u64> = given.iter().map(|(name, value)| (name, constant(value))).collect();
        for (_, operation) in document.operations.iter() {
            for definition in &operation.node.variable_definitions {
                let default = definition.node.default_value.as_ref().map_or(0, |value| constant(&value.node));
                let known = variables.entry(&definition.node.name.node).or_default();
                *known = default.max(*known);
            }
        }
        Self { variables }
    }

    /// The cost of the arguments of a field or a directive.
    pub(super) fn arguments(&self, arguments: &[(Positioned<Name>, Positioned<Value>)]) -> Cost {
        let all = arguments.iter().fold(Cost::default(), |all, (_, value)| all.plus(Cost::of(1)).plus(self.value(&value.node)));
        let number = u64::try_from(arguments.len()).unwrap_or(u64::MAX);
        Cost { size: all.size.saturating_mul(1 + number / USUAL_ARGUMENTS), ..all }
    }

    /// The cost of the directives of one place.
    pub(super) fn directives(&self, directives: &[Positioned<Directive>]) -> Cost {
        directives.iter().fold(Cost::default(), |all, directive| all.plus(Cost::of(1)).plus(self.arguments(&directive.node.arguments)))
    }

    /// The cost of the definitions of an operation's variables. A default value is checked against its type, level by level.
    pub(super) fn definitions(&self, definitions: &[Positioned<VariableDefinition>]) -> u64 {
        let one = |definition: &VariableDefinition| {
            let default = definition.default_value.as_ref().map_or(0, |value| constant(&value.node));
            default.saturating_add(1).saturating_mul(1 + lists(&definition.var_type.node)).saturating_add(self.directives_of(definition))
        };
        definitions.iter().fold(0, |all, definition| all.saturating_add(one(&definition.node)))
    }

    fn directives_of(&self, definition: &VariableDefinition) -> u64 {
        self.directives(&definition.directives).size
    }

    fn value(&self, value: &Value) -> Cost {
        let all = |cost: Cost, item: &Value| cost.plus(Cost::of(1)).plus(self.value(item));
        match value {
            Value::Variable(name) => Cost { size: self.variables.get(name).copied().unwrap_or_default(), variables: 1 },
            Value::String(text) => Cost::of(bytes(text)),
            Value::List(items) => items.iter().fold(Cost::default(), all),
            Value::Object(fields) => fields.values().fold(Cost::default(), all),
            Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => Cost::default(),
        }
    }
}

/// How many lists the type is within.
fn lists(ty: &Type) -> u64 {
    match &ty.base {
        BaseType::Named(_) => 0,
        BaseType::List(element) => 1 + lists(element),
    }
}

/// The cost of a value without variables.
fn constant(value: &ConstValue) -> u64 {
    let all = |size: u64, item: &ConstValue| size.saturating_add(1).saturating_add(constant(item));
    match value {
        ConstValue::String(text) => bytes(text),
        ConstValue::List(items) => items.iter().fold(0, all),
        ConstValue::Object(fields) => fields.values().fold(0, all),
        ConstValue::Null | ConstValue::Number(_) | ConstValue::Boolean(_) | ConstValue::Binary(_) | ConstValue::Enum(_) => 0,
    }
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len() / BYTES_PER_FIELD).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use async_graphql::{
        parser::{parse_query, types::Selection},
        value,
    };

    use super::*;

    /// The cost of the arguments of the only field.
    fn arguments(document: &str, variables: ConstValue) -> Cost {
        let document = parse_query(document).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { panic!("a field") };
        let given = Variables::from_value(variables);
        Values::new(&document, &given).arguments(&field.node.arguments)
    }

    #[test]
    fn values_count_with_everything_in_them() {
        let none = || value!({});
        assert_eq!(arguments("{ a }", none()).size, 0);
        assert_eq!(arguments("{ a(x: 1, y: true) }", none()).size, 2);
        assert_eq!(arguments("{ a(x: [1, [2, 3]]) }", none()).size, 5);
        assert_eq!(arguments("{ a(x: {b: {c: 1}, d: E}) }", none()).size, 4);
        assert_eq!(arguments(&format!("{{ a(x: \"{}\") }}", "x".repeat(6400)), none()).size, 101);
        let used = arguments("query($v: Int) { a(x: [$v, $v], y: $unknown) }", value!({"v": [1, 2, 3]}));
        assert_eq!((used.size, used.variables), (10, 3));
        assert_eq!(arguments("query($v: [Int] = [1, 2]) { a(x: $v) }", none()).size, 3);
    }

    #[test]
    fn many_arguments_count_more_than_their_number() {
        let many = |number: usize| (0..number).map(|n| format!("a{n}: 1 ")).collect::<String>();
        assert_eq!(arguments(&format!("{{ a({}) }}", many(10)), value!({})).size, 10);
        assert!(arguments(&format!("{{ a({}) }}", many(1600)), value!({})).size > 100_000);
    }

    #[test]
    fn definitions_count_by_the_depth_of_their_types() {
        let definitions = |document: &str| {
            let document = parse_query(document).unwrap();
            let (_, operation) = document.operations.iter().next().unwrap();
            Values::new(&document, &Variables::default()).definitions(&operation.node.variable_definitions)
        };
        assert_eq!(definitions("query($a: Int, $b: Int = 1) { a }"), 2);
        assert_eq!(definitions("query($a: [[Int]] @x = [[1]]) { a }"), 10);
    }
}
