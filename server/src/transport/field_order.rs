//! Puts the fields of results into the order in which the document selects them, as section 7.2.2 of the GraphQL specification asks
//! (pure). The executor (async-graphql 7.2.1; its issue 612) inserts fields as their resolvers complete.

use async_graphql::{
    Name, Positioned, Value, Variables,
    indexmap::IndexMap,
    parser::types::{Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet},
};

use super::{FieldTypes, execute::operation, field_types::innermost};

/// The order of the fields in the result of one operation. Empty if the type of its root is unknown.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FieldOrder(Vec<ObjectOrder>);

/// The order of the fields of an object of one type.
#[derive(Debug, PartialEq)]
struct ObjectOrder {
    ty: Name,
    /// The response name of a selected `__typename`.
    typename: Option<Name>,
    /// By response name. A field without a selection has an empty order.
    fields: IndexMap<Name, FieldOrder>,
}

impl FieldOrder {
    /// The order that the operation `name` of a document asks for.
    pub(super) fn of(document: &ExecutableDocument, name: Option<&str>, variables: &Variables, types: &FieldTypes) -> Self {
        let Some(operation) = operation(document, name) else { return Self::default() };
        let Some(root) = types.root(operation.ty) else { return Self::default() };
        Selections { document, operation, variables, types }.order(root, &[&operation.selection_set.node])
    }

    /// The order of the value of the root object's first field: a subscription has one.
    pub(super) fn of_first_field(&self) -> Option<&Self> {
        self.0.first()?.fields.values().next()
    }

    /// Sorts the fields of a value, and of what is in it.
    pub(super) fn apply(&self, value: &mut Value) {
        match value {
            Value::List(items) if !self.0.is_empty() => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(fields) => {
                // Types that select the same names in different orders are told apart by `__typename` only.
                let Some(order) = self.0.iter().find(|order| order.matches(fields)) else { return };
                if !fields.keys().eq(order.fields.keys()) {
                    fields.sort_by_cached_key(|name, _| order.fields.get_index_of(name));
                }
                for (value, order) in fields.values_mut().zip(order.fields.values()) {
                    order.apply(value);
                }
            }
            _ => {}
        }
    }
}

impl ObjectOrder {
    fn matches(&self, fields: &IndexMap<Name, Value>) -> bool {
        let typename = self.typename.as_ref().and_then(|name| fields.get(name));
        fields.len() == self.fields.len()
            && typename.is_none_or(|name| matches!(name, Value::String(name) if *name == self.ty.as_str()))
            && fields.keys().all(|name| self.fields.contains_key(name))
    }
}

/// What determines which fields are selected.
struct Selections<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    types: &'a FieldTypes,
}

impl<'a> Selections<'a> {
    /// The order for a value of the type `ty`, which is selected by all of `sets` together.
    fn order(&self, ty: &Name, sets: &[&'a SelectionSet]) -> FieldOrder {
        let of = |ty: &Name| {
            let mut grouped = IndexMap::new();
            for set in sets {
                self.collect(ty, set, &mut grouped);
            }
            let typename = grouped.iter().find(|(_, fields)| fields.iter().any(|field| field.name.node == "__typename"));
            let typename = typename.map(|(name, _)| (*name).clone());
            let fields = grouped.into_iter().map(|(name, fields)| (name.clone(), self.below(ty, &fields))).collect();
            ObjectOrder { ty: ty.clone(), typename, fields }
        };
        FieldOrder(self.types.objects(ty).iter().map(of).collect())
    }

    /// The order of the value of a field, which was selected as `fields`.
    fn below(&self, parent: &str, fields: &[&'a Field]) -> FieldOrder {
        let sets: Vec<_> = fields.iter().map(|field| &field.selection_set.node).filter(|set| !set.items.is_empty()).collect();
        let ty = fields.first().and_then(|field| self.types.field(parent, &field.name.node));
        match ty {
            Some(ty) if !sets.is_empty() => self.order(&Name::new(innermost(ty)), &sets),
            _ => FieldOrder::default(),
        }
    }

    /// `CollectFields` of section 6.3.2 of the specification, for an object of the type `ty`.
    fn collect(&self, ty: &Name, set: &'a SelectionSet, grouped: &mut IndexMap<&'a Name, Vec<&'a Field>>) {
        for item in &set.items {
            if !self.includes(item.node.directives()) {
                continue;
            }
            let (on, nested) = match &item.node {
                Selection::Field(field) => {
                    grouped.entry(&field.node.response_key().node).or_default().push(&field.node);
                    continue;
                }
                Selection::InlineFragment(inline) => (inline.node.type_condition.as_ref(), &inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    // Validation reports a fragment that does not exist; cycles are refused before.
                    let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) else { continue };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set.node)
                }
            };
            if on.is_none_or(|on| self.types.objects(&on.node.on.node).contains(ty)) {
                self.collect(ty, nested, grouped);
            }
        }
    }

    /// Whether `@skip` and `@include` leave a selection in.
    fn includes(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = || self.is_true(&directive.node);
            match directive.node.name.node.as_str() {
                "skip" => !condition(),
                "include" => condition(),
                _ => true,
            }
        })
    }

    fn is_true(&self, directive: &Directive) -> bool {
        let Some(condition) = directive.get_argument("if") else { return false };
        let value = condition.node.clone().into_const_with(|variable| {
            let default = || {
                let definitions = &self.operation.variable_definitions;
                let definition = definitions.iter().find(|definition| definition.node.name.node == variable)?;
                Some(definition.node.default_value.as_ref()?.node.clone())
            };
            self.variables.get(&variable).cloned().or_else(default).ok_or(())
        });
        value == Ok(Value::Boolean(true))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{parser::parse_query, value};
    use serde_json::json;

    use super::*;

    const SDL: &str = "
        schema { query: Q }
        interface I { id: ID! }
        union U = T | O
        type Q { a: [T!]!, b: T, c: Int, i: I, u: U }
        type T implements I { id: ID!, x: Int, y: Int!, t: T }
        type O implements I { id: ID!, x: Int, y: Int }";

    /// The JSON of a result after its fields were sorted.
    fn sorted(query: &str, data: Value) -> String {
        let variables = Variables::from_json(json!({ "yes": true }));
        let order = FieldOrder::of(&parse_query(query).unwrap(), None, &variables, &FieldTypes::of(SDL));
        let mut data = data;
        order.apply(&mut data);
        serde_json::to_string(&data).unwrap()
    }

    #[test]
    fn fields_have_the_order_of_the_selection() {
        let check = |query, data: Value, wanted: &str| assert_eq!(sorted(query, data), wanted, "{query}");
        check("{ a { x y } b { y } c }", value!({"c": 1, "b": {"y": 2}, "a": []}), r#"{"a":[],"b":{"y":2},"c":1}"#);
        check("{ a { x y } }", value!({"a": [{"y": 1, "x": 2}, null]}), r#"{"a":[{"x":2,"y":1},null]}"#);
        check("{ z: c ...F } fragment F on Q { a: c c }", value!({"c": 1, "a": 2, "z": 3}), r#"{"z":3,"a":2,"c":1}"#);
        check(
            "{ b { x } c b { y t { y x } } }",
            value!({"c": 1, "b": {"t": {"x": 1, "y": 2}, "y": 1, "x": 2}}),
            r#"{"b":{"x":2,"y":1,"t":{"y":2,"x":1}},"c":1}"#,
        );
        check("query($yes: Boolean!) { c @skip(if: $yes) a { y } c @include(if: $yes) }", value!({"c": 1, "a": []}), r#"{"a":[],"c":1}"#);
        check("query($no: Boolean = false) { c @include(if: $no) a { y } c }", value!({"c": 1, "a": []}), r#"{"a":[],"c":1}"#);
        check("{ c b { y } }", value!({"b": null, "c": 1}), r#"{"c":1,"b":null}"#);
    }

    #[test]
    fn fragments_count_for_objects_of_their_type() {
        let check = |query, data: Value, wanted: &str| assert_eq!(sorted(query, data), wanted, "{query}");
        let query = "{ i { ... on O { y x } __typename ... on T { x y } id } }";
        check(query, value!({"i": {"id": "1", "x": 1, "y": 2, "__typename": "T"}}), r#"{"i":{"__typename":"T","x":1,"y":2,"id":"1"}}"#);
        check(query, value!({"i": {"id": "1", "x": 1, "y": 2, "__typename": "O"}}), r#"{"i":{"y":2,"x":1,"__typename":"O","id":"1"}}"#);
        check(
            "{ u { ... on O { y x } ... on T { x t { x y } } } }",
            value!({"u": {"t": {"y": 1, "x": 2}, "x": 3}}),
            r#"{"u":{"x":3,"t":{"x":2,"y":1}}}"#,
        );
        check("{ i { ... on I { x: id id } } }", value!({"i": {"id": "1", "x": "1"}}), r#"{"i":{"x":"1","id":"1"}}"#);
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        assert_eq!(sorted("{ __schema { b a } c }", value!({"c": 1, "__schema": {"a": 1, "b": 2}})), r#"{"__schema":{"a":1,"b":2},"c":1}"#);
        assert_eq!(sorted("{ c }", value!({"other": 1, "c": 1})), r#"{"other":1,"c":1}"#);
        assert_eq!(sorted("mutation { b c }", value!({"c": 1, "b": 1})), r#"{"c":1,"b":1}"#);
    }
}
